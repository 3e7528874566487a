/* latch.c - see latch.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool/latch.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Who has slept cannot tell whether others do, and takes it as awaited: at worst, one wakes nobody. */
void latch_wait(struct latch *latch) {
    while (atomic_exchange_explicit(&latch->state, LATCH_AWAITED, memory_order_acquire) != LATCH_FREE)
        syscall(SYS_futex, &latch->state, FUTEX_WAIT_PRIVATE, LATCH_AWAITED, NULL, NULL, 0);
}

/* The address alone is used: if the latch is gone meanwhile, this wakes nobody, or somebody who looks again. */
void latch_wake(struct latch *latch) {
    syscall(SYS_futex, &latch->state, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}
