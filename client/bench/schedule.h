/* schedule.h - when the messages of an open loop are to be sent: evenly, whatever became of those before. Time
 * comes in as an argument, in nanoseconds.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BENCH_SCHEDULE_H
#define WEIR_BENCH_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

struct schedule {
    uint64_t begin;
    double interval; /* nanoseconds between two */
    uint64_t taken;
};

/* `rate` a second, above 0, the first at `begin`. */
struct schedule schedule_start(uint64_t begin, double rate);

/* When the next one is to be sent. */
uint64_t schedule_next(const struct schedule *schedule);

/* If its time has come: takes it, and says when that was. */
bool schedule_take(struct schedule *schedule, uint64_t now, uint64_t *time);

#endif
