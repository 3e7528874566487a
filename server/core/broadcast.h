/* broadcast.h - sends one message to all connections of a route. Any thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CORE_BROADCAST_H
#define WEIR_CORE_BROADCAST_H

#include "server/core/core.h"

/* Does what weir_conn_broadcast() does, for a route. `except` may be NULL. */
long broadcast_to_route(struct route *route, const weir_conn *except, enum weir_opcode opcode, const void *data,
                        size_t size);

#endif
