/* log_buffer.c - see log_buffer.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/log/log_buffer.h"

#include <stdlib.h>
#include <string.h>

int log_buffer_init(struct log_buffer *buffer, size_t capacity) {
    *buffer = (struct log_buffer){.bytes = malloc(capacity), .capacity = capacity};
    return buffer->bytes == NULL ? -1 : 0;
}

void log_buffer_release(struct log_buffer *buffer) {
    free(buffer->bytes);
    *buffer = (struct log_buffer){0};
}

bool log_buffer_push(struct log_buffer *buffer, const char *line, size_t size) {
    if (size > buffer->capacity - buffer->size)
        return false;
    if (buffer->size == 0)
        buffer->first = 0; /* most lines then reuse the same bytes, which are cached and resident */
    size_t end = buffer->first + buffer->size;
    size_t at = end < buffer->capacity ? end : end - buffer->capacity;
    size_t before_edge = size < buffer->capacity - at ? size : buffer->capacity - at;
    memcpy(buffer->bytes + at, line, before_edge);
    memcpy(buffer->bytes, line + before_edge, size - before_edge);
    buffer->size += size;
    return true;
}

size_t log_buffer_take(struct log_buffer *buffer, char *out, size_t room) {
    size_t size = buffer->size < room ? buffer->size : room;
    size_t before_edge = buffer->capacity - buffer->first;
    if (size == 0)
        return 0;
    before_edge = size < before_edge ? size : before_edge;
    memcpy(out, buffer->bytes + buffer->first, before_edge);
    memcpy(out + before_edge, buffer->bytes, size - before_edge);
    const char *last = memrchr(out, '\n', size);
    size = last == NULL ? 0 : (size_t)(last - out) + 1;
    buffer->first = (buffer->first + size) % buffer->capacity;
    buffer->size -= size;
    return size;
}
