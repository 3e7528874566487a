/* api_connections.c - the API's connections: which there are, and closing them.
 *
 * SPDX-License-Identifier: MIT
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/admin/api.h"
#include "server/core/conn.h"

enum { LISTED = 100, LISTED_MAX = 1000, CODE_NORMAL = 1000, CODE_MAX = 4999 };

static void api_connections_write_member(struct json_writer *writer, const char *name, const char *text) {
    if (text == NULL)
        return;
    json_key(writer, name);
    api_write_string(writer, text);
}

static void api_connections_write_connection(struct json_writer *writer, struct weir_conn *conn) {
    char text[64];
    json_begin_object(writer);
    json_key(writer, "id");
    json_write_quoted_number(writer, weir_conn_id(conn));
    api_connections_write_member(writer, "route", conn->route->pattern);
    api_connections_write_member(writer, "path", weir_conn_path(conn));
    api_connections_write_member(writer, "peer", weir_conn_peer(conn));
    api_connections_write_member(writer, "client", conn_string(conn, conn->client));
    api_connections_write_member(writer, "user", weir_conn_user(conn));
    api_connections_write_member(writer, "subprotocol", weir_conn_subprotocol(conn));
    json_key(writer, "connected_seconds");
    json_write_seconds(writer, (double)(pool_now() - conn->opened_at) / 1000);
    json_key(writer, "buffered_bytes");
    json_write_number(writer, weir_conn_buffered(conn));
    long round_trip_us = weir_conn_round_trip(conn);
    if (round_trip_us >= 0) {
        snprintf(text, sizeof text, "%ld.%06ld", round_trip_us / 1000000, round_trip_us % 1000000);
        json_key(writer, "round_trip_seconds");
        json_write_literal(writer, text);
    }
    json_end_object(writer);
}

/* --- The list ----------------------------------------------------------------------------------------------- */

/* They are collected under the registry's mutex, and written without it. */
struct collection {
    struct weir_conn **conns;
    unsigned count;
};

static void api_connections_collect(struct weir_conn *conn, void *arg) {
    struct collection *collection = arg;
    collection->conns[collection->count++] = weir_conn_retain(conn);
}

static void api_connections_write_list(struct json_writer *writer, const struct collection *collection,
                                       unsigned count, const uint32_t *next) {
    json_begin_object(writer);
    json_key(writer, "connections");
    json_begin_array(writer);
    for (unsigned i = 0; i < collection->count; i++)
        api_connections_write_connection(writer, collection->conns[i]);
    json_end_array(writer);
    json_key(writer, "count");
    json_write_number(writer, count);
    if (next != NULL) {
        json_key(writer, "next");
        json_write_quoted_number(writer, *next);
    }
    json_end_object(writer);
}

void api_connections_list(struct api_call *call) {
    struct registry *registry = &call->api->core->registry;
    struct json_writer writer = {0};
    uint64_t limit, cursor;
    if (!api_number_of(call, "limit", 1, LISTED_MAX, LISTED, &limit) ||
        !api_number_of(call, "cursor", 0, UINT32_MAX, 0, &cursor))
        return;
    uint32_t position = (uint32_t)cursor;
    struct collection collection = {.conns = calloc((size_t)limit, sizeof(struct weir_conn *))};
    if (collection.conns != NULL) {
        bool more =
            registry_each_from(registry, &position, (unsigned)limit, api_connections_collect, &collection) == limit;
        api_connections_write_list(&writer, &collection, registry_count(registry), more ? &position : NULL);
    } else {
        writer.failed = true;
    }
    for (unsigned i = 0; i < collection.count; i++)
        weir_conn_release(collection.conns[i]);
    free(collection.conns);
    api_respond(call->response, 200, &writer);
}

/* --- One ---------------------------------------------------------------------------------------------------- */

/* Returns the connection with a reference; or NULL, and then that has been answered. */
static struct weir_conn *api_connections_find(struct api_call *call) {
    uint64_t id;
    if (!api_number(call->name, UINT64_MAX, &id)) {
        api_error(call->response, 400, "invalid_connection", "A connection's id is a whole number.");
        return NULL;
    }
    struct weir_conn *conn = registry_find(&call->api->core->registry, id);
    if (conn == NULL)
        api_error(call->response, 404, "unknown_connection", "There is no connection %" PRIu64 ".", id);
    return conn;
}

void api_connection_look(struct api_call *call) {
    struct json_writer writer = {0};
    struct weir_conn *conn = api_connections_find(call);
    if (conn == NULL)
        return;
    api_connections_write_connection(&writer, conn);
    weir_conn_release(conn);
    api_respond(call->response, 200, &writer);
}

static void api_connections_respond_closing(struct api_call *call, enum weir_status result) {
    struct json_writer writer = {0};
    if (result == WEIR_INVALID) {
        api_error(call->response, 400, "invalid_close",
                  "A code is 1000 to 1003, 1007 to 1014 or 3000 to 4999, a reason at most 123 bytes of UTF-8.");
    } else if (result == WEIR_CLOSED) {
        api_error(call->response, 409, "closing", "The connection is closing already.");
    } else {
        json_begin_object(&writer);
        json_key(&writer, "closing");
        json_write_string(&writer, call->name);
        json_end_object(&writer);
        api_respond(call->response, 202, &writer);
    }
}

void api_connection_close(struct api_call *call) {
    uint64_t code;
    if (!api_number_of(call, "code", CODE_NORMAL, CODE_MAX, CODE_NORMAL, &code))
        return;
    struct weir_conn *conn = api_connections_find(call);
    if (conn == NULL)
        return;
    enum weir_status result = weir_conn_close(conn, (unsigned)code, api_query_text(&call->query, "reason"));
    weir_conn_release(conn);
    api_connections_respond_closing(call, result);
}
