/* small_mutex.c - see small_mutex.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/small_mutex.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A thread that has slept cannot tell whether others still sleep, so it takes the mutex as SMALL_MUTEX_AWAITED. At
 * worst one later wake-up finds no sleeper. */
void small_mutex_wait(struct small_mutex *mutex) {
    while (atomic_exchange_explicit(&mutex->state, SMALL_MUTEX_AWAITED, memory_order_acquire) != SMALL_MUTEX_FREE)
        syscall(SYS_futex, &mutex->state, FUTEX_WAIT_PRIVATE, SMALL_MUTEX_AWAITED, NULL, NULL, 0);
}

/* Uses only the address. If the mutex is gone by now, this wakes no thread, or one that checks its state again. */
void small_mutex_wake(struct small_mutex *mutex) {
    syscall(SYS_futex, &mutex->state, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}
