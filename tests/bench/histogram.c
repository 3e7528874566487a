/* histogram.c - see histogram.h. A bucket's number is the exponent of its values and the seven bits that follow
 * their highest one.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/bench/histogram.h"

#include <stddef.h>

enum { STEPS = 1 << HISTOGRAM_STEP_BITS };

static size_t bucket_of(uint64_t value) {
    const uint64_t largest = (UINT64_C(1) << HISTOGRAM_VALUE_BITS) - 1;
    if (value < STEPS)
        return (size_t)value;
    if (value > largest)
        value = largest;
    unsigned shift = 63u - (unsigned)__builtin_clzll(value) - HISTOGRAM_STEP_BITS;
    return ((size_t)shift << HISTOGRAM_STEP_BITS) + (size_t)(value >> shift);
}

/* The middle of the values that fall into a bucket. */
static uint64_t value_of(size_t bucket) {
    if (bucket < STEPS)
        return bucket;
    size_t shift = (bucket >> HISTOGRAM_STEP_BITS) - 1;
    uint64_t lowest = (uint64_t)(bucket - (shift << HISTOGRAM_STEP_BITS)) << shift;
    return lowest + (UINT64_C(1) << shift) / 2;
}

void histogram_record(struct histogram *histogram, uint64_t nanoseconds) {
    histogram->buckets[bucket_of(nanoseconds)]++;
    histogram->count++;
    if (nanoseconds > histogram->maximum)
        histogram->maximum = nanoseconds;
}

void histogram_add(struct histogram *to, const struct histogram *from) {
    for (size_t i = 0; i < HISTOGRAM_SIZE; i++)
        to->buckets[i] += from->buckets[i];
    to->count += from->count;
    if (from->maximum > to->maximum)
        to->maximum = from->maximum;
}

uint64_t histogram_percentile(const struct histogram *histogram, double percent) {
    double exact = (double)histogram->count * percent / 100.0;
    uint64_t wanted = (uint64_t)exact, seen = 0;
    if ((double)wanted < exact)
        wanted++;
    for (size_t i = 0; i < HISTOGRAM_SIZE; i++) {
        seen += histogram->buckets[i];
        if (seen >= wanted && seen > 0) {
            uint64_t value = value_of(i);
            return value < histogram->maximum ? value : histogram->maximum;
        }
    }
    return histogram->maximum;
}
