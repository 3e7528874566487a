/* run.h - a whole run of the load tester: threads started, watched and joined, their results added up.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BENCH_RUN_H
#define WEIR_BENCH_RUN_H

#include "client/bench/result.h"
#include "client/bench/settings.h"

/* Returns -1 if there is a result to be reported, or the exit status after it has said on stderr why there was no
 * run. *result has to be all zero. SIGINT and SIGTERM end the measurement early, which *interrupted tells; a second
 * one ends the process. */
int bench_run(const struct settings *settings, struct result *result, bool *interrupted);

#endif
