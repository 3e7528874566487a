/* histogram.h - counts of durations, log-linear: exact below 128 ns, then 128 steps to each power of two, so that a
 * percentile is at most 0.4 % off. For one thread; those of several are added up afterwards.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BENCH_HISTOGRAM_H
#define WEIR_BENCH_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

enum {
    HISTOGRAM_STEP_BITS = 7,
    HISTOGRAM_VALUE_BITS = 42, /* over an hour of nanoseconds; more counts as that */
    HISTOGRAM_SIZE = (HISTOGRAM_VALUE_BITS - HISTOGRAM_STEP_BITS + 1) << HISTOGRAM_STEP_BITS
};

/* All zero is an empty one. */
struct histogram {
    uint64_t count, maximum;
    uint64_t minimum; /* if count is not 0 */
    double sum;       /* for the mean */
    uint64_t buckets[HISTOGRAM_SIZE];
};

void histogram_record(struct histogram *histogram, uint64_t nanoseconds);
void histogram_add(struct histogram *to, const struct histogram *from);

/* The duration that `percent` of 100 of the recorded ones do not exceed, in nanoseconds; 0 if there are none. */
uint64_t histogram_percentile(const struct histogram *histogram, double percent);

/* Nanoseconds; 0 if there are none. */
double histogram_mean(const struct histogram *histogram);

/* The lowest value that falls into a bucket, and the one above its highest: to draw and to store what was counted.
 */
uint64_t histogram_bucket_low(size_t bucket);

#endif
