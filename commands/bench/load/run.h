/* run.h - a complete run of the load tester: starts, watches and joins the threads, and adds up their results.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BENCH_LOAD_RUN_H
#define WEIR_BENCH_LOAD_RUN_H

#include "commands/bench/result.h"
#include "commands/bench/settings.h"

/* Returns -1 if there is a result to report, or the exit status after printing on stderr why there was no run.
 * *result must be all zero. SIGINT and SIGTERM end the measurement early, which sets *interrupted; a second
 * signal ends the process. */
int bench_run(const struct settings *settings, struct result *result, bool *interrupted);

#endif
