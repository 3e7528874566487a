/* atomic_histogram.h - counts values in a fixed set of ranges. Any thread may add, without locks.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BASE_ATOMIC_HISTOGRAM_H
#define WEIR_BASE_ATOMIC_HISTOGRAM_H

#include <stdatomic.h>
#include <stdint.h>

enum { ATOMIC_HISTOGRAM_MAX = 132 };

/* Upper bounds in ascending order, ended by 0. Values above the last bound go into one extra bucket. A quantile
 * read from it may be off by the width of one bucket. The bounds for times follow the E24 series, so each
 * bucket is about a tenth wide. */
typedef const uint64_t histogram_bounds[ATOMIC_HISTOGRAM_MAX];

extern histogram_bounds atomic_histogram_microseconds; /* 51 us to 10 s */
extern histogram_bounds atomic_histogram_numbers;      /* 1 to 100,000 */

/* All zero is an empty histogram. */
struct atomic_histogram {
    _Atomic uint64_t counts[ATOMIC_HISTOGRAM_MAX];
    _Atomic uint64_t sum;
};

void atomic_histogram_add(struct atomic_histogram *histogram, histogram_bounds bounds, uint64_t value);

#endif
