/* shed.h - what keeps memory_limit: closes the clients that hold most of the messages in memory.
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
    _Atomic int64_t limit; /* bytes; 0: none */
    _Atomic bool active;
    struct task task;
    struct timer timer; /* the pool's */
};

void shed_init(struct shed *shed, int64_t limit);

/* To be called, by any thread and with the registry's mutex or a connection's latch held or not, after messages
 * have come into memory. Closes nobody itself: a task does. */
void shed_check(struct core *core);

#endif
