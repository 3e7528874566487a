/* pool.h - a fixed number of threads that run tasks, poll descriptors and keep deadlines. It knows nothing of
 * WebSockets.
 *
 * Up to `workers` handler tasks run at once, and each may block. There is one thread more, so that polling,
 * reading and sending go on whatever the handlers do. Two queues share one mutex; `io` goes first, but only for a
 * limited number of tasks in a row. A thread that has nothing to run polls if no other thread does, and sleeps
 * otherwise. The thread that polled also works on what it found, so the common case needs no hand-over and no
 * wake-up. A monitor checks every millisecond whether runnable tasks get to run, and wakes a thread if they do
 * not.
 *
 * Each queue is first in, first out. A task never runs on two threads at once; tasks of different owners have no
 * order.
 *
 * Any thread may call every function, unless its comment says otherwise. The pool's mutex ranks above those of its
 * users, so they may hold their own locks when they call.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_POOL_POOL_H
#define WEIR_POOL_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/atomic_histogram.h"
#include "pool/poller.h"
#include "pool/task.h"
#include "pool/timers.h"

enum { POOL_LOCK_RANK = 30 };

struct pool;

/* A limit on how many handler tasks of one kind run at once. It belongs to the user, which sets `max` before the
 * first task and later through pool_set_concurrency(). The other fields belong to the pool and are guarded by its
 * mutex. */
struct concurrency_limit {
    unsigned max; /* 0: no limit */
    unsigned running;
    unsigned stall_history; /* runs left before each of which another thread is woken, because a handler stalled
                               recently */
    struct task_list waiting;
};

struct pool_options {
    unsigned workers;            /* handler permits, 1 or more */
    unsigned wake_threshold;     /* tasks that must wait before one more thread is woken at once, 1 or more: see
                                wake.h */
    size_t scratch_size;         /* bytes of pool_scratch() */
    void (*thread_begins)(void); /* called by each thread that runs tasks, when it begins; NULL: nothing is
                                    called */

    /* Called by the monitor when all permits are held and a handler task has waited for one for more than a second.
     * Called at most once in ten seconds. NULL: nothing is called. */
    void (*starved)(void *context, uint64_t waited_ms);
    void *context;
};

/* Returns NULL with errno if memory or descriptors are exhausted. The threads run from pool_start() on. */
struct pool *pool_create(const struct pool_options *options);
int pool_start(struct pool *pool); /* returns 0, or an errno: then no thread runs */

/* Ends each thread once its current task returns, and waits for them until `deadline` (pool_now()). Tasks that are
 * still queued are dropped, and so are tasks submitted later. Returns false if a task was still running at the
 * deadline: then that thread and the pool must be left alone. */
bool pool_stop(struct pool *pool, uint64_t deadline);

/* To be called after a pool_stop() that returned true, or without a pool_start(). Drop the tasks of each
 * concurrency limit first, then destroy the pool. */
void pool_drop_concurrency(struct concurrency_limit *limit);
void pool_destroy(struct pool *pool);

/* Changes a concurrency limit. Its tasks may be running and waiting meanwhile. */
void pool_set_concurrency(struct pool *pool, struct concurrency_limit *limit, unsigned max);

/* Calls `visit` for each handler task that is running now, under the pool's mutex. `held_ms` is how long it has
 * held its permit, to within a few milliseconds; 0 if that is less than a few milliseconds. */
void pool_each_running(struct pool *pool, void (*visit)(struct task *task, uint64_t held_ms, void *arg), void *arg);

/* Statistics of a pool, for metrics. The waits are a sample: at most one task in 64 of each queue. The sampled task
 * is the last of those that were queued together. Its wait is the time until a thread takes it, in
 * microseconds. */
struct pool_statistics {
    unsigned workers, busy; /* handler permits; how many of them are held */
    size_t io, handler; /* tasks that wait in each queue, not counting those that wait for a concurrency limit */
    uint64_t tasks;     /* tasks taken since the pool was created */
    uint64_t polls, wakeups; /* since then: how often a thread polled, or was woken */
    const struct atomic_histogram *io_waits, *handler_waits;
};

void pool_statistics(struct pool *pool, struct pool_statistics *statistics);

/* The handler tasks of a concurrency limit: how many are running, and how many wait because the concurrency limit
 * is reached. */
void pool_concurrency_statistics(struct pool *pool, const struct concurrency_limit *limit, unsigned *running,
                                 size_t *waiting);

/* The monotonic clock in milliseconds, and in microseconds. */
uint64_t pool_now(void);
uint64_t pool_now_us(void);

/* --- Tasks --- */

/* Queues a task, unless a run of it is certain already (task_claim). */
void pool_submit(struct pool *pool, struct task *task);

/* Queues tasks that the caller has claimed, under one lock, and empties the list. */
void pool_submit_list(struct pool *pool, struct task_list *claimed);

/* Between pool_defer() and pool_submit_deferred() on a thread of the pool, tasks that this thread submits in lists
 * are held for a few milliseconds at most. So the work that several messages in a row cause for one connection is
 * one run of its task. */
void pool_defer(void);
void pool_submit_deferred(struct pool *pool);
bool pool_is_deferring(void); /* false on other threads */

/* Ends every run. Gives back the permit if the task held one; then queues the task again if it was claimed during
 * the run, and releases it otherwise. */
void pool_finish(struct pool *pool, struct task *task);

/* Ends a run that began with task_borrow(). */
void pool_finish_borrowed(struct pool *pool, struct task *task);

/* Whether a permit is free now, so that a handler task submitted now would probably find one. */
bool pool_has_permit(struct pool *pool);

/* --- Descriptors --- */

/* Watches a descriptor. Returns 0, or -1 with errno. The source's tasks may be queued before this returns. */
int pool_watch(struct pool *pool, struct source *source, int fd);

/* To be called by the flush task after a write found the socket full. Queues that task when there is room again,
 * at once if there is room already. */
void pool_await_room(struct pool *pool, struct source *source, int fd);

/* To be called before the descriptor is closed. The pool never queues the source's tasks again after this. */
void pool_unwatch(struct pool *pool, struct source *source, int fd);

/* --- Deadlines: the timer's task is queued at `deadline` or a little later. -1: memory is exhausted. --- */
int pool_set_timer(struct pool *pool, struct timer *timer, uint64_t deadline);
bool pool_cancel_timer(struct pool *pool, struct timer *timer);

/* --- On a thread of the pool, inside a run --- */

/* scratch_size bytes for this thread alone, until the run ends. */
void *pool_scratch(void);

/* Turns the io run into a handler run of `task`, which the caller has taken with task_begin(). From then on the
 * run may block. Returns false if that is not allowed now: no permit is free, the concurrency limit is reached, or
 * other tasks wait for theirs. pool_finish(task) gives the permit back. */
bool pool_enter_handler(struct task *task);

/* True if the handler on this thread has run so long that on_stall was queued. From then on it must not put
 * anything off until it returns. False on other threads. */
bool pool_is_stalled(void);

#endif
