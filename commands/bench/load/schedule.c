/* schedule.c - see schedule.h. Each time is computed from the beginning, so errors do not accumulate.
 *
 * SPDX-License-Identifier: MIT
 */
#include "commands/bench/load/schedule.h"

struct schedule schedule_start(uint64_t begin, double rate) {
    return (struct schedule){.begin = begin, .interval = 1e9 / rate};
}

uint64_t schedule_next(const struct schedule *schedule) {
    double after = schedule->interval * (double)schedule->taken;
    return after < 9e18 ? schedule->begin + (uint64_t)after : UINT64_MAX;
}

bool schedule_take(struct schedule *schedule, uint64_t now, uint64_t *time) {
    *time = schedule_next(schedule);
    if (*time > now)
        return false;
    schedule->taken++;
    return true;
}
