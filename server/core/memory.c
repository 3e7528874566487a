/* memory.c - see memory.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/core/memory.h"

#include <malloc.h>

#include "base/thread_counter.h"

static struct thread_counter used;
static _Thread_local int64_t own, looked_at; /* what this thread has counted in all, and at its last look */

void memory_count(int64_t bytes) {
    own += bytes;
    thread_counter_add(&used, bytes);
}

size_t memory_of_block(const void *block) {
    return block == NULL ? 0 : malloc_usable_size((void *)(uintptr_t)block) + sizeof(size_t);
}

void memory_count_block(void *block) {
    memory_count((int64_t)memory_of_block(block));
}

void memory_uncount_block(void *block) {
    memory_count(-(int64_t)memory_of_block(block));
}

bool memory_has_grown(int64_t step) {
    if (own < looked_at)
        looked_at = own;
    if (own - looked_at < step)
        return false;
    looked_at = own;
    return true;
}

int64_t memory_used(void) {
    return thread_counter_sum(&used);
}
