/* pool_private.h - the inside of a pool, for the files of this folder that implement it: pool.c, polling.c,
 * wake.c, pool_life.c, pool_statistics.c, monitor.c, starvation.c. Who wakes whom is in wake.h.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_POOL_POOL_PRIVATE_H
#define WEIR_POOL_POOL_PRIVATE_H

#include "base/mutex.h"
#include "pool/pool.h"

struct worker {
    struct pool *pool; /* immutable; scratch is too */
    void *scratch;
    pthread_t thread;
    _Atomic bool stalled; /* set by the monitor; cleared when a handler begins and when it ends */

    /* Used by this thread alone: */
    bool defers;            /* it is between pool_defer() and pool_submit_deferred() */
    struct task_list held;  /* tasks submitted in that time */
    uint64_t held_since;    /* microseconds */
    struct task_list batch; /* brief tasks that were taken together and wait for their turn */

    /* Guarded by the pool's mutex: */
    struct task *handling;                 /* the handler task that holds a permit here, or NULL */
    struct concurrency_limit *concurrency; /* the concurrency limit of that task */
    uint64_t entered_tick;                 /* the tick in which that task began */
    uint64_t stalled_at;                   /* valid while stalled: when the monitor saw it, in milliseconds */
    bool ended;
};

/* Measures how long a task waits in its queue, for one task now and then. Guarded by the pool's mutex. */
struct probe {
    const struct task *task; /* NULL: no task is being watched */
    bool is_sample;          /* its wait is counted in `waits` */
    bool over_limit;         /* it waits for other tasks with its concurrency limit, no longer for a permit */
    uint64_t queued_at;      /* microseconds */
    uint64_t due;            /* a new sample begins once this many tasks have been taken */
    struct atomic_histogram waits;
};

struct pool {
    struct pool_options options; /* immutable; so are worker_count and the array itself */
    struct worker *workers;
    unsigned worker_count;
    unsigned processors;  /* how many processors its threads may use; immutable */
    unsigned started;     /* used only by the thread that starts and stops the pool */
    bool monitor_started; /* used only by that thread */
    pthread_t monitor;

    struct mutex mutex; /* guards all fields below, and every concurrency limit */
    pthread_cond_t work, monitor_wake, ended;
    struct task_list io, handler;
    struct timers timers;
    struct poller poller;
    unsigned busy;          /* permits held */
    unsigned io_streak;     /* io tasks taken in a row */
    unsigned sleeping;      /* threads that wait for `work` */
    unsigned waking;        /* those of them that have been signalled */
    bool polling;           /* a thread is in poller_wait() */
    bool poller_woken;      /* that thread has been told to return */
    uint64_t poll_until;    /* the deadline until which that thread sleeps */
    uint64_t taken;         /* tasks taken so far; the monitor sees progress by it */
    uint64_t polled_at;     /* the value of `taken` when a thread last polled */
    uint64_t polled_tick;   /* the value of `tick` at that time */
    uint64_t tick;          /* the monitor's ticks so far */
    unsigned stuck_ticks;   /* ticks without progress while there was work */
    uint64_t starved_again; /* microseconds: starved() is not called before this time */
    bool monitor_awake;
    bool stopping;
    bool stopped; /* the threads have ended: tasks that are submitted are dropped */
    uint64_t polls, wakeups;
    struct probe io_probe, handler_probe;
};

/* The main functions of the pool's threads and of the monitor's thread. */
void *pool_work(void *worker);
void *monitor_run(void *pool);

/* To be called after tasks were queued. Begins to watch one of them if a sample is due. */
void pool_probe_queues_locked(struct pool *pool);

void pool_probe_ends_locked(struct pool *pool, struct probe *probe);

/* To be called before a task that was taken runs. */
static inline void pool_probe_taken_locked(struct pool *pool, const struct task *task) {
    struct probe *probe = task_kind(task)->queue == TASK_IO ? &pool->io_probe : &pool->handler_probe;
    if (probe->task == task)
        pool_probe_ends_locked(pool, probe);
}

/* To be called when a task moves from its queue to those that wait for its concurrency limit. */
static inline void pool_probe_over_limit_locked(struct pool *pool, const struct task *task) {
    if (pool->handler_probe.task == task)
        pool->handler_probe.over_limit = true;
}

/* Whether handler tasks wait while all permits are held. */
bool pool_is_full_locked(const struct pool *pool);

/* Returns for how many milliseconds a handler task has waited for a permit, if that must be reported now; otherwise
 * 0. */
uint64_t pool_starved_locked(struct pool *pool);

/* Releases tasks that will not run. */
void pool_drop(struct task_list *list);

/* Appends a task to the run queue of its kind. pool_wake_for_queued_locked() must follow. */
static inline void pool_queue_locked(struct pool *pool, struct task *task) {
    task_list_push(task_kind(task)->queue == TASK_IO ? &pool->io : &pool->handler, task);
}

/* --- polling.c --- */

/* Waits for readiness and deadlines, and queues the tasks that are due. Releases the mutex meanwhile. */
void pool_poll_locked(struct pool *pool);

#endif
