/* small_mutex.h - a mutex of four bytes, for objects that exist in very large numbers: a pthread_mutex_t has forty.
 * Like a mutex it has a rank in the lock order (mutex.h). It cannot be used with a condition variable.
 *
 * This is the second mutex of Ulrich Drepper's "Futexes are tricky": it calls the kernel only if a thread waits. A
 * waiting thread sleeps at once, without spinning, and waiting threads have no order, because what is done under a
 * mutex is brief.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BASE_SMALL_MUTEX_H
#define WEIR_BASE_SMALL_MUTEX_H

#include <stdatomic.h>

#include "base/mutex.h"

enum small_mutex_state { SMALL_MUTEX_FREE, SMALL_MUTEX_HELD, SMALL_MUTEX_AWAITED };

struct small_mutex {
    _Atomic uint32_t state; /* enum small_mutex_state; SMALL_MUTEX_AWAITED: held, and a thread may be asleep */
#ifdef WEIR_CHECK_LOCKS
    unsigned rank;
#endif
};

#ifdef WEIR_CHECK_LOCKS
void small_mutex_check_lock(const struct small_mutex *mutex);
void small_mutex_check_unlock(const struct small_mutex *mutex);
void small_mutex_check_held(const struct small_mutex *mutex);
#else
static inline void small_mutex_check_lock(const struct small_mutex *mutex) {
    (void)mutex;
}
static inline void small_mutex_check_unlock(const struct small_mutex *mutex) {
    (void)mutex;
}
static inline void small_mutex_check_held(const struct small_mutex *mutex) {
    (void)mutex;
}
#endif

static inline void small_mutex_init(struct small_mutex *mutex, unsigned rank) {
    atomic_init(&mutex->state, SMALL_MUTEX_FREE);
#ifdef WEIR_CHECK_LOCKS
    mutex->rank = rank;
#else
    (void)rank;
#endif
}

/* The slow paths, for a mutex that another thread holds or waits for. */
void small_mutex_wait(struct small_mutex *mutex);
void small_mutex_wake(struct small_mutex *mutex);

static inline void small_mutex_lock(struct small_mutex *mutex) {
    uint32_t unheld = SMALL_MUTEX_FREE;
    small_mutex_check_lock(mutex);
    if (!atomic_compare_exchange_strong_explicit(&mutex->state, &unheld, SMALL_MUTEX_HELD, memory_order_acquire,
                                                 memory_order_relaxed))
        small_mutex_wait(mutex);
}

/* The next holder may free the memory of the mutex, so nothing of it is read after the exchange. */
static inline void small_mutex_unlock(struct small_mutex *mutex) {
    small_mutex_check_unlock(mutex);
    if (atomic_exchange_explicit(&mutex->state, SMALL_MUTEX_FREE, memory_order_release) == SMALL_MUTEX_AWAITED)
        small_mutex_wake(mutex);
}

#endif
