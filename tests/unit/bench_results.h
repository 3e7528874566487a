/* bench_results.h - results of load tests to report: the reports' tests share them. Each is in the heap; release
 * and free it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_TESTS_UNIT_BENCH_RESULTS_H
#define WEIR_TESTS_UNIT_BENCH_RESULTS_H

#include "commands/bench/result.h"

/* Something other than 0 in every member, in every cause, with 20 intervals. */
struct result *bench_result_full(const char *scenario);

/* Nobody could connect. */
struct result *bench_result_refused(void);

void bench_result_free(struct result *result);

#endif
