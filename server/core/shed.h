/* shed.h - enforces memory_limit: closes the clients that hold most of the messages in memory.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CORE_SHED_H
#define WEIR_CORE_SHED_H

#include <stdatomic.h>
#include <stdint.h>

#include "pool/pool.h"

struct core;

struct shed {
    _Atomic int64_t limit; /* bytes; 0: no limit */
    _Atomic bool active;
    struct task task;
    struct timer timer; /* guarded by the pool's mutex */
};

void shed_init(struct shed *shed, int64_t limit);

/* To be called after messages have been added in memory. Any thread may call it, with or without the registry's
 * mutex or a connection's latch held. It closes no connection itself: a task does. */
void shed_check(struct core *core);

#endif
