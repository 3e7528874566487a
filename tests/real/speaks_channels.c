/* speaks_channels.c - a plug-in for test_channels_protocol.py: weir.v1 by a handler of its own, which knows its
 * users by the path and says who may do what. In a channel that begins with "own:" only the user behind that name
 * may publish; into "secret" nobody gets.
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include <weir/weir.h>

static int upgrade(weir_upgrade *upgrade, void *context) {
    (void)context;
    return weir_upgrade_set_user(upgrade, weir_upgrade_param(upgrade, "user"));
}

static int subscribe(weir_conn *conn, const char *channel, void *context) {
    (void)conn, (void)context;
    return strcmp(channel, "secret") == 0;
}

static int publish(weir_conn *conn, const char *channel, const void *json, size_t size, void *context) {
    (void)context;
    if (size == 7 && memcmp(json, "\"leave\"", size) == 0)
        weir_conn_close(conn, 4000, "as you wish");
    return strncmp(channel, "own:", 4) == 0 && strcmp(channel + 4, weir_conn_user(conn)) != 0;
}

static const struct weir_handler handler = {WEIR_HANDLER_INIT, .upgrade = upgrade, .message = weir_pubsub_message,
                                            .subscribe = subscribe, .publish = publish};

const struct weir_plugin weir_plugin = {.abi = WEIR_PLUGIN_ABI, .name = "speaks_channels", .handler = &handler};
