/* assertions.h - Check's assertions, without a cost while they hold, and the size of tables.
 *
 * Check writes the place of each passed assertion to a pipe or file, to report the last one before a crash. A suite
 * with a million assertions would spend most of its time on that, most of all with a sanitizer, which reports the
 * place of a crash itself. Failed assertions are reported as usual.
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
