/* screen.h - where libedit has put the cursor: it does not tell, and who wants to print above the line that is
 * being edited has to know. A pure function; LC_CTYPE decides what is printable.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CONNECT_SCREEN_H
#define WEIR_CONNECT_SCREEN_H

#include <stddef.h>
#include <wchar.h>

/* How many rows below the prompt's the cursor is, which stands before text[cursor] of a text of `size` characters,
 * on a terminal with so many columns, after a prompt of `indent` columns. */
unsigned screen_row(const wchar_t *text, size_t size, size_t cursor, unsigned indent, unsigned columns);

#endif
