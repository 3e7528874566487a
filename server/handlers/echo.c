/* echo.c - sends every message back to its sender.
 *
 * SPDX-License-Identifier: MIT
 */
#include <weir/weir.h>

#include "server/handlers/builtin.h"

static void echo(weir_conn *conn, enum weir_opcode opcode, const void *data, size_t size, void *context) {
    (void)context;
    weir_conn_send(conn, opcode, data, size);
}

const struct weir_handler handler_echo = {WEIR_HANDLER_INIT, .message = echo, .flags = WEIR_NEVER_BLOCKS};
