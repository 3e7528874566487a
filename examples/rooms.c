/* rooms.c - weir.v1 (docs/protocol.md) with named users, and rules for who may subscribe and publish to what.
 *
 *     [route /chat]
 *     handler = plugin:../build/examples/rooms.so
 *     subprotocols = weir.v1
 *
 *     build/weir connect -s weir.v1 'ws://127.0.0.1:9000/chat?name=ann'
 *
 * Everyone may subscribe and publish to room:*. Everyone may publish to user:ann, but only ann may subscribe to
 * it. Everyone may subscribe to news:*, but no client may publish there: news comes from C (weir_publish()) or
 * over HTTP (docs/deploy.md). All other channels are refused. conf/chat.ini has the route. chat.html is a client.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdbool.h>
#include <string.h>

#include <weir/weir.h>

enum { NAME_MAX_SIZE = 32 };
static const char name_alphabet[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";

/* Copies the value of `name` from a query such as "name=ann&x=1". There is nothing to decode, because no client
 * percent-encodes the characters that a name may have. Returns false if the name is missing, empty, too long, or
 * has other characters. */
static bool read_name(const char *query, char name[NAME_MAX_SIZE + 1]) {
    static const char key[] = "name=";
    while (strncmp(query, key, strlen(key)) != 0) {
        query = strchr(query, '&');
        if (query == NULL)
            return false;
        query++;
    }
    query += strlen(key);
    size_t size = strspn(query, name_alphabet);
    if (size == 0 || size > NAME_MAX_SIZE || (query[size] != '\0' && query[size] != '&'))
        return false;
    memcpy(name, query, size);
    name[size] = '\0';
    return true;
}

/* A real server would not trust a name. It would check a cookie or a token (weir_upgrade_header()). That may take
 * time: `upgrade` may block. */
static int rooms_upgrade(weir_upgrade *upgrade, void *context) {
    (void)context;
    char name[NAME_MAX_SIZE + 1];
    if (!read_name(weir_upgrade_query(upgrade), name))
        return weir_upgrade_refuse(upgrade, 400, "name=: 1 to 32 letters, digits and characters of _-.\n");
    if (weir_upgrade_set_user(upgrade, name) != WEIR_OK)
        return weir_upgrade_refuse(upgrade, 503, "out of memory\n");
    return 0;
}

static bool begins_with(const char *text, const char *prefix) {
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static int rooms_subscribe(weir_conn *conn, const char *channel, void *context) {
    (void)context;
    bool allowed = begins_with(channel, "room:") || begins_with(channel, "news:");
    if (begins_with(channel, "user:"))
        allowed = strcmp(channel + strlen("user:"), weir_conn_user(conn)) == 0;
    return allowed ? 0 : -1;
}

static int rooms_publish(weir_conn *conn, const char *channel, const void *json, size_t size, void *context) {
    (void)conn, (void)json, (void)size, (void)context;
    return begins_with(channel, "room:") || begins_with(channel, "user:") ? 0 : -1;
}

/* weir_pubsub_message() handles the protocol. No callback here waits for anything, so the handler needs no permit.
 */
static const struct weir_handler handler = {
    WEIR_HANDLER_INIT,
    .upgrade = rooms_upgrade,
    .message = weir_pubsub_message,
    .subscribe = rooms_subscribe,
    .publish = rooms_publish,
    .flags = WEIR_NEVER_BLOCKS,
};

const struct weir_plugin weir_plugin = {.abi = WEIR_PLUGIN_ABI, .name = "rooms", .handler = &handler};
