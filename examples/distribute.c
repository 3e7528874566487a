/* distribute.c - sends each message of a client to every client of the route, including the sender.
 *
 *     [route /distribute]
 *     handler = plugin:../build/examples/distribute.so
 *
 * The handler keeps no list of clients, because the server does. The server encodes the message once, and a client
 * that does not read delays no other client.
 *
 * SPDX-License-Identifier: MIT
 */
#include <weir/weir.h>

static void distribute_message(weir_conn *conn, enum weir_opcode opcode, const void *data, size_t size,
                               void *context) {
    (void)context;
    weir_conn_broadcast(conn, opcode, data, size, true);
}

/* A broadcast only queues the message. So this handler never blocks, and needs none of the server's `workers`
 * permits. A handler that may wait for anything must not set WEIR_NEVER_BLOCKS. */
static const struct weir_handler handler = {WEIR_HANDLER_INIT, .message = distribute_message,
                                            .flags = WEIR_NEVER_BLOCKS};

const struct weir_plugin weir_plugin = {.abi = WEIR_PLUGIN_ABI, .name = "distribute", .handler = &handler};
