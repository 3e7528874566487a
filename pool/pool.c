/* pool.c - the threads and the two run queues. See pool.h. Descriptors and deadlines are in polling.c, wake-ups in
 * wake.h, the monitor in monitor.c; pool_life.c creates, starts and stops a pool.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool/pool.h"

#include "base/clock.h"
#include "base/thread_counter.h"
#include "pool/wake.h"

enum {
    TASKS_BETWEEN_POLLS = 256, /* at most: otherwise tasks that queue themselves again could keep every thread from
                                  polling */
    TICKS_BETWEEN_POLLS = 2,   /* the same limit in time, for tasks that take long */
    IO_STREAK_MAX = 8,         /* io tasks in a row while a handler task could run */
    HOLD_MAX_US = 5000,        /* how long held tasks may wait before they are queued */
    BATCH_MAX = 8              /* brief tasks taken with one lock, if at least as many remain for other threads */
};

static _Thread_local struct worker *this_worker;

uint64_t pool_now(void) {
    return clock_ms();
}

uint64_t pool_now_us(void) {
    return clock_us();
}

/* --- Choosing ---------------------------------------------------------------------------------------------- */

static bool pool_concurrency_is_full(const struct concurrency_limit *limit) {
    return limit != NULL && limit->max != 0 && limit->running >= limit->max;
}

static struct concurrency_limit *pool_concurrency_of(struct task *task) {
    return task_kind(task)->concurrency == NULL ? NULL : task_kind(task)->concurrency(task);
}

static void pool_take_permit_locked(struct pool *pool, struct worker *worker, struct task *task,
                                    struct concurrency_limit *limit) {
    pool->busy++;
    if (limit != NULL) {
        limit->running++;
        pool_anticipate_stall_locked(pool, limit);
    }
    worker->handling = task;
    worker->concurrency = limit;
    worker->entered_tick = pool->tick;
    atomic_store(&worker->stalled, false);
    monitor_wake_locked(pool);
}

static void pool_return_permit_locked(struct pool *pool, struct worker *worker) {
    struct concurrency_limit *limit = worker->concurrency;
    worker->handling = NULL;
    worker->concurrency = NULL;
    atomic_store(&worker->stalled, false);
    pool->busy--;
    if (limit == NULL)
        return;
    limit->running--;
    struct task *waiting = task_list_pop(&limit->waiting);
    if (waiting != NULL)
        task_list_push_front(&pool->handler, waiting); /* it has waited its turn already */
}

/* Takes the next handler task whose concurrency limit has room, and lets the others wait for theirs. The caller has
 * checked that a permit is free. */
static struct task *pool_next_handler_locked(struct pool *pool, struct worker *worker) {
    struct task *task;
    while ((task = task_list_pop(&pool->handler)) != NULL) {
        struct concurrency_limit *limit = pool_concurrency_of(task);
        if (!pool_concurrency_is_full(limit)) {
            pool_take_permit_locked(pool, worker, task, limit);
            return task;
        }
        pool_probe_over_limit_locked(pool, task);
        task_list_push(&limit->waiting, task);
    }
    return NULL;
}

static struct task *pool_next_task_locked(struct pool *pool, struct worker *worker) {
    struct task *task = NULL;
    bool handler_may_run = pool->handler.count > 0 && pool->busy < pool->options.workers;
    if (handler_may_run && (pool->io.count == 0 || pool->io_streak >= IO_STREAK_MAX)) {
        pool->io_streak = 0;
        task = pool_next_handler_locked(pool, worker);
    }
    if (task == NULL) {
        pool->io_streak++;
        task = task_list_pop(&pool->io);
    }
    if (task != NULL) {
        pool->taken++;
        pool_probe_taken_locked(pool, task);
    }
    return task;
}

/* --- Threads ----------------------------------------------------------------------------------------------- */

static void pool_sleep_locked(struct pool *pool) {
    pool->sleeping++;
    mutex_wait(&pool->work, &pool->mutex);
    pool->sleeping--;
    if (pool->waking > 0)
        pool->waking--;
}

static bool pool_is_brief(const struct task *task) {
    return task != NULL && task_kind(task)->prefetch != NULL;
}

/* Takes more brief tasks if plenty wait. Takes none while a handler task waits, so that its turn is not
 * delayed. */
static void pool_take_batch_locked(struct pool *pool, struct worker *worker) {
    if (pool->handler.count > 0)
        return;
    for (unsigned i = 1; i < BATCH_MAX && pool->io.count > BATCH_MAX && pool_is_brief(pool->io.first); i++) {
        struct task *task = task_list_pop(&pool->io);
        pool->taken++;
        pool_probe_taken_locked(pool, task);
        task_list_push(&worker->batch, task);
    }
}

static void pool_run_locked(struct pool *pool, struct worker *worker, struct task *task) {
    if (pool_is_brief(task))
        pool_take_batch_locked(pool, worker);
    mutex_unlock(&pool->mutex);
    for (; task != NULL; task = task_list_pop(&worker->batch)) {
        if (worker->batch.first != NULL)
            task_kind(worker->batch.first)->prefetch(worker->batch.first);
        task_take(task);
        task_kind(task)->run(task);
    }
    mutex_lock(&pool->mutex);
}

static bool pool_is_poll_due_locked(const struct pool *pool) {
    return !pool->polling &&
           (pool->taken - pool->polled_at >= TASKS_BETWEEN_POLLS ||
            (pool->tick - pool->polled_tick >= TICKS_BETWEEN_POLLS && pool->taken != pool->polled_at));
}

