/* memory.h - bytes of messages that are in memory: on their way to clients, waiting for handlers, under way from
 * clients. Of all servers of the process together. Any thread, no locks.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CORE_MEMORY_H
#define WEIR_CORE_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

/* Counts bytes that have been allocated or, if negative, freed. */
void memory_count(int64_t bytes);

/* True once for every quarter of a megabyte by which this thread has allocated more than it freed: it is time to
 * look at memory_used(), which costs more. */
bool memory_has_grown(void);

int64_t memory_used(void);

#endif
