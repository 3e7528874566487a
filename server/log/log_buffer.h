/* log_buffer.h - a bounded queue of whole lines, as bytes in a ring. Whoever uses it locks.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_LOG_LOG_BUFFER_H
#define WEIR_LOG_LOG_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

/* All zero is one of no capacity. */
struct log_buffer {
    char *bytes;
    size_t capacity, first, size;
};

int log_buffer_init(struct log_buffer *buffer, size_t capacity); /* -1 if memory is out */
void log_buffer_release(struct log_buffer *buffer);

/* A line, with its newline. False if there is no room. */
bool log_buffer_push(struct log_buffer *buffer, const char *line, size_t size);

/* Moves as many whole lines as fit into `room` bytes of `out`. No line may be longer than that. Returns how many
 * bytes they are. */
size_t log_buffer_take(struct log_buffer *buffer, char *out, size_t room);

#endif
