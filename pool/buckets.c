/* buckets.c - see buckets.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool/buckets.h"

bucket_bounds buckets_microseconds = {50,    100,    250,    500,    1000,    2500,    5000,    10000,   25000,
                                      50000, 100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000};
bucket_bounds buckets_numbers = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000};

void buckets_add(struct buckets *buckets, bucket_bounds bounds, uint64_t value) {
    unsigned i = 0;
    while (bounds[i] != 0 && value > bounds[i])
        i++;
    atomic_fetch_add_explicit(&buckets->counts[i], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&buckets->sum, value, memory_order_relaxed);
}
