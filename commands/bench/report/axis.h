/* axis.h - the axes of the page's drawings: the position of a value, and which values are labelled. Pure
 * functions.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BENCH_REPORT_AXIS_H
#define WEIR_BENCH_REPORT_AXIS_H

#include <stdbool.h>
#include <stddef.h>

enum { AXIS_TICKS_MAX = 16, AXIS_LABEL_SIZE = 32 };

struct tick {
    double value;
    char label[AXIS_LABEL_SIZE];
    bool minor; /* may be left out where space is short */
};

struct axis {
    double low, high; /* low < high; low > 0 if logarithmic */
    bool logarithmic;
    struct tick ticks[AXIS_TICKS_MAX];
    size_t tick_count;
};

/* An axis of counts, from 0 to a round number that is not below `highest`. */
void axis_of_counts(struct axis *axis, double highest);

/* An axis of shares, from 0 to a round share that is not below `highest`, labelled in percent. */
void axis_of_shares(struct axis *axis, double highest);

/* An axis of nanoseconds, logarithmic, between round numbers. Labels of an upright axis are closer together. */
void axis_of_durations(struct axis *axis, double lowest, double highest, bool upright);

/* An axis of seconds since the beginning, from 0 to exactly `seconds`. */
void axis_of_time(struct axis *axis, double seconds);

/* An axis of the percentiles that `count` values can distinguish. Its values are nines: 0 is 0 %, 1 is 90 %, 2 is
 * 99 %. */
void axis_of_percentiles(struct axis *axis, double count);

/* Returns 0 at the low end and 1 at the high end; values beyond an end are placed on it. */
double axis_place(const struct axis *axis, double value);

#endif
