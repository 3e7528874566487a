/* latch.h - a mutex of four bytes, for objects that exist in very large numbers: a pthread_mutex_t has forty. Like
 * a mutex it has a rank in the lock order (mutex.h). It cannot be used with a condition variable.
 *
 * This is the second mutex of Ulrich Drepper's "Futexes are tricky": it calls the kernel only if a thread waits. A
 * waiting thread sleeps at once, without spinning, and waiting threads have no order, because what is done under a
 * latch is brief.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BASE_LATCH_H
#define WEIR_BASE_LATCH_H

#include <stdatomic.h>

#include "base/mutex.h"

enum latch_state { LATCH_FREE, LATCH_HELD, LATCH_AWAITED };

struct latch {
    _Atomic uint32_t state; /* enum latch_state; LATCH_AWAITED: held, and a thread may be asleep */
#ifdef WEIR_CHECK_LOCKS
    unsigned rank;
#endif
};

#ifdef WEIR_CHECK_LOCKS
void latch_check_lock(const struct latch *latch);
void latch_check_unlock(const struct latch *latch);
void latch_check_held(const struct latch *latch);
#else
static inline void latch_check_lock(const struct latch *latch) {
    (void)latch;
}
static inline void latch_check_unlock(const struct latch *latch) {
    (void)latch;
}
static inline void latch_check_held(const struct latch *latch) {
    (void)latch;
}
#endif

static inline void latch_init(struct latch *latch, unsigned rank) {
    atomic_init(&latch->state, LATCH_FREE);
#ifdef WEIR_CHECK_LOCKS
    latch->rank = rank;
#else
    (void)rank;
#endif
}

/* The slow paths, for a latch that another thread holds or waits for. */
void latch_wait(struct latch *latch);
void latch_wake(struct latch *latch);

static inline void latch_lock(struct latch *latch) {
    uint32_t unheld = LATCH_FREE;
    latch_check_lock(latch);
    if (!atomic_compare_exchange_strong_explicit(&latch->state, &unheld, LATCH_HELD, memory_order_acquire,
                                                 memory_order_relaxed))
        latch_wait(latch);
}

/* The next holder may free the memory of the latch, so nothing of it is read after the exchange. */
static inline void latch_unlock(struct latch *latch) {
    latch_check_unlock(latch);
    if (atomic_exchange_explicit(&latch->state, LATCH_FREE, memory_order_release) == LATCH_AWAITED)
        latch_wake(latch);
}

#endif
