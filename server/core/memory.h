/* memory.h - bytes that clients have filled: messages on their way to them, waiting for handlers, under way from
 * them; long paths, headers, subscriptions, channels. Of all servers of the process together. Any thread, no locks.
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

/* What malloc() has taken for a block, its own part with it; 0 for NULL. */
size_t memory_of_block(const void *block);

/* Counts a block, after it has been allocated; before it is freed. NULL is allowed. */
void memory_count_block(void *block);
void memory_uncount_block(void *block);

/* True once for every quarter of a megabyte by which this thread has allocated more than it freed: it is time to
 * look at memory_used(), which costs more. */
bool memory_has_grown(void);

int64_t memory_used(void);

#endif
