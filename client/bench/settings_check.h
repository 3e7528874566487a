/* settings_check.h - what the options of `weir bench` have to do with each other, and their help.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BENCH_SETTINGS_CHECK_H
#define WEIR_BENCH_SETTINGS_CHECK_H

#include <stdbool.h>
#include <stdio.h>

#include "client/bench/settings.h"

/* A size that no option has given. */
#define SETTINGS_UNSET SIZE_MAX

/* Fills in what was not given: counts of 0, sizes unset. False after it has said on stderr what does not go
 * together.
 */
bool settings_check(struct settings *settings);

void settings_help(FILE *out);

#endif
