/* timers.h - deadlines in one binary heap. It reads no clock: `now` comes in as an argument, in milliseconds. No
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

enum { TIMERS_NONE = 0 }; /* the place of a timer that is not set */

/* Embedded in its owner, together with the task to queue at the deadline. */
struct timer {
    uint64_t deadline;
    uint32_t place;        /* index in the heap, counted from 1; TIMERS_NONE: not set */
    int32_t task_distance; /* bytes from here to the task */
};

/* Initializes a timer that is not set. The task must be part of the same struct. */
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

/* Sets or moves a deadline. Returns -1 if memory is exhausted; then the timer is unchanged. */
int timers_set(struct timers *timers, struct timer *timer, uint64_t deadline);

/* Returns whether the timer was set. Does nothing if it was not. */
bool timers_cancel(struct timers *timers, struct timer *timer);

/* Returns the earliest deadline, or UINT64_MAX if there is none. */
uint64_t timers_next(const struct timers *timers);

/* Removes and returns one timer that is due at `now`, the earliest first; NULL if none is due. */
struct timer *timers_expire(struct timers *timers, uint64_t now);

void timers_release(struct timers *timers);

#endif
