/* pool_statistics.c - the statistics of a pool, and the concurrency limits. See pool.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool/wake.h"

enum { TASKS_BETWEEN_PROBES = 64 };

/* --- Waits ------------------------------------------------------------------------------------------------- */

static void probe_locked(struct pool *pool, struct probe *probe, const struct task_list *queue) {
    if (probe->task != NULL || queue->first == NULL || pool->taken < probe->due)
        return;
    probe->task = queue->last;
    probe->is_sample = true;
    probe->queued_at = pool_now_us();
}

void pool_probe_queues_locked(struct pool *pool) {
    probe_locked(pool, &pool->io_probe, &pool->io);
    probe_locked(pool, &pool->handler_probe, &pool->handler);
}

void pool_probe_ends_locked(struct pool *pool, struct probe *probe) {
    probe->task = NULL;
    probe->over_limit = false;
    if (!probe->is_sample)
        return;
    atomic_histogram_add(&probe->waits, atomic_histogram_microseconds, pool_now_us() - probe->queued_at);
    probe->due = pool->taken + TASKS_BETWEEN_PROBES;
}

/* --- Statistics -------------------------------------------------------------------------------------------- */

void pool_statistics(struct pool *pool, struct pool_statistics *statistics) {
    mutex_lock(&pool->mutex);
    *statistics = (struct pool_statistics){.workers = pool->options.workers,
                                           .busy = pool->busy,
                                           .io = pool->io.count,
                                           .handler = pool->handler.count,
                                           .tasks = pool->taken,
                                           .polls = pool->polls,
                                           .wakeups = pool->wakeups,
                                           .io_waits = &pool->io_probe.waits,
                                           .handler_waits = &pool->handler_probe.waits};
    mutex_unlock(&pool->mutex);
}

void pool_concurrency_statistics(struct pool *pool, const struct concurrency_limit *limit, unsigned *running,
                                 size_t *waiting) {
    mutex_lock(&pool->mutex);
    *running = limit->running;
    *waiting = limit->waiting.count;
    mutex_unlock(&pool->mutex);
}

/* --- Lanes ------------------------------------------------------------------------------------------------- */

/* The waiting tasks try again, in their order. */
void pool_set_concurrency(struct pool *pool, struct concurrency_limit *limit, unsigned max) {
    mutex_lock(&pool->mutex);
    limit->max = max;
    struct task *task;
    while ((task = task_list_pop(&limit->waiting)) != NULL)
        task_list_push(&pool->handler, task);
    monitor_wake_locked(pool);
    mutex_unlock(&pool->mutex);
}
