/* settings_value.h - the values of `weir bench`'s options: text to numbers, durations, sizes, addresses. Pure
 * functions. Each parser returns NULL on success, else a phrase that continues `"20 sec" `.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BENCH_SETTINGS_VALUE_H
#define WEIR_BENCH_SETTINGS_VALUE_H

#include <stddef.h>
#include <stdint.h>

/* 1, 250, 1000000: digits alone. */
const char *settings_value_count(const char *text, unsigned *count);

/* 1000 or 0.5; not negative. */
const char *settings_value_number(const char *text, double *number);

/* 500ms, 10s, 1.5m, 2h; a number alone is seconds. In seconds. */
const char *settings_value_duration(const char *text, double *seconds);

/* 512, 64KiB, 1MiB. In bytes. */
const char *settings_value_size(const char *text, size_t *bytes);

/* 512 or 100-2000: the smallest and the largest. */
const char *settings_value_range(const char *text, size_t *least, size_t *most);

/* 127.0.0.2, 127.0.0.2-127.0.0.9, ::1, or several with commas between. Adds each address, in the heap, to `list`,
 * which has room for SETTINGS_SOURCES_MAX in all; *count grows. */
enum { SETTINGS_SOURCES_MAX = 65536 };
const char *settings_value_sources(const char *text, char **list, unsigned *count);

#endif
