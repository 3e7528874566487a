/* memory.h - counts the bytes that clients have filled: messages queued for them, waiting for handlers or arriving
 * from them; long paths, headers, subscriptions, channels. One count for all servers of the process. Any thread,
 * no locks.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CORE_MEMORY_H
#define WEIR_CORE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Counts bytes that have been allocated or, if negative, freed. */
void memory_count(int64_t bytes);

/* The bytes that malloc() has taken for a block, its own overhead included; 0 for NULL. */
size_t memory_of_block(const void *block);

/* Count a block after it has been allocated, and uncount it before it is freed. NULL is allowed. */
void memory_count_block(void *block);
void memory_uncount_block(void *block);

/* True once for every `step` bytes that this thread has counted beyond what it has uncounted. Then it is time to
 * check memory_used(), which costs more. */
bool memory_has_grown(int64_t step);

int64_t memory_used(void);

#endif
