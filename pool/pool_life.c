/* pool_life.c - creates, starts, stops and destroys a pool. See pool.h. One thread at a time does so.
 *
 * SPDX-License-Identifier: MIT
 */
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "pool/pool_private.h"

/* The processors that this process may use: those assigned to its container, if it has any of its own. A
 * container's share of processor time is not considered. */
static unsigned processors_allowed(void) {
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0)
        return (unsigned)CPU_COUNT(&allowed);
    long online = sysconf(_SC_NPROCESSORS_ONLN); /* the machine has more than the set has room for */
    return online > 0 ? (unsigned)online : 1;
}

struct pool *pool_create(const struct pool_options *options) {
    struct pool *pool = calloc(1, sizeof *pool);
    if (pool == NULL)
        return NULL;
    pool->options = *options;
    pool->worker_count = options->workers + 1;
    pool->processors = processors_allowed();
    pool->workers = calloc(pool->worker_count, sizeof *pool->workers);
    if (pool->workers == NULL)
        goto no_workers;
    for (unsigned i = 0; i < pool->worker_count; i++) {
        pool->workers[i].pool = pool;
        pool->workers[i].scratch = malloc(options->scratch_size);
        if (pool->workers[i].scratch == NULL)
            goto no_scratch;
    }
    if (poller_open(&pool->poller) != 0)
        goto no_scratch;
    mutex_init(&pool->mutex, POOL_LOCK_RANK);
    pthread_cond_init(&pool->work, NULL);
    mutex_condition_init(&pool->monitor_wake);
    mutex_condition_init(&pool->ended);
    return pool;

no_scratch:
    for (unsigned i = 0; i < pool->worker_count; i++)
        free(pool->workers[i].scratch);
    free(pool->workers);
no_workers:
    free(pool);
    return NULL;
}

int pool_start(struct pool *pool) {
    int error = pthread_create(&pool->monitor, NULL, monitor_run, pool);
    if (error != 0)
        return error;
    pool->monitor_started = true;
    while (pool->started < pool->worker_count) {
        struct worker *worker = &pool->workers[pool->started];
        error = pthread_create(&worker->thread, NULL, pool_work, worker);
        if (error != 0) {
            pool_stop(pool, UINT64_MAX);
            return error;
        }
        pool->started++;
    }
    return 0;
}

static bool all_ended_locked(const struct pool *pool) {
    for (unsigned i = 0; i < pool->started; i++)
        if (!pool->workers[i].ended)
            return false;
    return true;
}

/* Waits for the threads to reach their end; joining them then takes no time. */
static bool wait_ended_locked(struct pool *pool, uint64_t deadline) {
    while (!all_ended_locked(pool))
        if (deadline == UINT64_MAX)
            mutex_wait(&pool->ended, &pool->mutex);
        else if (!mutex_wait_until(&pool->ended, &pool->mutex, deadline))
            return all_ended_locked(pool);
    return true;
}

void pool_drop(struct task_list *list) {
    struct task *task;
    while ((task = task_list_pop(list)) != NULL)
        task_kind(task)->release(task);
}

/* Releases the queued tasks without the mutex: a task's reference may be the last one on its owner, and the
 * owner's the last one on the pool. */
static void drop_queues(struct pool *pool) {
    mutex_lock(&pool->mutex);
    struct task_list io = pool->io, handler = pool->handler;
    pool->io = pool->handler = (struct task_list){.first = NULL};
    pool->stopped = true;
    mutex_unlock(&pool->mutex);
    pool_drop(&io);
    pool_drop(&handler);
}

bool pool_stop(struct pool *pool, uint64_t deadline) {
    mutex_lock(&pool->mutex);
    pool->stopping = true;
    pthread_cond_broadcast(&pool->work);
    pthread_cond_signal(&pool->monitor_wake);
    poller_wake(&pool->poller);
    bool ended = wait_ended_locked(pool, deadline);
    mutex_unlock(&pool->mutex);
    if (!ended)
        return false;
    if (pool->monitor_started)
        pthread_join(pool->monitor, NULL);
    for (unsigned i = 0; i < pool->started; i++)
        pthread_join(pool->workers[i].thread, NULL);
    pool->monitor_started = false;
    pool->started = 0;
    drop_queues(pool);
    return true;
}

void pool_drop_concurrency(struct concurrency_limit *limit) {
    pool_drop(&limit->waiting);
}

void pool_destroy(struct pool *pool) {
    if (pool == NULL)
        return;
    pool_drop(&pool->io);
    pool_drop(&pool->handler);
    timers_release(&pool->timers);
    poller_close(&pool->poller);
    pthread_cond_destroy(&pool->ended);
    pthread_cond_destroy(&pool->monitor_wake);
    pthread_cond_destroy(&pool->work);
    mutex_destroy(&pool->mutex);
    for (unsigned i = 0; i < pool->worker_count; i++)
        free(pool->workers[i].scratch);
    free(pool->workers);
    free(pool);
}
