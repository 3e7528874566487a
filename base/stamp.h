/* stamp.h - a moment in four bytes: milliseconds of the monotonic clock (pool_now()) without their upper half.
 * Given the current time, the moment is unambiguous from 48 days in the past to 37 hours ahead; no timeout is
 * longer than 24 hours. An older moment is taken for one within those 37 hours: a deadline may then be late by as
 * much, but it comes. Pure functions.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BASE_STAMP_H
#define WEIR_BASE_STAMP_H

#include <stdint.h>

typedef uint32_t stamp;

enum { STAMP_NONE = 0 };

/* One moment in 49 days would equal STAMP_NONE; it becomes the millisecond before, so that a timer which fires at
 * that moment finds that it has come. */
static inline stamp stamp_at(uint64_t time) {
    return (stamp)time == STAMP_NONE ? UINT32_MAX : (stamp)time;
}

/* The time of a stamp. Not for STAMP_NONE. */
static inline uint64_t stamp_time(stamp moment, uint64_t now) {
    const uint32_t ahead_max = UINT32_C(1) << 27, ahead = moment - (uint32_t)now;
    return ahead <= ahead_max ? now + ahead : now - ((uint32_t)now - moment);
}

#endif
