/* compare.h - `weir bench --compare a.json b.json`: two runs side by side. No threads.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BENCH_COMPARE_H
#define WEIR_BENCH_COMPARE_H

#include "commands/bench/settings.h"

/* Loads two files, which must be of the same scenario, prints both with their ratio, and writes the page that the
 * settings name. Returns the exit status. */
int bench_compare(char *const paths[2], const struct settings *settings);

#endif
