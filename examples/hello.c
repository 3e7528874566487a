/* hello.c - a minimal plug-in: greets each client by the name in its path, and answers each message.
 *
 *     cc -std=gnu17 -shared -fPIC -Iinclude -o hello.so examples/hello.c
 *
 *     [route /hello/{name}]
 *     handler = plugin:hello.so
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>

#include <weir/weir.h>

static void greet(weir_conn *conn, void *context) {
    (void)context;
    const char *name = weir_conn_param(conn, "name");
    char text[128];
    int size = snprintf(text, sizeof text, "hello, %s", name ? name : "stranger");
    if (size < (int)sizeof text)
        weir_conn_send(conn, WEIR_TEXT, text, (size_t)size);
    else
        weir_conn_close(conn, 1008, "that name is too long");
}

static void answer(weir_conn *conn, enum weir_opcode opcode, const void *data, size_t size, void *context) {
    (void)opcode, (void)data, (void)context;
    char text[64];
    int length = snprintf(text, sizeof text, "thank you for %zu bytes", size);
    weir_conn_send(conn, WEIR_TEXT, text, (size_t)length);
}

static const struct weir_handler handler = {WEIR_HANDLER_INIT, .open = greet, .message = answer};

const struct weir_plugin weir_plugin = {.abi = WEIR_PLUGIN_ABI, .name = "hello", .handler = &handler};
