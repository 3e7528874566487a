/* lines.h - bytes in any pieces to lines. No input or output of its own; one thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CONNECT_LINES_H
#define WEIR_CONNECT_LINES_H

#include <stdbool.h>
#include <stddef.h>

/* All zero is the beginning. */
struct lines {
    char *bytes;
    size_t capacity;
    size_t start;   /* of the next line */
    size_t scanned; /* no newline between start and here */
    size_t end;
};

/* Where to put the next bytes, at least one and *size of them at most; NULL: memory is out. Lines that were handed
 * out are no longer valid. */
char *lines_space(struct lines *lines, size_t *size);
void lines_filled(struct lines *lines, size_t size);

/* The next line, without its newline but with a terminator, to be changed at will. With `last`, what has no newline
 * is a line too, unless it is empty. False: there is no whole line. */
bool lines_next(struct lines *lines, bool last, char **line, size_t *size);

void lines_release(struct lines *lines);

#endif
