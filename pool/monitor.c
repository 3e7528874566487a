/* monitor.c - checks every millisecond whether the pool makes progress, so that nothing else has to wake threads.
 *
 * A handler that blocks on the thread that read its message leaves three things undone: tasks wait after it, no
 * thread polls, and what it has sent stays in its outbox. For the first two the monitor wakes another thread; for
 * the third it queues on_stall. When all permits have been held for too long, it reports that (starvation.c). It
 * rests while there is nothing to watch, so an idle server has no timer ticking.
 *
 * SPDX-License-Identifier: MIT
 */
#include <time.h>

#include "pool/wake.h"

enum {
    TICK_NANOSECONDS = 1000000,
    SLOW_TASKS = 16,         /* a tick that takes fewer tasks is one in which handlers block or tasks take long */
    STUCK_TICKS = 10,        /* ticks after which a thread that was signalled but has not come is signalled again: a
                                signal can be lost (glibc bug 25847) */
    STALL_HISTORY_RUNS = 16, /* runs of a route that are treated with care after one of its handlers has stalled */
    FULL_REST_MS = 100,      /* while tasks wait for a permit, a resting monitor checks this often whether they have
                                waited too long */
    QUIET_TICKS = 50 /* idle ticks before it rests: falling asleep and being woken costs more than a few idle
                        ticks */
};

static void stall_locked(struct pool *pool, struct worker *worker) {
    worker->stalled_at = pool_now();
    atomic_store(&worker->stalled, true);
    if (worker->concurrency != NULL)
        worker->concurrency->stall_history = STALL_HISTORY_RUNS;
    const struct task_kind *kind = task_kind(worker->handling);
    struct task *fallback = kind->on_stall == NULL ? NULL : kind->on_stall(worker->handling);
    if (fallback != NULL)
        task_claim_into(fallback, &pool->io);
}

/* Marks as stalled the handlers that have run for a whole tick. Returns the number of handlers that are
 * younger. */
static unsigned check_handlers_locked(struct pool *pool) {
    unsigned young = 0;
    for (unsigned i = 0; i < pool->worker_count; i++) {
        struct worker *worker = &pool->workers[i];
        if (worker->handling == NULL || atomic_load(&worker->stalled))
            continue;
        if (worker->entered_tick + 1 < pool->tick)
            stall_locked(pool, worker);
        else
            young++;
    }
    return young;
}

/* Without this, handlers that each block for less than a tick would run one after the other. The same holds for
 * other tasks that take long while more wait. */
static bool is_slow_locked(const struct pool *pool, uint64_t taken_before) {
    bool helps = pool->busy > 0 || (pool->io.count > 0 && pool_has_processor_locked(pool));
    return helps && pool->taken - taken_before < SLOW_TASKS;
}

/* Waits until the pool has something to watch; while tasks wait for a permit, for FULL_REST_MS at most. Returns
 * whether it was woken. */
static bool rest_locked(struct pool *pool) {
    uint64_t until = pool_is_full_locked(pool) ? pool_now() + FULL_REST_MS : 0;
    bool woken = true;
    pool->monitor_awake = false;
    while (woken && !pool->monitor_awake && !pool->stopping)
        if (until == 0)
            mutex_wait(&pool->monitor_wake, &pool->mutex);
        else
            woken = mutex_wait_until(&pool->monitor_wake, &pool->mutex, until);
    pool->monitor_awake = true;
    return woken;
}

static void monitor_report_starved(const struct pool *pool, uint64_t waited_ms) {
    if (waited_ms > 0)
        pool->options.starved(pool->options.context, waited_ms);
}

void *monitor_run(void *arg) {
    struct pool *pool = arg;
    const struct timespec tick = {.tv_nsec = TICK_NANOSECONDS};
    uint64_t taken_before = 0;
    unsigned quiet = 0;
    mutex_lock(&pool->mutex);
    while (!pool->stopping) {
        pool->tick++;
        unsigned young = check_handlers_locked(pool);
        bool progress = pool->taken != taken_before;
        bool waited_for = !pool->polling || pool_runnable_locked(pool);
        if (waited_for && (!progress || is_slow_locked(pool, taken_before)))
            pool_wake_one_locked(pool);
        if (progress || !waited_for)
            pool->stuck_ticks = 0;
        else if (++pool->stuck_ticks > STUCK_TICKS)
            pool->waking = 0;
        quiet = waited_for || young > 0 || progress ? 0 : quiet + 1;
        taken_before = pool->taken;
        if (quiet > QUIET_TICKS)
            quiet = rest_locked(pool) ? 0 : QUIET_TICKS;
        uint64_t starved_ms = pool_starved_locked(pool);
        mutex_unlock(&pool->mutex);
        monitor_report_starved(pool, starved_ms);
        nanosleep(&tick, NULL);
        mutex_lock(&pool->mutex);
    }
    mutex_unlock(&pool->mutex);
    return NULL;
}
