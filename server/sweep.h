/* sweep.h - takes a step for every connection of a server, for a reload and for a stop. The thread that runs the
 * server calls it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_SERVER_SWEEP_H
#define WEIR_SERVER_SWEEP_H

#include "server/core/core.h"

/* Adds to `ready` the tasks that the connection has to run. It is called under the registry's lock. */
typedef void sweep_step(struct weir_conn *conn, struct task_list *ready);

/* Takes the step for at most `count` connections, in the order of the registry, from `*position` on, which it
 * moves. Returns the number of connections; less than `count`: these were the last ones. */
unsigned sweep_some(struct core *core, sweep_step *step, uint32_t *position, unsigned count);

/* Takes the step for all connections, in portions, so that no thread waits long for the registry. */
void sweep_all(struct core *core, sweep_step *step);

#endif
