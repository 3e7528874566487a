/* stamp.h - a moment in four bytes: milliseconds of the monotonic clock (pool_now()) without their upper half. Who
 * knows what time it is now can tell which moment is meant, from 48 days before to 37 hours ahead; no timeout is
 * longer than 24 hours. What is older is taken for one of those 37 hours: a deadline may then be late by as much,
 * but comes. Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CORE_STAMP_H
#define WEIR_CORE_STAMP_H

#include <stdint.h>

typedef uint32_t stamp;

enum { STAMP_NONE = 0 };

/* Of the one moment in 49 days that would be none, the millisecond before it: a timer that fires at that moment
 * finds that it has come. */
static inline stamp stamp_at(uint64_t time) {
    return (stamp)time == STAMP_NONE ? UINT32_MAX : (stamp)time;
}

/* Not of STAMP_NONE. */
static inline uint64_t stamp_time(stamp moment, uint64_t now) {
    const uint32_t ahead_max = UINT32_C(1) << 27, ahead = moment - (uint32_t)now;
    return ahead <= ahead_max ? now + ahead : now - ((uint32_t)now - moment);
}

#endif
