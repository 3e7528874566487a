/* metrics.h - what a server counts, in the Prometheus text format. Every name begins with weir_ or process_; units
 * are base units; labels have few values, none of them a client's to choose.
 *
 * Any thread, while the server runs. It takes the mutexes of the pool, the registry, the table of channels and
 * their history for a moment each, one after the other.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HTTP_METRICS_H
#define WEIR_HTTP_METRICS_H

#include <stdio.h>

#include "server/channels/channels.h"
#include "server/http/entrance.h"

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* All of it; in the heap, NULL if memory is out. */
char *metrics_text(struct core *core, const struct entrances *entrances);

/* --- For metrics*.c --- */

/* The lines before a metric's values, and one of them, with one label. */
void metrics_begin(FILE *out, const char *name, const char *type, const char *help);
void metrics_labelled(FILE *out, const char *name, const char *label, const char *text, double value);

/* A metric that has one value. */
void metrics_gauge(FILE *out, const char *name, const char *help, double value);
void metrics_counter(FILE *out, const char *name, const char *help, double value);

/* Channels, their history, and what is published to them. */
void metrics_channels(FILE *out, struct channels *channels);

/* process_*: of the operating system. */
void metrics_process(FILE *out);

#endif
