/* quantity.h - numbers with units on the command line. Pure functions.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CONNECT_QUANTITY_H
#define WEIR_CONNECT_QUANTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "2", "0.5": seconds, at most a year, rounded up to whole milliseconds. False: it is none, *milliseconds is left
 * alone. */
bool quantity_seconds(const char *text, uint64_t *milliseconds);

/* "512", "64KiB", "1MiB", "1G": bytes; K, M and G are powers of 1024, with or without "iB". False: it is none, or
 * 0, or more than a size_t holds. */
bool quantity_size(const char *text, size_t *bytes);

#endif
