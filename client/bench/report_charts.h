/* report_charts.h - the parts of the page: its drawings and its tables. No threads.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BENCH_REPORT_CHARTS_H
#define WEIR_BENCH_REPORT_CHARTS_H

#include <stdio.h>

#include "client/bench/histogram.h"
#include "client/bench/result.h"

/* How durations were spread: a curve of the percentiles, and how many there were of each. Nothing if there were
 * none. `what` is "latency" or "handshake". */
void charts_of_durations(const struct histogram *histogram, const char *what, FILE *out);

/* Throughput, durations and open connections over the seconds of the run. Nothing if there were no seconds. */
void charts_over_time(const struct result *result, FILE *out);

/* Every figure as tables (report_html_tables.c). */
void report_html_tables(const struct result *result, FILE *out);

#endif
