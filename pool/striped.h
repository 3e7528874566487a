/* striped.h - a count that many threads change and few read: each thread has a stripe of its own, so that they do
 * not wait for each other's cache lines. Any thread, no locks.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_POOL_STRIPED_H
#define WEIR_POOL_STRIPED_H

#include <stdatomic.h>
#include <stdint.h>

enum { STRIPES = 16, CACHE_LINE = 64 };

/* All zero is 0. */
struct striped {
    struct {
        _Atomic int64_t value;
        char padding[CACHE_LINE - sizeof(int64_t)];
    } stripes[STRIPES];
};

/* Which stripe is this thread's; two may share one. */
unsigned striped_index(void);

/* Returns the new value of this thread's stripe alone. */
static inline int64_t striped_add(struct striped *striped, int64_t change) {
    return atomic_fetch_add_explicit(&striped->stripes[striped_index()].value, change, memory_order_relaxed) +
           change;
}

/* What all have added; what is added meanwhile may be missing. */
int64_t striped_sum(const struct striped *striped);

#endif
