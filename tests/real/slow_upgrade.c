/* slow_upgrade.c - a plug-in for test_half_open.py: thinks for three seconds before it lets a client in, and then
 * echoes.
 *
 * SPDX-License-Identifier: MIT
 */
#include <time.h>

#include <weir/weir.h>

static int upgrade(weir_upgrade *upgrade, void *context) {
    (void)upgrade, (void)context;
    nanosleep(&(struct timespec){.tv_sec = 3}, NULL);
    return 0;
}

static void message(weir_conn *conn, enum weir_opcode opcode, const void *data, size_t size, void *context) {
    (void)context;
    weir_conn_send(conn, opcode, data, size);
}

static const struct weir_handler handler = {WEIR_HANDLER_INIT, .upgrade = upgrade, .message = message};

const struct weir_plugin weir_plugin = {.abi = WEIR_PLUGIN_ABI, .name = "slow_upgrade", .handler = &handler};
