/* sleep.c - the plug-in of weir for the route /sleep of the benchmark: sends each message back, and sleeps N ms
 * before if the message begins with "sleep N", as a handler does that asks a device or a database.
 *
 *     [route /sleep]
 *     handler = plugin:build/bench/sleep.so
 *
 * It blocks, so it does not say WEIR_NEVER_BLOCKS: each message takes one of the server's `workers` for that time.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <weir/weir.h>

static void sleep_message(weir_conn *conn, enum weir_opcode opcode, const void *data, size_t size, void *context) {
    (void)context;
    char text[32] = "";
    unsigned milliseconds;
    if (size > 0)
        memcpy(text, data, size < sizeof text ? size : sizeof text - 1);
    if (sscanf(text, "sleep %u", &milliseconds) == 1)
        usleep(milliseconds * 1000);
    weir_conn_send(conn, opcode, data, size);
}

static const struct weir_handler handler = {WEIR_HANDLER_INIT, .message = sleep_message};

const struct weir_plugin weir_plugin = {.abi = WEIR_PLUGIN_ABI, .name = "sleep", .handler = &handler};
