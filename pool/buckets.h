/* buckets.h - how often values fell into which of a few fixed ranges. Any thread adds, without locks.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_POOL_BUCKETS_H
#define WEIR_POOL_BUCKETS_H

#include <stdatomic.h>
#include <stdint.h>

enum { BUCKETS_MAX = 132 };

/* Upper bounds in rising order; 0 ends them. What is above the last belongs to one bucket more. Whoever reads a
 * quantile from buckets may be off by the width of one: those of times are the E24 series, a tenth wide each. */
typedef const uint64_t bucket_bounds[BUCKETS_MAX];

extern bucket_bounds buckets_microseconds; /* 50 us to 10 s */
extern bucket_bounds buckets_numbers;      /* 1 to 100,000 */

/* All zero is an empty one. */
struct buckets {
    _Atomic uint64_t counts[BUCKETS_MAX];
    _Atomic uint64_t sum;
};

void buckets_add(struct buckets *buckets, bucket_bounds bounds, uint64_t value);

#endif
