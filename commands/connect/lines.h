/* lines.h - assembles bytes, in pieces of any size, into lines. No input or output of its own; one thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CONNECT_LINES_H
#define WEIR_CONNECT_LINES_H

#include <stdbool.h>
#include <stddef.h>

/* All zero is a valid initial state. */
struct lines {
    char *bytes;
    size_t capacity;
    size_t start;   /* start of the next line */
    size_t scanned; /* no newline between start and here */
    size_t end;
};

/* Returns where to put the next bytes: at least one, at most *size. NULL if memory runs out. Lines handed out
 * before become invalid. */
char *lines_space(struct lines *lines, size_t *size);
void lines_filled(struct lines *lines, size_t size);

/* Takes the next line, without its newline but with a terminator; the caller may change it. With `last`, a rest
 * without a newline is a line too, unless it is empty. False if there is no complete line. */
bool lines_next(struct lines *lines, bool last, char **line, size_t *size);

void lines_release(struct lines *lines);

#endif
