/* thread_counter.h - a count that many threads change and few read. Each thread has its own stripe, so threads do
 * not contend for cache lines and need no locked instruction. Any thread, no locks.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BASE_THREAD_COUNTER_H
#define WEIR_BASE_THREAD_COUNTER_H

#include <stdatomic.h>
#include <stdint.h>

enum { STRIPES = 64, SHARED_STRIPE = STRIPES - 1, CACHE_LINE = 64 };

/* All zero is a count of 0. */
struct thread_counter {
    struct {
        _Atomic uint64_t value;
        char padding[CACHE_LINE - sizeof(uint64_t)];
    } stripes[STRIPES];
};

/* Returns this thread's stripe. Each of the first threads to ask gets its own, for good; all later threads share
 * the last one. */
unsigned thread_counter_stripe(void);

/* Adds to a value that lies in this stripe, which must be this thread's. Returns the new value. */
static inline uint64_t stripe_add(_Atomic uint64_t *value, unsigned stripe, uint64_t change) {
    if (stripe == SHARED_STRIPE)
        return atomic_fetch_add_explicit(value, change, memory_order_relaxed) + change;
    uint64_t sum = atomic_load_explicit(value, memory_order_relaxed) + change; /* no other thread writes here */
    atomic_store_explicit(value, sum, memory_order_relaxed);
    return sum;
}

/* Returns the new value of this thread's stripe alone. */
static inline int64_t thread_counter_add(struct thread_counter *counter, int64_t change) {
    unsigned stripe = thread_counter_stripe();
    return (int64_t)stripe_add(&counter->stripes[stripe].value, stripe, (uint64_t)change);
}

/* Returns the sum over all threads. May miss what is being added at this moment. */
int64_t thread_counter_sum(const struct thread_counter *counter);

#endif
