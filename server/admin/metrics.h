/* metrics.h - what a server counts, in the Prometheus text format. Every name begins with weir_ or process_. Units
 * are base units. Labels have few values, and clients choose none of them.
 *
 * Any thread may call it while the server runs. It takes the mutexes of the pool, the registry, the table of
 * channels and their history for a moment each, one after the other.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_ADMIN_METRICS_H
#define WEIR_ADMIN_METRICS_H

#include <stdio.h>

#include "server/channels/channels.h"
#include "server/http/route_entry.h"

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* All metrics as text in the heap; NULL if memory is out. */
char *metrics_text(struct core *core, const struct route_entries *entries);

/* --- For metrics*.c --- */

/* Write the lines before a metric's values, and one value with one label. */
void metrics_begin(FILE *out, const char *name, const char *type, const char *help);
void metrics_labelled(FILE *out, const char *name, const char *label, const char *text, double value);

/* Write a metric that has one value. */
void metrics_gauge(FILE *out, const char *name, const char *help, double value);
void metrics_counter(FILE *out, const char *name, const char *help, double value);

/* Writes the metrics of channels, their history, and what is published to them. */
void metrics_channels(FILE *out, struct channels *channels);

/* Writes process_*, the operating system's statistics of the process. */
void metrics_process(FILE *out);

#endif
