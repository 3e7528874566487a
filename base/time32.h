/* time32.h - a moment in four bytes: milliseconds of the monotonic clock (pool_now()) without their upper half.
 * Given the current time, the moment is unambiguous from 48 days in the past to 37 hours ahead; no timeout is
 * longer than 24 hours. An older moment is taken for one within those 37 hours: a deadline may then be late by as
 * much, but it comes. Pure functions.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BASE_TIME32_H
#define WEIR_BASE_TIME32_H

#include <stdint.h>

typedef uint32_t time32;

enum { TIME32_NONE = 0 };

/* One moment in 49 days would equal TIME32_NONE; it becomes the millisecond before, so that a timer which fires at
 * that moment finds that it has come. */
static inline time32 time32_from(uint64_t time) {
    return (time32)time == TIME32_NONE ? UINT32_MAX : (time32)time;
}

/* The time in 64 bits. Not for TIME32_NONE. */
static inline uint64_t time32_expand(time32 moment, uint64_t now) {
    const uint32_t ahead_max = UINT32_C(1) << 27, ahead = moment - (uint32_t)now;
    return ahead <= ahead_max ? now + ahead : now - ((uint32_t)now - moment);
}

#endif
