/* text.h - messages as people and pipes see them: dangerous characters escaped, bytes as hexadecimal digits. Pure
 * functions on memory and a FILE.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CONNECT_TEXT_H
#define WEIR_CONNECT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* For a terminal: what could move the cursor, colour or reorder the screen (control characters, ESC and C1 among
 * them, line separators, bidirectional controls, tags) and what is no UTF-8 is printed as \n, \r, \t, \x1b, \u202e
 * or \U000e0001. A backslash stays a backslash: this is for reading, not for reading back. */
void text_show(FILE *out, const char *text, size_t size);

/* For a pipe: each newline becomes a space, so that a message is one line and JSON stays what it was. */
void text_print_line(FILE *out, const char *text, size_t size);

/* "00ff". */
void text_print_hex(FILE *out, const void *data, size_t size);

/* Hexadecimal digits in pairs, blanks between them allowed, to the bytes they mean, in place. False: it is
 * something else, and `text` is spoilt. */
bool text_read_hex(char *text, size_t size, size_t *bytes);

#endif
