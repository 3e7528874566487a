/* polling.c - descriptors and deadlines of a pool: waits for both, and queues the tasks that are due. One thread at
 * a time polls, and any thread may add a descriptor or a deadline meanwhile. See pool.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>

#include "pool/wake.h"

/* --- Waiting ----------------------------------------------------------------------------------------------- */

static int polling_timeout_locked(const struct pool *pool) {
    uint64_t next = timers_next(&pool->timers);
    if (next == UINT64_MAX)
        return -1;
    uint64_t now = pool_now();
    if (next <= now)
        return 0;
    return next - now > 3600000 ? 3600000 : (int)(next - now);
}

static void polling_expire_locked(struct pool *pool) {
    struct timer *timer;
    uint64_t now = timers_next(&pool->timers) == UINT64_MAX ? 0 : pool_now();
    while ((timer = timers_expire(&pool->timers, now)) != NULL)
        if (task_claim(timer_task(timer)))
            pool_queue_locked(pool, timer_task(timer));
}

void pool_poll_locked(struct pool *pool) {
    struct epoll_event events[POLLER_BATCH];
    pool->polling = true;
    pool->polls++;
    pool->polled_at = pool->taken;
    pool->polled_tick = pool->tick;
    pool->poll_until = timers_next(&pool->timers);
    int timeout = pool_runnable_locked(pool) ? 0 : polling_timeout_locked(pool);
    mutex_unlock(&pool->mutex);

    int count = poller_wait(&pool->poller, events, timeout);

    mutex_lock(&pool->mutex);
    pool->polling = false;
    pool->poller_woken = false;
    poller_collect_locked(&pool->poller, events, count, &pool->io);
    polling_expire_locked(pool);
    pool_probe_queues_locked(pool);
    pool_wake_after_poll_locked(pool);
}

/* --- Descriptors and deadlines ----------------------------------------------------------------------------- */

static void polling_drop_key(struct pool *pool, const struct source *source) {
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
    polling_drop_key(pool, source);
    errno = error;
    return -1;
}

void pool_await_room(struct pool *pool, struct source *source, int fd) {
    atomic_store(&source->blocked, true);
    poller_await_room(&pool->poller, fd, source);
}

void pool_unwatch(struct pool *pool, struct source *source, int fd) {
    poller_unregister(&pool->poller, fd);
    polling_drop_key(pool, source);
}

int pool_set_timer(struct pool *pool, struct timer *timer, uint64_t deadline) {
    mutex_lock(&pool->mutex);
    int result = timers_set(&pool->timers, timer, deadline);
    if (result == 0 && pool->polling && deadline < pool->poll_until)
        pool_wake_poller_locked(pool);
    mutex_unlock(&pool->mutex);
    return result;
}

bool pool_cancel_timer(struct pool *pool, struct timer *timer) {
    mutex_lock(&pool->mutex);
    bool was_set = timers_cancel(&pool->timers, timer);
    mutex_unlock(&pool->mutex);
    return was_set;
}