void *pool_work(void *arg) {
    struct worker *worker = arg;
    struct pool *pool = worker->pool;
    this_worker = worker;
    thread_counter_stripe(); /* takes a stripe before threads that count less do */
    if (pool->options.thread_begins != NULL)
        pool->options.thread_begins();
    mutex_lock(&pool->mutex);
    while (!pool->stopping) {
        if (pool_is_poll_due_locked(pool)) {
            pool_poll_locked(pool);
            continue; /* pool_poll_locked() may have consumed the wake-up of pool_stop() */
        }
        struct task *task = pool_next_task_locked(pool, worker);
        if (task != NULL)
            pool_run_locked(pool, worker, task);
        else if (!pool->polling)
            pool_poll_locked(pool);
        else
            pool_sleep_locked(pool);
    }
    worker->ended = true;
    pthread_cond_broadcast(&pool->ended);
    mutex_unlock(&pool->mutex);
    return NULL;
}

/* --- What users call --------------------------------------------------------------------------------------- */

static void pool_queue_list(struct pool *pool, struct task_list *claimed) {
    struct task *task;
    mutex_lock(&pool->mutex);
    if (pool->stopped) {
        mutex_unlock(&pool->mutex);
        pool_drop(claimed);
        return;
    }
    if (!claimed->mixed)
        task_list_append(&pool->io, claimed);
    while ((task = task_list_pop(claimed)) != NULL)
        pool_queue_locked(pool, task);
    pool_probe_queues_locked(pool);
    pool_wake_for_queued_locked(pool, this_worker == NULL || this_worker->pool != pool);
    mutex_unlock(&pool->mutex);
}

static void pool_queue(struct pool *pool, struct task *claimed) {
    struct task_list list = {.first = NULL};
    task_list_push(&list, claimed);
    pool_queue_list(pool, &list);
}

void pool_submit(struct pool *pool, struct task *task) {
    if (task_claim(task))
        pool_queue(pool, task);
}

/* Returns whether the held tasks may wait longer. */
static bool pool_defer_list(struct worker *worker, struct task_list *claimed) {
    uint64_t now = pool_now_us();
    if (worker->held.first == NULL)
        worker->held_since = now;
    task_list_append(&worker->held, claimed);
    return now - worker->held_since < HOLD_MAX_US;
}

void pool_submit_list(struct pool *pool, struct task_list *claimed) {
    struct worker *worker = this_worker;
    if (claimed->first == NULL)
        return;
    if (worker == NULL || !worker->defers || worker->pool != pool)
        pool_queue_list(pool, claimed);
    else if (!pool_defer_list(worker, claimed))
        pool_queue_list(pool, &worker->held);
}

void pool_defer(void) {
    this_worker->defers = true;
}

bool pool_is_deferring(void) {
    return this_worker != NULL && this_worker->defers;
}

void pool_submit_deferred(struct pool *pool) {
    struct worker *worker = this_worker;
    worker->defers = false;
    if (worker->held.first != NULL)
        pool_queue_list(pool, &worker->held);
}

bool pool_has_permit(struct pool *pool) {
    mutex_lock(&pool->mutex);
    bool has_permit = pool->busy < pool->options.workers;
    mutex_unlock(&pool->mutex);
    return has_permit;
}

/* Gives the permit back first: once the task is released, its owner may be gone, and the monitor looks at the tasks
 * that hold permits. */
static void pool_return_permit_of(struct pool *pool, const struct task *task) {
    struct worker *worker = this_worker;
    if (worker == NULL || worker->handling != task)
        return;
    mutex_lock(&pool->mutex);
    pool_return_permit_locked(pool, worker);
    mutex_unlock(&pool->mutex);
}

void pool_finish(struct pool *pool, struct task *task) {
    pool_return_permit_of(pool, task);
    if (task_leave(task))
        pool_queue(pool, task);
    else
        task_kind(task)->release(task);
}

void pool_finish_borrowed(struct pool *pool, struct task *task) {
    if (!task_leave(task))
        return;
    task_kind(task)->retain(task);
    pool_queue(pool, task);
}

void pool_each_running(struct pool *pool, void (*visit)(struct task *task, uint64_t held_ms, void *arg),
                       void *arg) {
    uint64_t now = pool_now();
    mutex_lock(&pool->mutex);
    for (unsigned i = 0; i < pool->worker_count; i++) {
        const struct worker *worker = &pool->workers[i];
        bool stalled = atomic_load(&worker->stalled) && worker->stalled_at < now;
        if (worker->handling != NULL)
            visit(worker->handling, stalled ? now - worker->stalled_at : 0, arg);
    }
    mutex_unlock(&pool->mutex);
}

void *pool_scratch(void) {
    return this_worker->scratch;
}

bool pool_is_stalled(void) {
    return this_worker != NULL && atomic_load(&this_worker->stalled);
}

bool pool_enter_handler(struct task *task) {
    struct worker *worker = this_worker;
    struct pool *pool = worker->pool;
    struct concurrency_limit *limit = pool_concurrency_of(task);
    mutex_lock(&pool->mutex);
    bool allowed = pool->busy < pool->options.workers && pool->handler.count == 0 &&
                   !pool_concurrency_is_full(limit) && (limit == NULL || limit->waiting.count == 0);
    if (allowed)
        pool_take_permit_locked(pool, worker, task, limit);
    mutex_unlock(&pool->mutex);
    return allowed;
}
