/* wake.c - wakes threads of the pool. See wake.h, which decides when.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool/wake.h"

void pool_wake_one_locked(struct pool *pool) {
    if (pool->sleeping > pool->waking) {
        pool->waking++;
        pool->wakeups++;
        pthread_cond_signal(&pool->work);
    } else {
        pool_wake_poller_locked(pool);
    }
}

void pool_wake_poller_locked(struct pool *pool) {
    if (pool->polling && !pool->poller_woken) {
        pool->poller_woken = true;
        poller_wake(&pool->poller);
    }
}
