/* metrics.h - what a server counts, in the Prometheus text format. Every name begins with weir_ or process_; units
 * are base units; labels have few values, none of them a client's to choose.
 *
 * Any thread, while the server runs. It takes the pool's and the registry's mutex for a moment each.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HTTP_METRICS_H
#define WEIR_HTTP_METRICS_H

#include <stdio.h>

#include "server/http/entrance.h"

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* All of it; in the heap, NULL if memory is out. */
char *metrics_text(struct core *core, const struct entrances *entrances);

/* --- For metrics.c and metrics_process.c --- */

/* A metric that has one value. */
void metrics_gauge(FILE *out, const char *name, const char *help, double value);
void metrics_counter(FILE *out, const char *name, const char *help, double value);

/* process_*: of the operating system. */
void metrics_process(FILE *out);

#endif
