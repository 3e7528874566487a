/* echo_slowly.c - a plug-in for test_drain.py: blocks for a millisecond, then sends the message back.
 *
 * SPDX-License-Identifier: MIT
 */
#include <time.h>

#include <weir/weir.h>

static void message(weir_conn *conn, enum weir_opcode opcode, const void *data, size_t size, void *context) {
    (void)context;
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    weir_conn_send(conn, opcode, data, size);
}

static const struct weir_handler handler = {WEIR_HANDLER_INIT, .message = message};

const struct weir_plugin weir_plugin = {.abi = WEIR_PLUGIN_ABI, .name = "echo_slowly", .handler = &handler};
