/* schedule.h - when an open loop sends its messages: at even intervals, regardless of earlier messages. Time is
 * an argument, in nanoseconds.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BENCH_LOAD_SCHEDULE_H
#define WEIR_BENCH_LOAD_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

struct schedule {
    uint64_t begin;
    double interval; /* nanoseconds between two messages */
    uint64_t taken;
};

/* Starts a schedule of `rate` messages per second, above 0, the first at `begin`. */
struct schedule schedule_start(uint64_t begin, double rate);

/* Returns when the next message is due. */
uint64_t schedule_next(const struct schedule *schedule);

/* If the next message is due, takes it and sets *time to when it was due. */
bool schedule_take(struct schedule *schedule, uint64_t now, uint64_t *time);

#endif
