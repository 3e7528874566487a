/* settings_value.h - parses the option values of `weir bench`: numbers, durations, sizes, addresses. Pure
 * functions. Each parser returns NULL on success, or else a phrase that continues `"20 sec" `.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BENCH_SETTINGS_VALUE_H
#define WEIR_BENCH_SETTINGS_VALUE_H

#include <stddef.h>
#include <stdint.h>

/* Parses 1, 250 or 1000000: digits only. */
const char *settings_value_count(const char *text, unsigned *count);

/* Parses 1000 or 0.5; not negative. */
const char *settings_value_number(const char *text, double *number);

/* Parses 500ms, 10s, 1.5m or 2h, into seconds; a number without a unit is seconds. */
const char *settings_value_duration(const char *text, double *seconds);

/* Parses 512, 64KiB or 1MiB, into bytes. */
const char *settings_value_size(const char *text, size_t *bytes);

/* Parses 512 or 100-2000, into the smallest and the largest size. */
const char *settings_value_range(const char *text, size_t *least, size_t *most);

/* Parses 127.0.0.2, 127.0.0.2-127.0.0.9 or ::1, or several separated by commas. Adds each address, in the heap,
 * to `list`, which has room for SETTINGS_SOURCES_MAX in total, and increases *count. */
enum { SETTINGS_SOURCES_MAX = 65536 };
const char *settings_value_sources(const char *text, char **list, unsigned *count);

#endif
