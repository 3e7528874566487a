/* broadcast.c - sends every message to every client of the route.
 *
 * SPDX-License-Identifier: MIT
 */
#include <weir/weir.h>

#include "server/handlers/builtin.h"

static void spread(weir_conn *conn, enum weir_opcode opcode, const void *data, size_t size, void *context) {
    const struct builtin_route *route = context;
    weir_conn_broadcast(conn, opcode, data, size, route->echo_self);
}

const struct weir_handler handler_broadcast = {WEIR_HANDLER_INIT, .message = spread, .flags = WEIR_NEVER_BLOCKS};
