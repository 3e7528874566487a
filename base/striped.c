/* striped.c - see striped.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/striped.h"

unsigned striped_index(void) {
    static _Atomic unsigned threads;
    static _Thread_local unsigned own; /* the index + 1; 0: not assigned yet */
    if (own == 0) {
        unsigned before = atomic_fetch_add(&threads, 1);
        own = 1 + (before < SHARED_STRIPE ? before : SHARED_STRIPE);
    }
    return own - 1;
}

int64_t striped_sum(const struct striped *striped) {
    uint64_t sum = 0;
    for (unsigned i = 0; i < STRIPES; i++)
        sum += atomic_load_explicit(&striped->stripes[i].value, memory_order_relaxed);
    return (int64_t)sum;
}
