/* report_charts.h - the parts of the page: its drawings and its tables. No threads.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BENCH_REPORT_REPORT_CHARTS_H
#define WEIR_BENCH_REPORT_REPORT_CHARTS_H

#include <stdio.h>

#include "commands/bench/histogram.h"
#include "commands/bench/result.h"

/* Draws how durations are distributed: a curve of the percentiles, and a chart of the shares. Writes nothing if
 * there are no durations. `what` is "latency" or "handshake". */
void charts_of_durations(const struct histogram *histogram, const char *what, FILE *out);

/* Draws throughput, durations and open connections over the seconds of the run. Writes nothing if there are no
 * seconds. */
void charts_over_time(const struct result *result, FILE *out);

/* Writes every figure in tables (report_html_tables.c). */
void report_html_tables(const struct result *result, FILE *out);

#endif
