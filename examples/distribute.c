/* distribute.c - whatever a client sends reaches every client of the route, the sender too.
 *
 *     [route /distribute]
 *     handler = plugin:../build/examples/distribute.so
 *
 * There is no list of clients to keep: who connects is registered, who leaves is forgotten, by the server. The
 * message is encoded once, and a client that does not read holds up nobody.
 *
 * SPDX-License-Identifier: MIT
 */
#include <weir/weir.h>

static void distribute_message(weir_conn *conn, enum weir_opcode opcode, const void *data, size_t size,
                               void *context) {
    (void)context;
    weir_broadcast(conn, opcode, data, size, true);
}

/* A broadcast only queues, so this never blocks, and the server need not give it a slot of its `workers`. A
 * handler that might wait for anything must not say so. */
static const struct weir_handler handler = {.message = distribute_message, .flags = WEIR_NEVER_BLOCKS};

const struct weir_plugin weir_plugin = {.abi = WEIR_PLUGIN_ABI, .name = "distribute", .handler = &handler};
