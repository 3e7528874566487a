/* quantity.h - parses numbers with units from the command line. Pure functions.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CONNECT_QUANTITY_H
#define WEIR_CONNECT_QUANTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Parses seconds such as "2" or "0.5", at most a year, rounded up to whole milliseconds. If the text is not
 * valid, returns false and leaves *milliseconds unchanged. */
bool quantity_seconds(const char *text, uint64_t *milliseconds);

/* Parses bytes such as "512", "64KiB", "1MiB" or "1G"; K, M and G are powers of 1024, with or without "iB". False
 * if the text is not valid, is 0, or exceeds a size_t. */
bool quantity_size(const char *text, size_t *bytes);

#endif
