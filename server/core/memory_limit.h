/* memory_limit.h - enforces memory_limit: closes the clients that hold most of the messages in memory.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CORE_MEMORY_LIMIT_H
#define WEIR_CORE_MEMORY_LIMIT_H

#include <stdatomic.h>
#include <stdint.h>

#include "pool/pool.h"

struct core;

struct memory_limit {
    _Atomic int64_t limit; /* bytes; 0: no limit */
    _Atomic bool active;
    struct task task;
    struct timer timer; /* guarded by the pool's mutex */
};

void memory_limit_init(struct memory_limit *enforcer, int64_t limit);

/* To be called after messages have been added in memory. Any thread may call it, with or without the registry's
 * mutex or a connection's mutex held. It closes no connection itself: a task does. */
void memory_limit_check(struct core *core);

#endif
