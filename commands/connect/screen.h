/* screen.h - computes where libedit has put the cursor. libedit does not say, and printing above the line being
 * edited requires it. A pure function; LC_CTYPE decides which characters are printable.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CONNECT_SCREEN_H
#define WEIR_CONNECT_SCREEN_H

#include <stddef.h>
#include <wchar.h>

/* Returns how many rows below the prompt's first row the cursor is. The cursor is before text[cursor] of a text
 * of `size` characters, on a terminal with `columns` columns, after a prompt of `indent` columns. */
unsigned screen_row(const wchar_t *text, size_t size, size_t cursor, unsigned indent, unsigned columns);

#endif
