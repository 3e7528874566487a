/* pool_private.h - the inside of a pool, for pool.c and monitor.c.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_POOL_POOL_PRIVATE_H
#define WEIR_POOL_POOL_PRIVATE_H

#include "pool/mutex.h"
#include "pool/pool.h"

struct worker {
    struct pool *pool; /* immutable, like scratch */
    void *scratch;
    pthread_t thread;
    _Atomic bool stalled; /* set by the monitor, cleared when a handler begins */

    /* This thread's own: */
    bool holds;             /* between pool_hold() and pool_let_go() */
    struct task_list held;  /* submitted meanwhile */
    uint64_t held_since;    /* microseconds */
    struct task_list batch; /* brief tasks that were taken together, and wait for their turn */

    /* The pool's mutex: */
    struct task *handling; /* the handler task that holds a slot here, or NULL */
    struct lane *lane;     /* of that task */
    uint64_t entered_tick; /* when it began */
    uint64_t stalled_at;   /* while stalled: milliseconds, when the monitor saw it */
    bool ended;
};

/* How long a task waits in its queue, looked at now and then. */
struct probe {
    const struct task *task; /* NULL: none is being watched */
    bool is_sample;          /* its wait is counted */
    bool in_lane;            /* it waits for others of its lane, no longer for a slot */
    uint64_t queued_at;      /* microseconds */
    uint64_t due;            /* the next one, when so many tasks have been taken */
    struct buckets waits;
};

struct pool {
    struct pool_options options; /* immutable, like worker_count and the array itself */
    struct worker *workers;
    unsigned worker_count;
    unsigned processors;  /* likewise: that its threads may use */
    unsigned started;     /* the thread that starts and stops the pool */
    bool monitor_started; /* likewise */
    pthread_t monitor;

    struct mutex mutex; /* guards all below, and every lane */
    pthread_cond_t work, rouse, ended;
    struct task_list io, handler;
    struct timers timers;
    struct poller poller;
    unsigned busy;          /* slots held */
    unsigned io_streak;     /* io tasks taken in a row */
    unsigned sleeping;      /* threads in wait for `work` ... */
    unsigned waking;        /* ... and those of them that have been signalled */
    bool polling;           /* a thread is in poller_wait() ... */
    bool poller_woken;      /* ... and has been told to return */
    uint64_t poll_until;    /* the deadline that it sleeps to */
    uint64_t taken;         /* tasks, ever: the monitor sees progress by it */
    uint64_t polled_at;     /* what `taken` was when somebody last polled */
    uint64_t polled_tick;   /* what `tick` was then */
    uint64_t tick;          /* the monitor's */
    unsigned stuck_ticks;   /* without progress */
    uint64_t starved_again; /* microseconds: starved() is not called before */
    bool monitor_awake;
    bool stopping;
    bool stopped; /* the threads have ended: what is submitted is dropped */
    uint64_t polls, wakeups;
    struct probe io_probe, handler_probe;
};

/* What each thread of the pool does, and the monitor's thread. */
void *pool_work(void *worker);
void *monitor_run(void *pool);

/* After tasks were queued: perhaps begins to watch one of them. */
void pool_probe_queues_locked(struct pool *pool);

void pool_probe_ends_locked(struct pool *pool, struct probe *probe);

/* Before a task that was taken runs. */
static inline void pool_probe_taken_locked(struct pool *pool, const struct task *task) {
    struct probe *probe = task_kind(task)->queue == TASK_IO ? &pool->io_probe : &pool->handler_probe;
    if (probe->task == task)
        pool_probe_ends_locked(pool, probe);
}

/* A task goes from its queue to its lane. */
static inline void pool_probe_to_lane_locked(struct pool *pool, const struct task *task) {
    if (pool->handler_probe.task == task)
        pool->handler_probe.in_lane = true;
}

/* Handler tasks wait, and all slots are held. */
bool pool_is_full_locked(const struct pool *pool);

/* For how many milliseconds a handler task has waited for a slot, if it is time to tell; else 0. */
uint64_t pool_starved_locked(struct pool *pool);

/* Gives up tasks that will not run. */
void pool_drop(struct task_list *list);

/* A task waits that a thread could take. */
bool pool_runnable_locked(const struct pool *pool);

/* Whether a processor may be free for one more thread. */
bool pool_has_processor_locked(const struct pool *pool);

/* Wakes a sleeping thread; if none sleeps, the one that polls. */
void pool_wake_one_locked(struct pool *pool);

/* Gets the monitor out of its rest. */
static inline void monitor_rouse_locked(struct pool *pool) {
    if (!pool->monitor_awake) {
        pool->monitor_awake = true;
        pthread_cond_signal(&pool->rouse);
    }
}

#endif
