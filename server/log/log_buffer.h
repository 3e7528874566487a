/* log_buffer.h - a bounded queue of whole lines, as bytes in a ring. The caller must hold a lock.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_LOG_LOG_BUFFER_H
#define WEIR_LOG_LOG_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

/* All zero is a buffer without capacity. */
struct log_buffer {
    char *bytes;
    size_t capacity, first, size;
};

/* Allocates `capacity` bytes. Returns 0, or -1 if memory is out. */
int log_buffer_init(struct log_buffer *buffer, size_t capacity);

/* Frees the bytes. The buffer is then all zero. */
void log_buffer_release(struct log_buffer *buffer);

/* Adds a line with its newline: `size` bytes. Returns false if there is no room. */
bool log_buffer_push(struct log_buffer *buffer, const char *line, size_t size);

/* Moves as many whole lines as fit into `room` bytes of `out`; no line may be longer than `room`. Returns the
 * number of bytes. */
size_t log_buffer_take(struct log_buffer *buffer, char *out, size_t room);

#endif
