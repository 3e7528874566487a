/* axis.h - the axes of the page's drawings: where a value lies, and which values are labelled. Pure functions.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BENCH_AXIS_H
#define WEIR_BENCH_AXIS_H

#include <stdbool.h>
#include <stddef.h>

enum { AXIS_TICKS_MAX = 16, AXIS_LABEL_SIZE = 32 };

struct tick {
    double value;
    char label[AXIS_LABEL_SIZE];
    bool minor; /* may be left out where there is little room */
};

struct axis {
    double low, high; /* low < high; if logarithmic, low > 0 */
    bool logarithmic;
    struct tick ticks[AXIS_TICKS_MAX];
    size_t tick_count;
};

/* From 0 to a round number that is not below `highest`. */
void axis_of_counts(struct axis *axis, double highest);

/* The same of shares from 0 to 1, labelled in percent. */
void axis_of_shares(struct axis *axis, double highest);

/* Nanoseconds, logarithmic, between round numbers. Labels of an upright axis stand closer together. */
void axis_of_durations(struct axis *axis, double lowest, double highest, bool upright);

/* Seconds since the beginning, from 0 to exactly `seconds`. */
void axis_of_time(struct axis *axis, double seconds);

/* Percentiles that `count` values can tell apart. The values are nines: 0 is 0 %, 1 is 90 %, 2 is 99 %. */
void axis_of_percentiles(struct axis *axis, double count);

/* 0 at the low end, 1 at the high one; what is beyond an end lies on it. */
double axis_place(const struct axis *axis, double value);

#endif
