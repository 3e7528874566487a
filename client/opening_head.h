/* opening_head.h - the lines of an HTTP answer's head, whether they have been cut apart yet or not: a line ends at
 * a CR, an LF or a zero byte. Internal to opening_*.c.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CLIENT_OPENING_HEAD_H
#define WEIR_CLIENT_OPENING_HEAD_H

#include <stdbool.h>
#include <stddef.h>

struct line {
    const char *text;
    size_t size;
};

/* Cuts the next line off what is left of the head. False after the last. */
bool head_next_line(const char **at, const char *end, struct line *line);

/* If the line is the header `name`, in any case, its value. */
bool head_has_name(struct line line, const char *name, struct line *value);

/* How often the header comes; *value is that of the first. */
size_t head_find(const char *head, size_t head_size, const char *name, struct line *value);

/* The status, 0 if the first line has none; *reason is what follows it. */
int head_status(const char *head, size_t head_size, struct line *reason);

bool head_is_blank(char character);

/* Without the blanks around it. */
struct line head_trim(struct line line);

#endif
