/* latch.c - see latch.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/latch.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A thread that has slept cannot tell whether others still sleep, so it takes the latch as LATCH_AWAITED. At worst
 * one later wake-up finds no sleeper. */
void latch_wait(struct latch *latch) {
    while (atomic_exchange_explicit(&latch->state, LATCH_AWAITED, memory_order_acquire) != LATCH_FREE)
        syscall(SYS_futex, &latch->state, FUTEX_WAIT_PRIVATE, LATCH_AWAITED, NULL, NULL, 0);
}

/* Uses only the address. If the latch is gone by now, this wakes no thread, or one that checks its state again. */
void latch_wake(struct latch *latch) {
    syscall(SYS_futex, &latch->state, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}
