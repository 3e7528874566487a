/* send_then_block.c - a plug-in for test_blocking.py: sends `first` and broadcasts `news`, blocks, sends `second`.
 *
 * SPDX-License-Identifier: MIT
 */
#include <time.h>

#include <weir/weir.h>

static void message(weir_conn *conn, enum weir_opcode opcode, const void *data, size_t size, void *context) {
    (void)data, (void)size, (void)context;
    weir_conn_send(conn, opcode, "first", 5);
    weir_conn_broadcast(conn, opcode, "news", 4, false);
    nanosleep(&(struct timespec){.tv_sec = 3}, NULL);
    weir_conn_send(conn, opcode, "second", 6);
}

static const struct weir_handler handler = {WEIR_HANDLER_INIT, .message = message};

const struct weir_plugin weir_plugin = {.abi = WEIR_PLUGIN_ABI, .name = "send_then_block", .handler = &handler};
