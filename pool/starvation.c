/* starvation.c - notices that handler tasks have waited too long for a permit. Only the monitor calls this, with
 * the pool's mutex held.
 *
 * The watched task is the last in the queue: its wait shows how long the queue is, not only how long the first
 * task waits. It is the task of the handler probe. If the probe watches no task, the monitor gives it one, which
 * is not counted as a sample.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool/pool_private.h"

enum { STARVED_US = 1000000, AGAIN_US = 10000000 };

bool pool_is_full_locked(const struct pool *pool) {
    return pool->handler.count > 0 && pool->busy >= pool->options.workers;
}

uint64_t pool_starved_locked(struct pool *pool) {
    struct probe *probe = &pool->handler_probe;
    if (pool->options.starved == NULL || !pool_is_full_locked(pool))
        return 0;
    uint64_t now = pool_now_us();
    if (probe->task == NULL) {
        probe->task = pool->handler.last;
        probe->queued_at = now;
        probe->is_sample = false;
    }
    uint64_t waited = now - probe->queued_at;
    if (waited < STARVED_US || probe->over_limit || now < pool->starved_again)
        return 0;
    pool->starved_again = now + AGAIN_US;
    return waited / 1000;
}
