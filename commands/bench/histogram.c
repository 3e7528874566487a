/* histogram.c - see histogram.h. A bucket's number consists of its values' exponent and the seven bits after
 * their highest one.
 *
 * SPDX-License-Identifier: MIT
 */
#include "commands/bench/histogram.h"

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

uint64_t histogram_bucket_low(size_t bucket) {
    if (bucket < STEPS)
        return bucket;
    size_t shift = (bucket >> HISTOGRAM_STEP_BITS) - 1;
    return (uint64_t)(bucket - (shift << HISTOGRAM_STEP_BITS)) << shift;
}

/* Returns the middle of the values that fall into a bucket. */
static uint64_t value_of(size_t bucket) {
    uint64_t low = histogram_bucket_low(bucket);
    return low + (histogram_bucket_low(bucket + 1) - low) / 2;
}

void histogram_record(struct histogram *histogram, uint64_t nanoseconds) {
    histogram->buckets[bucket_of(nanoseconds)]++;
    if (nanoseconds > histogram->maximum)
        histogram->maximum = nanoseconds;
    if (histogram->count == 0 || nanoseconds < histogram->minimum)
        histogram->minimum = nanoseconds;
    histogram->count++;
    histogram->sum += (double)nanoseconds;
}

void histogram_add(struct histogram *to, const struct histogram *from) {
    for (size_t i = 0; i < HISTOGRAM_SIZE; i++)
        to->buckets[i] += from->buckets[i];
    if (from->maximum > to->maximum)
        to->maximum = from->maximum;
    if (from->count > 0 && (to->count == 0 || from->minimum < to->minimum))
        to->minimum = from->minimum;
    to->count += from->count;
    to->sum += from->sum;
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

double histogram_mean(const struct histogram *histogram) {
    return histogram->count > 0 ? histogram->sum / (double)histogram->count : 0;
}
