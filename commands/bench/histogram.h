/* histogram.h - log-linear histograms of durations: exact below 128 ns, then 128 steps for each power of two, so
 * a percentile is off by at most 0.4 %. For one thread; histograms of several threads are added up afterwards.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BENCH_HISTOGRAM_H
#define WEIR_BENCH_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

enum {
    HISTOGRAM_STEP_BITS = 7,
    HISTOGRAM_VALUE_BITS = 42, /* more than an hour of nanoseconds; longer durations count as the maximum */
    HISTOGRAM_SIZE = (HISTOGRAM_VALUE_BITS - HISTOGRAM_STEP_BITS + 1) << HISTOGRAM_STEP_BITS
};

/* All zero is an empty histogram. */
struct histogram {
    uint64_t count, maximum;
    uint64_t minimum; /* valid if count is not 0 */
    double sum;       /* for the mean */
    uint64_t buckets[HISTOGRAM_SIZE];
};

void histogram_record(struct histogram *histogram, uint64_t nanoseconds);
void histogram_add(struct histogram *to, const struct histogram *from);

/* Returns the duration that `percent` % of those recorded do not exceed, in nanoseconds; 0 if there are none. */
uint64_t histogram_percentile(const struct histogram *histogram, double percent);

/* Returns the mean in nanoseconds; 0 if there are no durations. */
double histogram_mean(const struct histogram *histogram);

/* Returns the lowest value of a bucket; the next bucket's is one above its highest. Used to draw and store
 * counts. */
uint64_t histogram_bucket_low(size_t bucket);

#endif
