/* every_callback.c - a plug-in for test_memory_failures.py: an echo that has all callbacks, looks at what only
 * `open` may ask for, and closes with 1011 what it cannot answer.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>

#include <weir/weir.h>

static int upgrade(weir_upgrade *upgrade, void *context) {
    (void)context;
    return weir_upgrade_set_user(upgrade, "visitor") == 0 ? 0 : weir_upgrade_refuse(upgrade, 503, "Out of memory.");
}

static void open(weir_conn *conn, void *context) {
    (void)context;
    if (weir_conn_header(conn, "Host") == NULL || weir_conn_user(conn) == NULL)
        weir_conn_close(conn, 1002, "what open is promised is not there");
}

static void message(weir_conn *conn, enum weir_opcode opcode, const void *data, size_t size, void *context) {
    (void)context;
    if (weir_conn_send(conn, opcode, data, size) == WEIR_NO_MEMORY)
        weir_conn_close(conn, 1011, "out of memory");
}

static void drained(weir_conn *conn, void *context) {
    (void)conn, (void)context;
}

static void close(weir_conn *conn, unsigned code, const char *reason, void *context) {
    (void)conn, (void)code, (void)reason, (void)context;
}

static const struct weir_handler handler = {WEIR_HANDLER_INIT,  .upgrade = upgrade, .open = open,
                                            .message = message, .drained = drained, .close = close};

const struct weir_plugin weir_plugin = {.abi = WEIR_PLUGIN_ABI, .name = "every_callback", .handler = &handler};
