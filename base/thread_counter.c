/* thread_counter.c - see thread_counter.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/thread_counter.h"

unsigned thread_counter_stripe(void) {
    static _Atomic unsigned threads;
    static _Thread_local unsigned own; /* the index + 1; 0: not assigned yet */
    if (own == 0) {
        unsigned before = atomic_fetch_add(&threads, 1);
        own = 1 + (before < SHARED_STRIPE ? before : SHARED_STRIPE);
    }
    return own - 1;
}

int64_t thread_counter_sum(const struct thread_counter *counter) {
    uint64_t sum = 0;
    for (unsigned i = 0; i < STRIPES; i++)
        sum += atomic_load_explicit(&counter->stripes[i].value, memory_order_relaxed);
    return (int64_t)sum;
}
