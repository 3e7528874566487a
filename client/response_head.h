/* response_head.h - the lines of an HTTP response's head, before or after it is split: a line ends at a CR, an LF
 * or a zero byte. Internal to client_handshake*.c.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CLIENT_RESPONSE_HEAD_H
#define WEIR_CLIENT_RESPONSE_HEAD_H

#include <stdbool.h>
#include <stddef.h>

struct head_line {
    const char *text;
    size_t size;
};

/* Takes the next line off the rest of the head. False after the last one. */
bool response_head_next_line(const char **at, const char *end, struct head_line *line);

/* True if the line is the header `name`, in any case; *value is its value. */
bool response_head_has_name(struct head_line line, const char *name, struct head_line *value);

/* Returns how often the header occurs; *value is the value of the first. */
size_t response_head_find(const char *head, size_t head_size, const char *name, struct head_line *value);

/* Returns the status, or 0 if the first line has none; *reason is the text after it. */
int response_head_status(const char *head, size_t head_size, struct head_line *reason);

bool response_head_is_blank(char character);

/* Returns the text without the blanks around it. */
struct head_line response_head_trim(struct head_line line);

#endif
