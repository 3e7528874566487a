/* wake.h - who wakes whom. Every decision to wake a thread of the pool is made by a function of this file, and
 * wake.c carries it out. All of them expect the pool's mutex held.
 *
 *     event                                     decided by                       woken
 *     a task is queued by a thread of the pool  pool_wake_for_queued_locked()    a worker (1)
 *     a task is queued by any other thread      pool_wake_for_queued_locked()    a worker (2)
 *     a poll found many tasks                   pool_wake_after_poll_locked()    a worker (3)
 *     a handler begins, with a stall history    pool_anticipate_stall_locked()   a worker (4)
 *     a tick with little or no progress         the monitor (monitor.c)          a worker (5)
 *     a deadline before the poller's            pool_set_timer() (polling.c)     the poller
 *     a task is queued, a poll finds tasks      monitor_wake_locked()            the monitor
 *     a handler begins, a limit changes         monitor_wake_locked()            the monitor
 *     the pool stops                            pool_stop() (pool_life.c)        all
 *
 * (1) If the queue is long and a processor may be free, or if the caller's own handler has stalled. (2) Unless one
 * is being woken. (3) If a processor may be free. (4) If no thread polls or io tasks wait. (5) While tasks wait or
 * no thread polls.
 *
 * "A worker" is one that sleeps; if none sleeps, the poller, which then returns to the run queues. A thread of the
 * pool is rarely woken, because the thread that polled works on what it found.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_POOL_WAKE_H
#define WEIR_POOL_WAKE_H

#include "pool/pool_private.h"

/* Wakes a sleeping thread, or the polling thread if none sleeps. */
void pool_wake_one_locked(struct pool *pool);

/* Makes the polling thread return, if there is one. */
void pool_wake_poller_locked(struct pool *pool);

/* Ends the monitor's rest. */
static inline void monitor_wake_locked(struct pool *pool) {
    if (!pool->monitor_awake) {
        pool->monitor_awake = true;
        pthread_cond_signal(&pool->monitor_wake);
    }
}

/* Whether a task waits that a thread could take. */
static inline bool pool_runnable_locked(const struct pool *pool) {
    return pool->io.count > 0 || (pool->handler.count > 0 && pool->busy < pool->options.workers);
}

/* Whether a processor may be free for one more thread. Handlers are assumed to block, and the polling thread to
 * wait. Threads beyond the number of processors would only take turns with each other and with the rest of the
 * machine. */
static inline bool pool_has_processor_locked(const struct pool *pool) {
    return pool->worker_count - (pool->sleeping - pool->waking) - pool->busy - pool->polling < pool->processors;
}

/* Whether more tasks wait than a thread can do soon, and another thread may help. */
static inline bool pool_wants_help_locked(const struct pool *pool) {
    return pool->io.count >= pool->options.wake_threshold && pool_has_processor_locked(pool);
}

/* To be called after tasks were queued; `outside`: by a thread that is not of this pool. A thread of the pool
 * returns to the queue by itself, and if it does not do so soon, the monitor wakes another one. Waking a thread
 * each time costs more than it gains. */
static inline void pool_wake_for_queued_locked(struct pool *pool, bool outside) {
    monitor_wake_locked(pool);
    if (outside ? pool->waking == 0 : pool_is_stalled() || pool_wants_help_locked(pool))
        pool_wake_one_locked(pool);
}

/* To be called by the thread that polled, which takes the tasks that it found itself. */
static inline void pool_wake_after_poll_locked(struct pool *pool) {
    if (!pool_runnable_locked(pool))
        return;
    monitor_wake_locked(pool);
    if (pool_wants_help_locked(pool))
        pool_wake_one_locked(pool);
}

/* To be called when a handler begins. Handlers of a route that have blocked lately are likely to block again. Then
 * another thread takes over what this thread leaves undone, without waiting for the monitor. */
static inline void pool_anticipate_stall_locked(struct pool *pool, struct concurrency_limit *limit) {
    if (limit->stall_history == 0)
        return;
    limit->stall_history--;
    if (!pool->polling || pool->io.count > 0)
        pool_wake_one_locked(pool);
}

#endif
