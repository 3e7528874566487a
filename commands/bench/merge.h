/* merge.h - `weir bench --merge a.json b.json`: combines the results of processes that ran at the same time. No
 * threads.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BENCH_MERGE_H
#define WEIR_BENCH_MERGE_H

#include "commands/bench/settings.h"

/* Loads the files, which must be of the same scenario and of the same time, adds them up, and reports the sum as
 * the settings say (json_path, html_path, conditions). Returns the exit status. */
int bench_merge(char *const *paths, unsigned count, const struct settings *settings);

#endif
