/* channels_from_c.c - a plug-in for test_channels_together.py: its clients use the channel "room:all" through the
 * functions of channel.h. On the route's path, {what} is `hear` for a client that is subscribed; on `say` and
 * `json` what a client sends is published, as it is or as a JSON value, by a thread of the plug-in.
 *
 * SPDX-License-Identifier: MIT
 */
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include <weir/weir.h>

static const char channel[] = "room:all";

static bool wants(weir_conn *conn, const char *what) {
    return strcmp(weir_conn_param(conn, "what"), what) == 0;
}

static void open_connection(weir_conn *conn, void *context) {
    (void)context;
    if (wants(conn, "hear") && weir_conn_subscribe(conn, channel, NULL, NULL) != WEIR_OK)
        weir_conn_close(conn, 1011, "not subscribed");
}

struct publication {
    weir_server *server;
    bool is_json;
    enum weir_opcode opcode;
    const void *data;
    size_t size;
    enum weir_status result;
};

static void *publish(void *argument) {
    struct publication *what = argument;
    what->result = what->is_json
                       ? weir_publish_json(what->server, channel, what->data, what->size, NULL, NULL)
                       : weir_publish(what->server, channel, what->opcode, what->data, what->size, NULL, NULL);
    return NULL;
}

static void message(weir_conn *conn, enum weir_opcode opcode, const void *data, size_t size, void *context) {
    (void)context;
    struct publication what = {weir_conn_server(conn), wants(conn, "json"), opcode, data, size, WEIR_OK};
    pthread_t thread;
    if (pthread_create(&thread, NULL, publish, &what) != 0 || pthread_join(thread, NULL) != 0 ||
        what.result != WEIR_OK)
        weir_conn_close(conn, 1011, "not published");
}

static const struct weir_handler handler = {WEIR_HANDLER_INIT, .open = open_connection, .message = message};

const struct weir_plugin weir_plugin = {.abi = WEIR_PLUGIN_ABI, .name = "channels_from_c", .handler = &handler};
