/* pool.c - the threads and the two run queues. See pool.h. The monitor is in monitor.c; creating, starting and
 * stopping a pool are in pool_life.c.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool/pool.h"

#include <errno.h>
#include <time.h>

#include "base/thread_counter.h"
#include "pool/pool_private.h"

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
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t pool_now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* --- Choosing ---------------------------------------------------------------------------------------------- */

static bool pool_concurrency_is_full(const struct concurrency_limit *limit) {
    return limit != NULL && limit->max != 0 && limit->running >= limit->max;
}

static struct concurrency_limit *pool_concurrency_of(struct task *task) {
    return task_kind(task)->concurrency == NULL ? NULL : task_kind(task)->concurrency(task);
}

/* Handlers of a route that have blocked lately are likely to block again. Then another thread should take over what
 * this thread leaves undone, without waiting for the monitor. */
static void pool_anticipate_stall_locked(struct pool *pool, struct concurrency_limit *limit) {
    if (limit->stall_history == 0)
        return;
    limit->stall_history--;
    if (!pool->polling || pool->io.count > 0)
        pool_wake_one_locked(pool);
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
static struct task *next_handler_locked(struct pool *pool, struct worker *worker) {
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

static struct task *next_task_locked(struct pool *pool, struct worker *worker) {
    struct task *task = NULL;
    bool handler_may_run = pool->handler.count > 0 && pool->busy < pool->options.workers;
    if (handler_may_run && (pool->io.count == 0 || pool->io_streak >= IO_STREAK_MAX)) {
        pool->io_streak = 0;
        task = next_handler_locked(pool, worker);
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

/* --- Waking ------------------------------------------------------------------------------------------------ */

bool pool_runnable_locked(const struct pool *pool) {
    return pool->io.count > 0 || (pool->handler.count > 0 && pool->busy < pool->options.workers);
}

void pool_wake_one_locked(struct pool *pool) {
    if (pool->sleeping > pool->waking) {
        pool->waking++;
        pool->wakeups++;
        pthread_cond_signal(&pool->work);
    } else if (pool->polling && !pool->poller_woken) {
        pool->poller_woken = true;
        poller_wake(&pool->poller);
    }
}

/* Handlers are assumed to block, and the polling thread to wait. Threads beyond the number of processors would
 * only take turns with each other and with the rest of the machine. */
bool pool_has_processor_locked(const struct pool *pool) {
    return pool->worker_count - (pool->sleeping - pool->waking) - pool->busy - pool->polling < pool->processors;
}

/* Whether more tasks wait than a thread can do soon, and another thread may help. */
static bool wants_help_locked(const struct pool *pool) {
    return pool->io.count >= pool->options.wake_threshold && pool_has_processor_locked(pool);
}

/* To be called after tasks were queued. A thread of the pool returns to the queue by itself, and if it does not do
 * so soon, the monitor wakes another one. Waking a thread each time costs more than it gains. */
static void queued_locked(struct pool *pool) {
    pool_probe_queues_locked(pool);
    monitor_wake_locked(pool);
    bool outside = this_worker == NULL || this_worker->pool != pool;
    if (outside ? pool->waking == 0 : pool_is_stalled() || wants_help_locked(pool))
        pool_wake_one_locked(pool);
}

static void queue_locked(struct pool *pool, struct task *task) {
    task_list_push(task_kind(task)->queue == TASK_IO ? &pool->io : &pool->handler, task);
}

/* --- Threads ----------------------------------------------------------------------------------------------- */

static int poll_timeout_locked(const struct pool *pool) {
    uint64_t next = timers_next(&pool->timers);
    if (next == UINT64_MAX)
        return -1;
    uint64_t now = pool_now();
    if (next <= now)
        return 0;
    return next - now > 3600000 ? 3600000 : (int)(next - now);
}

static void expire_locked(struct pool *pool) {
    struct timer *timer;
    uint64_t now = timers_next(&pool->timers) == UINT64_MAX ? 0 : pool_now();
    while ((timer = timers_expire(&pool->timers, now)) != NULL)
        if (task_claim(timer_task(timer)))
            queue_locked(pool, timer_task(timer));
}

static void poll_locked(struct pool *pool) {
    struct epoll_event events[POLLER_BATCH];
    pool->polling = true;
    pool->polls++;
    pool->polled_at = pool->taken;
    pool->polled_tick = pool->tick;
    pool->poll_until = timers_next(&pool->timers);
    int timeout = pool_runnable_locked(pool) ? 0 : poll_timeout_locked(pool);
    mutex_unlock(&pool->mutex);

    int count = poller_wait(&pool->poller, events, timeout);

    mutex_lock(&pool->mutex);
    pool->polling = false;
    pool->poller_woken = false;
    poller_collect_locked(&pool->poller, events, count, &pool->io);
    expire_locked(pool);
    pool_probe_queues_locked(pool);
    if (pool_runnable_locked(pool)) {
        monitor_wake_locked(pool);
        if (wants_help_locked(pool))
            pool_wake_one_locked(pool);
    }
}

static void sleep_locked(struct pool *pool) {
    pool->sleeping++;
    mutex_wait(&pool->work, &pool->mutex);
    pool->sleeping--;
    if (pool->waking > 0)
        pool->waking--;
}

static bool is_brief(const struct task *task) {
    return task != NULL && task_kind(task)->prefetch != NULL;
}

/* Takes more brief tasks if plenty wait. Takes none while a handler task waits, so that its turn is not
 * delayed. */
static void take_batch_locked(struct pool *pool, struct worker *worker) {
    if (pool->handler.count > 0)
        return;
    for (unsigned i = 1; i < BATCH_MAX && pool->io.count > BATCH_MAX && is_brief(pool->io.first); i++) {
        struct task *task = task_list_pop(&pool->io);
        pool->taken++;
        pool_probe_taken_locked(pool, task);
        task_list_push(&worker->batch, task);
    }
}

static void run_locked(struct pool *pool, struct worker *worker, struct task *task) {
    if (is_brief(task))
        take_batch_locked(pool, worker);
    mutex_unlock(&pool->mutex);
    for (; task != NULL; task = task_list_pop(&worker->batch)) {
        if (worker->batch.first != NULL)
            task_kind(worker->batch.first)->prefetch(worker->batch.first);
        task_take(task);
        task_kind(task)->run(task);
    }
    mutex_lock(&pool->mutex);
}

static bool is_poll_due_locked(const struct pool *pool) {
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
        if (is_poll_due_locked(pool)) {
            poll_locked(pool);
            continue; /* poll_locked() may have consumed the wake-up of pool_stop() */
        }
        struct task *task = next_task_locked(pool, worker);
        if (task != NULL)
            run_locked(pool, worker, task);
        else if (!pool->polling)
            poll_locked(pool);
        else
            sleep_locked(pool);
    }
    worker->ended = true;
    pthread_cond_broadcast(&pool->ended);
    mutex_unlock(&pool->mutex);
    return NULL;
}

/* --- What users call --------------------------------------------------------------------------------------- */

static void queue_list(struct pool *pool, struct task_list *claimed) {
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
        queue_locked(pool, task);
    queued_locked(pool);
    mutex_unlock(&pool->mutex);
}

static void queue(struct pool *pool, struct task *claimed) {
    struct task_list list = {.first = NULL};
    task_list_push(&list, claimed);
    queue_list(pool, &list);
}

void pool_submit(struct pool *pool, struct task *task) {
    if (task_claim(task))
        queue(pool, task);
}

/* Returns whether the held tasks may wait longer. */
static bool hold(struct worker *worker, struct task_list *claimed) {
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
    if (worker == NULL || !worker->holds || worker->pool != pool)
        queue_list(pool, claimed);
    else if (!hold(worker, claimed))
        queue_list(pool, &worker->held);
}

void pool_hold(void) {
    this_worker->holds = true;
}

bool pool_is_holding(void) {
    return this_worker != NULL && this_worker->holds;
}

void pool_let_go(struct pool *pool) {
    struct worker *worker = this_worker;
    worker->holds = false;
    if (worker->held.first != NULL)
        queue_list(pool, &worker->held);
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
        queue(pool, task);
    else
        task_kind(task)->release(task);
}

void pool_finish_borrowed(struct pool *pool, struct task *task) {
    if (!task_leave(task))
        return;
    task_kind(task)->retain(task);
    queue(pool, task);
}

static void drop_key(struct pool *pool, const struct source *source) {
    mutex_lock(&pool->mutex);
    poller_drop_key_locked(&pool->poller, source);
    mutex_unlock(&pool->mutex);
}

int pool_watch(struct pool *pool, struct source *source, int fd) {
    mutex_lock(&pool->mutex);
    int result = poller_take_key_locked(&pool->poller, source);
    mutex_unlock(&pool->mutex);
    if (result != 0) {
        errno = ENOMEM;
        return -1;
    }
    if (poller_register(&pool->poller, fd, source) == 0)
        return 0;
    int error = errno;
    drop_key(pool, source);
    errno = error;
    return -1;
}

void pool_await_room(struct pool *pool, struct source *source, int fd) {
    atomic_store(&source->blocked, true);
    poller_await_room(&pool->poller, fd, source);
}

void pool_unwatch(struct pool *pool, struct source *source, int fd) {
    poller_unregister(&pool->poller, fd);
    drop_key(pool, source);
}

int pool_set_timer(struct pool *pool, struct timer *timer, uint64_t deadline) {
    mutex_lock(&pool->mutex);
    int result = timers_set(&pool->timers, timer, deadline);
    if (result == 0 && pool->polling && deadline < pool->poll_until && !pool->poller_woken) {
        pool->poller_woken = true;
        poller_wake(&pool->poller);
    }
    mutex_unlock(&pool->mutex);
    return result;
}

bool pool_cancel_timer(struct pool *pool, struct timer *timer) {
    mutex_lock(&pool->mutex);
    bool was_set = timers_cancel(&pool->timers, timer);
    mutex_unlock(&pool->mutex);
    return was_set;
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
