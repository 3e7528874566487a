/* lines.c - splits a stream at its newlines.
 *
 * SPDX-License-Identifier: MIT
 */
#include "commands/connect/lines.h"

#include <stdlib.h>
#include <string.h>

enum { LEAST_SPACE = 65536 };

char *lines_space(struct lines *lines, size_t *size) {
    if (lines->start > 0) {
        lines->end -= lines->start;
        lines->scanned -= lines->start;
        memmove(lines->bytes, lines->bytes + lines->start, lines->end);
        lines->start = 0;
    }
    if (lines->capacity - lines->end <= LEAST_SPACE) {
        size_t capacity = 2 * (lines->capacity + LEAST_SPACE);
        char *bytes = realloc(lines->bytes, capacity);
        if (bytes == NULL)
            return NULL;
        lines->bytes = bytes;
        lines->capacity = capacity;
    }
    *size = lines->capacity - lines->end - 1; /* one byte stays free for the terminator of a last line */
    return lines->bytes + lines->end;
}

void lines_filled(struct lines *lines, size_t size) {
    lines->end += size;
}

bool lines_next(struct lines *lines, bool last, char **line, size_t *size) {
    size_t unseen = lines->end - lines->scanned;
    char *newline = unseen > 0 ? memchr(lines->bytes + lines->scanned, '\n', unseen) : NULL;
    if (newline == NULL && (!last || lines->start == lines->end)) {
        lines->scanned = lines->end;
        return false;
    }
    size_t end = newline != NULL ? (size_t)(newline - lines->bytes) : lines->end;
    *line = lines->bytes + lines->start;
    *size = end - lines->start;
    lines->bytes[end] = '\0';
    lines->start = lines->scanned = newline != NULL ? end + 1 : end;
    return true;
}

void lines_release(struct lines *lines) {
    free(lines->bytes);
    *lines = (struct lines){0};
}
