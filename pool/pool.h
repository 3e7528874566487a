/* pool.h - a fixed number of threads that run tasks, poll descriptors and keep deadlines. It knows nothing of
 * WebSockets.
 *
 * `workers` handler tasks may run at once, each of them may block; one thread more exists, so that whatever the
 * handlers do, polling, reading and sending go on. Two queues stand under one mutex: `io` goes first, but not for
 * ever. A thread with nothing to run polls if nobody does, else it sleeps. What polling found is worked on by the
 * thread that polled: no hand-over and no wake-up in the common case. A monitor looks every millisecond whether
 * tasks that could run get to run, and wakes a thread if not.
 *
 * Every function may be called from any thread unless it says otherwise. The pool's mutex ranks above those of its
 * users: they may hold theirs when they call.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_POOL_POOL_H
#define WEIR_POOL_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pool/poller.h"
#include "pool/task.h"
#include "pool/timers.h"

enum { POOL_LOCK_RANK = 30 };

struct pool;

/* A limit on how many handler tasks of one kind run at once. Belongs to the user, who sets `limit` before the first
 * task; the rest is the pool's, under its mutex. */
struct lane {
    unsigned limit; /* 0: none */
    unsigned running;
    unsigned wary; /* runs to come before which another thread is woken: a recent one stalled */
    struct task_list waiting;
};

struct pool_options {
    unsigned workers;    /* handler slots, 1 or more */
    size_t scratch_size; /* bytes of pool_scratch() */
};

/* NULL with errno if memory or descriptors are out. Threads run from pool_start() on. */
struct pool *pool_create(const struct pool_options *options);
int pool_start(struct pool *pool); /* 0, or an errno; then nothing runs */

/* Ends the threads once their current tasks return, at the latest at `deadline` (pool_now()). What is still queued
 * is dropped. Returns false if a task was still running then: that thread, and the pool, must be left alone. */
bool pool_stop(struct pool *pool, uint64_t deadline);

/* After a pool_stop() that returned true, or without a pool_start(). Each lane first, then the pool. */
void pool_drop_lane(struct lane *lane);
void pool_destroy(struct pool *pool);

/* Calls `visit` for each handler task that is running now, under the pool's mutex. */
void pool_each_running(struct pool *pool, void (*visit)(struct task *task, void *arg), void *arg);

/* Milliseconds, microseconds of the monotonic clock. */
uint64_t pool_now(void);
uint64_t pool_now_us(void);

/* --- Tasks --- */

/* Queues a task unless that has been done already (task_claim). */
void pool_submit(struct pool *pool, struct task *task);

/* Queues tasks that the caller has claimed, all with one lock; empties the list. */
void pool_submit_list(struct pool *pool, struct task_list *claimed);

/* The end of every run: gives the slot back if it held one, queues the task again if it was claimed meanwhile, else
 * releases it. */
void pool_finish(struct pool *pool, struct task *task);

/* --- Descriptors --- */

/* Watches a descriptor. Returns -1 with errno. The source's tasks may be queued before this returns. */
int pool_watch(struct pool *pool, struct source *source, int fd);

/* After a write found the socket full, by the flush task: queues that task when there is room again, be it now. */
void pool_await_room(struct pool *pool, struct source *source, int fd);

/* Never queues the source's tasks again after this. Before the descriptor is closed. */
void pool_unwatch(struct pool *pool, struct source *source, int fd);

/* --- Deadlines: the timer's task is queued at `deadline` or a little later. -1 if memory is out. --- */
int pool_set_timer(struct pool *pool, struct timer *timer, uint64_t deadline);
bool pool_cancel_timer(struct pool *pool, struct timer *timer);

/* --- On a thread of the pool, inside a run --- */

/* scratch_size bytes for this thread alone, until the run ends. */
void *pool_scratch(void);

/* Turns the io run into a handler run of `task`, which the caller has taken with task_begin(): from now on it may
 * block. False if that is not allowed now: no slot is free, the lane is full, or others wait for theirs. The slot
 * is given back by pool_finish(task). */
bool pool_enter_handler(struct task *task);

/* True if the handler that runs here has been running so long that on_stall was queued. From then on what it does
 * is not to be left until it returns. False on other threads. */
bool pool_is_stalled(void);

#endif
