/* text.h - formats messages for people and pipes: escapes dangerous characters, writes bytes as hexadecimal
 * digits. Pure functions on memory and a FILE.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CONNECT_TEXT_H
#define WEIR_CONNECT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Prints text for a terminal. Whatever could move the cursor, or colour or reorder the screen (control
 * characters, including ESC and C1, line separators, bidirectional controls, tags), and bytes that are not UTF-8
 * become
 * , \r, \t, \x1b, \u202e or \U000e0001. A backslash stays a backslash, because the output is not meant to be
 * parsed. */
void text_show(FILE *out, const char *text, size_t size);

/* Prints text for a pipe. Each newline becomes a space, so that a message is one line and JSON keeps its meaning.
 */
void text_print_line(FILE *out, const char *text, size_t size);

/* Prints bytes as "00ff". */
void text_print_hex(FILE *out, const void *data, size_t size);

/* Converts pairs of hexadecimal digits, with optional blanks between the pairs, to bytes, in place. If the text
 * is not valid, returns false; `text` is then overwritten in part. */
bool text_read_hex(char *text, size_t size, size_t *bytes);

#endif
