/* buckets.h - counts values in a fixed set of ranges. Any thread may add, without locks.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BASE_BUCKETS_H
#define WEIR_BASE_BUCKETS_H

#include <stdatomic.h>
#include <stdint.h>

enum { BUCKETS_MAX = 132 };

/* Upper bounds in ascending order, ended by 0. Values above the last bound go into one extra bucket. A quantile
 * read from buckets may be off by the width of one bucket. The bounds for times follow the E24 series, so each
 * bucket is about a tenth wide. */
typedef const uint64_t bucket_bounds[BUCKETS_MAX];

extern bucket_bounds buckets_microseconds; /* 51 us to 10 s */
extern bucket_bounds buckets_numbers;      /* 1 to 100,000 */

/* All zero is an empty set. */
struct buckets {
    _Atomic uint64_t counts[BUCKETS_MAX];
    _Atomic uint64_t sum;
};

void buckets_add(struct buckets *buckets, bucket_bounds bounds, uint64_t value);

#endif
