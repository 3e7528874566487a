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

#include "pool/buckets.h"
#include "pool/poller.h"
#include "pool/task.h"
#include "pool/timers.h"

enum { POOL_LOCK_RANK = 30 };

struct pool;

/* A limit on how many handler tasks of one kind run at once. Belongs to the user, who sets `limit` before the first
 * task, then by pool_set_lane_limit(); the rest is the pool's, under its mutex. */
struct lane {
    unsigned limit; /* 0: none */
    unsigned running;
    unsigned wary; /* runs to come before which another thread is woken: a recent one stalled */
    struct task_list waiting;
};

struct pool_options {
    unsigned workers;    /* handler slots, 1 or more */
    unsigned wake_after; /* tasks that wait before one more thread is woken at once, 1 or more: see wants_help() */
    size_t scratch_size; /* bytes of pool_scratch() */
    void (*thread_begins)(void); /* called by each thread that runs tasks; NULL: nothing */

    /* Called by the monitor when all slots are held and a handler task has waited for one for more than a second;
     * at most once in ten seconds. NULL: nothing. */
    void (*starved)(void *context, uint64_t waited_ms);
    void *context;
};

/* NULL with errno if memory or descriptors are out. Threads run from pool_start() on. */
struct pool *pool_create(const struct pool_options *options);
int pool_start(struct pool *pool); /* 0, or an errno; then nothing runs */

/* Ends the threads once their current tasks return, at the latest at `deadline` (pool_now()). What is still queued
 * is dropped, and so is what is submitted later. Returns false if a task was still running then: that thread, and
 * the pool, must be left alone. */
bool pool_stop(struct pool *pool, uint64_t deadline);

/* After a pool_stop() that returned true, or without a pool_start(). Each lane first, then the pool. */
void pool_drop_lane(struct lane *lane);
void pool_destroy(struct pool *pool);

/* Changes a lane's limit while its tasks run and wait. */
void pool_set_lane_limit(struct pool *pool, struct lane *lane, unsigned limit);

/* Calls `visit` for each handler task that is running now, under the pool's mutex. `held_ms`: how long it has held
 * its slot; 0 if that is less than some milliseconds. */
void pool_each_running(struct pool *pool, void (*visit)(struct task *task, uint64_t held_ms, void *arg), void *arg);

/* What the pool is about, for metrics. The waits are a sample: at most one task in 64 of each queue, the last of
 * those that were queued together, in microseconds until a thread has taken it. */
struct pool_figures {
    unsigned workers, busy;  /* handler slots, those held */
    size_t io, handler;      /* tasks that wait in each queue, without those that wait in lanes */
    uint64_t tasks;          /* taken, ever */
    uint64_t polls, wakeups; /* ever: times that a thread polled, that another was woken */
    const struct buckets *io_waits, *handler_waits;
};

void pool_figures(struct pool *pool, struct pool_figures *figures);

/* The handler tasks of a lane: running, waiting for others of it. */
void pool_lane_figures(struct pool *pool, const struct lane *lane, unsigned *running, size_t *waiting);

/* Milliseconds, microseconds of the monotonic clock. */
uint64_t pool_now(void);
uint64_t pool_now_us(void);

/* --- Tasks --- */

/* Queues a task unless that has been done already (task_claim). */
void pool_submit(struct pool *pool, struct task *task);

/* Queues tasks that the caller has claimed, all with one lock; empties the list. */
void pool_submit_list(struct pool *pool, struct task_list *claimed);

/* Between these two, on a thread of the pool, what it submits by lists waits for a while: so what several messages
 * in a row have for one connection is one run of its task. */
void pool_hold(void);
void pool_let_go(struct pool *pool);
bool pool_is_holding(void); /* false on other threads */

/* The end of every run: gives the slot back if it held one, queues the task again if it was claimed meanwhile, else
 * releases it. */
void pool_finish(struct pool *pool, struct task *task);

/* The end of a run that began with task_borrow(). */
void pool_finish_borrowed(struct pool *pool, struct task *task);

/* Whether a handler task that is submitted now would find a slot, as far as one can tell. */
bool pool_has_slot(struct pool *pool);

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
