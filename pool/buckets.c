/* buckets.c - see buckets.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool/buckets.h"

/* clang-format off */
bucket_bounds buckets_microseconds = {
    50, 75, 100, 150, 200, 300, 500, 750,
    1000, 1500, 2000, 3000, 5000, 7500, 10000, 15000, 20000, 30000, 50000, 75000,
    100000, 150000, 200000, 300000, 500000, 750000, 1000000, 1500000, 2000000, 3000000, 5000000, 7500000, 10000000};
/* clang-format on */
bucket_bounds buckets_numbers = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000};

void buckets_add(struct buckets *buckets, bucket_bounds bounds, uint64_t value) {
    unsigned i = 0;
    while (bounds[i] != 0 && value > bounds[i])
        i++;
    atomic_fetch_add_explicit(&buckets->counts[i], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&buckets->sum, value, memory_order_relaxed);
}
