/* http_server_callbacks.c - what civetweb calls for a connection, in this order: init_connection; for each request
 * begin_request, or http_error for what it cannot read; connection_close; connection_closed. See
 * http_server_private.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "server/http/civetweb/http_server_private.h"
#include "server/http/civetweb/http_server_request.h"
#include "server/http/civetweb/peer.h"
#include "server/log/log.h"

enum { LINK_MAX = 1024, LINK_ORIGIN_MAX = 80 };

/* What a thread knows of the connection that it handles. */
struct visit {
    uint64_t taken; /* bytes that earlier requests of the connection have used up */
    bool failed;    /* callback_error() has answered, and nothing more will come */
};
static _Thread_local struct visit visit;

static struct http_server *callback_server(const struct mg_connection *connection) {
    return mg_get_user_data(mg_get_context(connection));
}

/* From now on no other thread answers the client or cuts it off. Returns false if one has cut it off already. */
static bool callback_hold(struct http_server *server, const struct mg_request_info *info,
                          enum request_phase phase) {
    if (info == NULL)
        return true;
    uint16_t port = (uint16_t)info->remote_port, local_port = (uint16_t)info->server_port;
    if (server->slow_request_reaper != NULL)
        return slow_request_reaper_enter(server->slow_request_reaper, info->remote_addr, port, local_port, phase);
    return half_open_reaper_enter(server->half_open_reaper, info->remote_addr, port, local_port);
}

/* Answers what is not an HTTP request, or one that may not be answered. Each status has its own limit in the log,
 * so that scanners do not hide a user whose cookies are too large. */
static void callback_refuse(struct http_server *server, struct mg_connection *connection, int status,
                            const char *why) {
    static struct log_limit limits[100];
    const struct mg_request_info *info = mg_get_request_info(connection);
    struct http_response response = {0};
    http_respond(&response, status, "%s\n", why);
    if (server->options.error != NULL)
        server->options.error(server->options.context, info == NULL ? NULL : info->request_uri, why, &response);
    bool is_head = info != NULL && info->request_method != NULL && strcmp(info->request_method, "HEAD") == 0;
    mg_disable_connection_keep_alive(connection);
    http_server_respond(connection, &response, !is_head, false);
    http_response_release(&response);
    log_event_limited(&limits[status % 100], LOG_HTTP, LOG_INFO, "bad_request",
                      LOG_FIELDS(LOG_TEXT("peer", info == NULL ? NULL : info->remote_addr),
                                 LOG_NUMBER("status", (uint64_t)status), LOG_TEXT("reason", why)));
}

/* How many bytes the client of a request has sent; -1: not known. */
static int64_t callback_received(const struct http_server *server, const struct mg_request_info *info) {
    struct peer peer = peer_of_text(info->remote_addr, (uint16_t)info->remote_port, (uint16_t)info->server_port);
    return server->started ? listeners_received(&server->listeners, &peer) : -1;
}

/* --- Requests ----------------------------------------------------------------------------------------------- */

/* civetweb gives our address only in the link to the request, "ws://ADDRESS:PORT/...", since it does not check the
 * domain. Returns NULL if the link could be too long once each byte of the path is escaped. */
static const char *callback_local_address(const struct mg_connection *connection,
                                          const struct mg_request_info *info, char link[LINK_MAX]) {
    size_t path_size = info->local_uri == NULL ? LINK_MAX : strlen(info->local_uri);
    if (3 * path_size >= LINK_MAX - LINK_ORIGIN_MAX || mg_get_request_link(connection, link, LINK_MAX) < 0)
        return NULL;
    char *address = strstr(link, "://");
    if (address == NULL)
        return NULL;
    address += 3;
    bool v6 = *address == '[';
    address += v6;
    address[strcspn(address, v6 ? "]" : ":/")] = '\0';
    return address;
}

/* Whether all of the head has come. A head without fields that ends with two LFs looks like one that ends with CR
 * LF CR LF, if an earlier request has left fitting bytes in civetweb's buffer. Only the number of bytes received
 * tells them apart. */
static bool callback_has_head(const struct http_server *server, const struct mg_request_info *info,
                              const struct http_request *request) {
    if (request->header_count > 0)
        return true;
    int64_t received = callback_received(server, info);
    return received < 0 || (uint64_t)received >= visit.taken + request->head_size;
}

