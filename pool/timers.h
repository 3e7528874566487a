/* timers.h - deadlines in one binary heap. It knows no clock: `now` comes in as an argument, in milliseconds. No
 * locks: the pool guards its set with its own mutex.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_POOL_TIMERS_H
#define WEIR_POOL_TIMERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct task;

enum { TIMERS_NONE = 0 }; /* a place in no heap */

/* Embedded in its owner, like the task that is due then. */
struct timer {
    uint64_t deadline;
    uint32_t place;        /* index in the heap, counted from 1 */
    int32_t task_distance; /* bytes from here to the task */
};

/* One that is not set. The task is part of the same struct. */
static inline void timer_init(struct timer *timer, const struct task *task) {
    *timer = (struct timer){.task_distance = (int32_t)((const char *)task - (const char *)timer)};
}

static inline struct task *timer_task(struct timer *timer) {
    return (struct task *)((char *)timer + timer->task_distance);
}

struct timers {
    struct timer **heap;
    uint32_t count, capacity;
};

/* Sets or moves a deadline. Returns -1 if memory is out: the timer is then as it was. */
int timers_set(struct timers *timers, struct timer *timer, uint64_t deadline);

/* Does nothing to one that is not set. Returns whether it was. */
bool timers_cancel(struct timers *timers, struct timer *timer);

/* The earliest deadline, UINT64_MAX if there is none. */
uint64_t timers_next(const struct timers *timers);

/* Takes out one timer that is due at `now`, the earliest first; NULL if none is. */
struct timer *timers_expire(struct timers *timers, uint64_t now);

void timers_release(struct timers *timers);

#endif
