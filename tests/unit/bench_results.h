/* bench_results.h - results of load tests for the tests of reports. Each is in the heap; release and free it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_TESTS_UNIT_BENCH_RESULTS_H
#define WEIR_TESTS_UNIT_BENCH_RESULTS_H

#include "commands/bench/result.h"

/* Every member and every cause differs from 0; there are 20 intervals. */
struct result *bench_result_full(const char *scenario);

/* No client could connect. */
struct result *bench_result_refused(void);

void bench_result_free(struct result *result);

#endif
