/* settings_check.h - checks how the options of `weir bench` combine, and prints their help.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BENCH_SETTINGS_CHECK_H
#define WEIR_BENCH_SETTINGS_CHECK_H

#include <stdbool.h>
#include <stdio.h>

#include "commands/bench/settings.h"

/* A size that was not given. */
#define SETTINGS_UNSET SIZE_MAX

/* Fills in counts and sizes that were not given (0 and SETTINGS_UNSET). False after printing on stderr which
 * options do not fit together. */
bool settings_check(struct settings *settings);

void settings_help(FILE *out);

#endif