static int callback_answer(struct mg_connection *connection, const struct mg_request_info *info, bool is_cut) {
    struct http_server *server = info->user_data;
    struct http_header headers[MG_MAX_HEADERS];
    struct http_request request;
    char link[LINK_MAX];
    const char *why = "";
    if (!callback_hold(server, info, PHASE_WORK)) {
        mg_disable_connection_keep_alive(connection);
        return 408;
    }
    int status = http_server_request_read(info, is_cut, headers, &request, &why);
    if (status == 0 && !callback_has_head(server, info, &request)) {
        status = 400;
        why = "a line of the head does not end with CR LF";
    }
    if (status != 0) {
        callback_refuse(server, connection, status, why);
        return status;
    }
    request.local_address = callback_local_address(connection, info, link);
    return http_server_answer(server, connection, &request, &visit.taken);
}

static int callback_request(struct mg_connection *connection) {
    return callback_answer(connection, mg_get_request_info(connection), true);
}

/* --- Requests that civetweb itself could not make sense of -------------------------------------------------- */

/* Whether as much has come as civetweb's buffer holds. civetweb does not say so. */
static bool callback_is_too_large(const struct http_server *server, const struct mg_request_info *info) {
    int64_t received = callback_received(server, info);
    return received >= 0 && (uint64_t)received >= visit.taken + HTTP_HEAD_MAX;
}

/* Explains a head whose end was not found, or that has a control character. */
static int callback_explain_head(const struct http_server *server, const struct mg_request_info *info,
                                 const char **why) {
    bool too_large = callback_is_too_large(server, info);
    *why = too_large ? "the request's head is larger than 16384 bytes: cookies, perhaps, or a token"
                     : "the request's head has no end, or a control character in it, such as a tab";
    return too_large ? 431 : 400;
}

/* Returns the right status, and the reason in *why. */
static int callback_explain(const struct http_server *server, const struct mg_request_info *info, int status,
                            const char **why) {
    *why = status == 505 ? "the HTTP version must be 1.1 or 1.0" : http_status_text(status);
    if (info == NULL || (status != 400 && status != 411))
        return status;
    return info->request_method == NULL ? callback_explain_head(server, info, why)
                                        : http_server_request_explain(info, why);
}

/* civetweb calls this for a request that it rejects. With "Invalid URI" it has read the request well, and only
 * rejects its target. */
static int callback_error(struct mg_connection *connection, int status, const char *message) {
    struct http_server *server = callback_server(connection);
    const struct mg_request_info *info = mg_get_request_info(connection);
    const char *why;
    visit.failed = true;
    if (!callback_hold(server, info, PHASE_ANSWER))
        return 0;
    if (info != NULL && strcmp(message, "Invalid URI") == 0) {
        callback_answer(connection, info, false);
        return 0;
    }
    status = callback_explain(server, info, status, &why);
    callback_refuse(server, connection, status, why);
    return 0;
}

/* --- Connections -------------------------------------------------------------------------------------------- */

static int callback_begin(const struct mg_connection *connection, void **data) {
    (void)data;
    struct http_server *server = callback_server(connection);
    server->busy++;
    visit = (struct visit){0};
    if (server->slow_request_reaper != NULL)
        slow_request_reaper_begin(server->slow_request_reaper);
    else
        half_open_reaper_wake(server->half_open_reaper);
    return 0;
}

/* civetweb closes without an answer when the target is an asterisk, or a URI with a port other than its own. */
static bool callback_is_unanswered(const struct mg_request_info *info) {
    return info != NULL && !visit.failed && info->request_uri != NULL && info->local_uri_raw == NULL;
}

static void callback_close(const struct mg_connection *connection) {
    const struct mg_request_info *info = mg_get_request_info(connection);
    if (callback_is_unanswered(info))
        callback_answer((struct mg_connection *)connection, info, false);
    callback_hold(callback_server(connection), info, PHASE_CLOSING);
}

static void callback_closed(const struct mg_connection *connection) {
    struct http_server *server = callback_server(connection);
    if (server->slow_request_reaper != NULL)
        slow_request_reaper_end(server->slow_request_reaper);
    else
        half_open_reaper_leave(server->half_open_reaper);
    server->busy--;
}

void http_server_set_callbacks(struct mg_callbacks *callbacks) {
    callbacks->init_connection = callback_begin;
    callbacks->begin_request = callback_request;
    callbacks->connection_close = callback_close;
    callbacks->connection_closed = callback_closed;
    callbacks->http_error = callback_error;
}
