/* assertions.h - Check's assertions, without a cost while they hold, and the size of tables.
 *
 * Check writes the place of each assertion that holds to a pipe or file, to tell the last one before a crash. That
 * is most of the time of a suite with a million of them, under a sanitizer above all, which tells the place of a
 * crash itself. Those that fail are reported as ever.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_TESTS_UNIT_ASSERTIONS_H
#define WEIR_TESTS_UNIT_ASSERTIONS_H

#include <check.h>

#define _mark_point(file, line) ((void)0)

/* How many elements an array has, as a loop test takes it. */
#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

#endif
