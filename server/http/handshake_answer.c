/* handshake_answer.c - see handshake_answer.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/http/handshake_answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/core/conn.h"
#include "server/http/handshake_http.h"
#include "server/log/log.h"
#include "ws/close_code.h"

enum { PEER_MAX = 64 };

/* One upgrade under way, on its thread's stack. */
struct handshake {
    const struct http_request *request;
    struct http_response *response;
    const struct route_entries *entries;
    const struct route_entry *entry;
    bool has_route;
    struct router_match match;
    char *path, *storage; /* both in the heap: the decoded path, and the router's memory */
    struct negotiated negotiated;
    char peer[PEER_MAX];
    struct address address;         /* the client's; the limits count for it */
    char client[ADDRESS_TEXT_SIZE]; /* the same as text, if it is not the peer's; else "" */
    struct limited_address *limited_address;
    char accept[HANDSHAKE_ACCEPT_SIZE];
    enum refusal refusal; /* the reason, if it is refused */
    const char *why;      /* what is wrong with the handshake; NULL: nothing */
};

/* --- Refusals ---------------------------------------------------------------------------------------------- */

static bool handshake_refuse_busy(struct handshake *handshake, enum refusal refusal, const char *why) {
    handshake->refusal = refusal;
    handshake->response->headers = "Retry-After: 1\r\n";
    http_respond(handshake->response, 503, "%s\n", why);
    return false;
}

static bool handshake_refuse_greedy(struct handshake *handshake, enum refusal refusal, unsigned limit,
                                    const char *of_what) {
    handshake->refusal = refusal;
    handshake->response->headers = "Retry-After: 1\r\n";
    http_respond(handshake->response, 429, "One address may have %u %s.\n", limit, of_what);
    return false;
}

/* The address that a proxy speaks for, or NULL. */
static const char *handshake_client_of(const struct handshake *handshake) {
    return handshake->client[0] == '\0' ? NULL : handshake->client;
}

/* The Origin of a client that was refused for it, so that the operator can allow it. Others would only fill the
 * log. */
static const char *handshake_origin_refused(const struct handshake *handshake) {
    return handshake->refusal == REFUSED_ORIGIN ? http_request_header(handshake->request, "Origin") : NULL;
}

/* Each status has a limit of its own, since a client can be refused as often as it likes. */
static void handshake_log_refusal(const struct handshake *handshake) {
    static struct log_limit limits[600 - 400];
    int status = handshake->response->status;
    struct log_limit *limit = &limits[status < 400 || status > 599 ? 0 : status - 400];
    log_event_limited(limit, LOG_HTTP, LOG_INFO, "refuse",
                      LOG_FIELDS(LOG_TEXT("peer", handshake->peer),
                                 LOG_TEXT("client", handshake_client_of(handshake)),
                                 LOG_TEXT("path", handshake->request->path),
                                 LOG_TEXT("origin", handshake_origin_refused(handshake)),
                                 LOG_TEXT("reason", handshake->why), LOG_NUMBER("status", (uint64_t)status)));
}

/* --- The steps, each false with the refusal in handshake->response ----------------------------------------- */

static bool handshake_find_route(struct handshake *handshake) {
    const struct route_entries *entries = handshake->entries;
    const char *raw = handshake->request->path;
    handshake->path = malloc(strlen(raw) + 1);
    handshake->storage = malloc(router_storage_size(raw));
    if (handshake->path == NULL || handshake->storage == NULL)
        return handshake_refuse_busy(handshake, REFUSED_RESOURCES, "Out of memory.");
    enum router_result result = router_find(handshake->entries->router, raw, handshake->storage, &handshake->match);
    if (result == ROUTER_MALFORMED || router_decode_path(raw, handshake->path) != 0) {
        http_respond(handshake->response, 400, "The path is not well-formed.\n");
        return false;
    }
    handshake->has_route = result == ROUTER_FOUND;
    handshake->entry = handshake->has_route ? &entries->items[handshake->match.route] : &entries->unrouted;
    if (handshake->has_route || !entries->answers_404)
        return true;
    handshake->refusal = REFUSED_ROUTE;
    http_respond(handshake->response, 404, "No route for this path.\n");
    return false;
}

static bool handshake_negotiate(struct handshake *handshake) {
    if (handshake_http_negotiate(handshake->request, handshake->entry, &handshake->negotiated, handshake->response))
        return true;
    handshake->refusal = handshake->response->status == 403 ? REFUSED_ORIGIN : REFUSED_SUBPROTOCOL;
    return false;
}

static bool handshake_ask_handler(weir_upgrade *upgrade, struct handshake *handshake) {
    if (!handshake->has_route || upgrade_ask_handler(upgrade, handshake->entry->route))
        return true;
    handshake->refusal = REFUSED_HANDLER;
    return false;
}

static bool handshake_take_place_of_address(const struct dispatch *dispatch, struct handshake *handshake) {
    struct address_limiter *limiter = &dispatch->core->address_limiter;
    switch (address_limiter_admit(limiter, &handshake->address, pool_now(), &handshake->limited_address)) {
    case ADDRESS_LIMITER_TOO_MANY:
        return handshake_refuse_greedy(handshake, REFUSED_ADDRESS, limiter->max_connections, "connections at once");
    case ADDRESS_LIMITER_TOO_FAST:
        return handshake_refuse_greedy(handshake, REFUSED_RATE, limiter->handshake_rate, "handshakes a second");
    case ADDRESS_LIMITER_NO_MEMORY:
        return handshake_refuse_busy(handshake, REFUSED_RESOURCES, "Out of memory.");
    case ADDRESS_LIMITER_ADMITTED:
        break;
    }
    return true;
}

static bool handshake_take_place(const struct dispatch *dispatch, struct handshake *handshake) {
    switch (registry_admit(&dispatch->core->registry)) {
    case REGISTRY_FULL:
        return handshake_refuse_busy(handshake, REFUSED_CONNECTIONS, "The server is full.");
    case REGISTRY_CLOSED:
        return handshake_refuse_busy(handshake, REFUSED_STOPPING, "The server is stopping.");
    case REGISTRY_ADMITTED:
        break;
    }
    return true;
}

static bool handshake_take_socket(struct handshake *handshake, int *fd) {
    const struct http_request *request = handshake->request;
    const char *why;
    enum http_socket_result result = request->socket->take(request->socket, request, fd, &why);
    if (result == HTTP_SOCKET_TAKEN)
        return true;
    if (result == HTTP_SOCKET_EARLY) {
        http_respond(handshake->response, 400, "Data came before the handshake was answered.\n");
        return false;
    }
    if (result == HTTP_SOCKET_GONE)
        return handshake_refuse_busy(handshake, REFUSED_GONE, "The client has gone.");
    static struct log_limit limit;
    log_event_limited(&limit, LOG_HTTP, LOG_WARNING, "adoption",
                      LOG_FIELDS(LOG_TEXT("peer", handshake->peer), LOG_TEXT("error", why)));
    return handshake_refuse_busy(handshake, REFUSED_RESOURCES, "The connection could not be taken over.");
}

static void handshake_close_unrouted(struct weir_conn *conn, const char *path) {
    char reason[4 * CLOSE_REASON_MAX]; /* when encoded, it is cut to fit at the end of a character */
    snprintf(reason, sizeof reason, "no route for %s", path);
    conn_close_at_start(conn, CLOSE_NO_ROUTE, reason);
}

/* The socket is ours: from here on, no HTTP answer is possible. */
static void handshake_begin_connection(struct handshake *handshake, weir_upgrade *upgrade, int fd) {
    const struct http_request *request = handshake->request;
    const char *params[2 * ROUTER_PARAMS_MAX];
    const char *headers[2 * HTTP_HEADERS_MAX];
    bool is_logged = log_enabled(LOG_ACCESS, LOG_INFO); /* otherwise it is not needed */
    const char *user_agent = is_logged ? http_request_header(request, "User-Agent") : NULL;
    size_t param_count = handshake->has_route ? handshake->match.param_count : 0;
    for (size_t i = 0; i < param_count; i++) {
        params[2 * i] = handshake->match.params[i].name;
        params[2 * i + 1] = handshake->match.params[i].value;
    }
    for (size_t i = 0; i < request->header_count; i++) {
        headers[2 * i] = request->headers[i].name;
        headers[2 * i + 1] = request->headers[i].value;
    }
    const struct conn_request description = {.path = handshake->path,
                                             .peer = handshake->peer,
                                             .client = handshake_client_of(handshake),
                                             .user_agent = user_agent,
                                             .limited_address = handshake->limited_address,
                                             .user = upgrade->user,
                                             .data = upgrade->data,
                                             .subprotocol = handshake->negotiated.subprotocol,
                                             .deflate = handshake->negotiated.deflate,
                                             .param_count = param_count,
                                             .params = params,
                                             .header_count = request->header_count,
                                             .headers = headers};
    char response[HANDSHAKE_RESPONSE_MAX];
    size_t size = handshake_http_response(response, handshake->accept, &handshake->negotiated, upgrade->headers);
    struct transport transport = transport_socket(fd);
    struct route *route = handshake->entry->route;
    struct weir_conn *conn = conn_create(route, &transport, &description, response, size);
    if (conn == NULL) {
        static struct log_limit limit;
        log_event_limited(&limit, LOG_HTTP, LOG_ERROR, "open",
                          LOG_FIELDS(LOG_TEXT("peer", handshake->peer), LOG_TEXT("error", "out of memory")));
        transport.kind->close(&transport);
        address_limiter_leave(&route->core->address_limiter, handshake->limited_address, pool_now());
        registry_leave(&route->core->registry);
        return;
    }
    if (!handshake->has_route)
        handshake_close_unrouted(conn, handshake->path);
    if (conn_start(conn) == 0)
        upgrade->discard = NULL; /* the data is the connection's now */
}

/* Call it with a place taken. Returns false with a refusal; then the caller gives the place back. */
static bool handshake_upgrade_in_place(struct handshake *handshake) {
    weir_upgrade upgrade = {.request = handshake->request,
                            .match = &handshake->match,
                            .path = handshake->path,
                            .peer = handshake->peer,
                            .subprotocol = handshake->negotiated.subprotocol,
                            .response = handshake->response};
    int fd = -1;
    bool taken = handshake_ask_handler(&upgrade, handshake) && handshake_take_socket(handshake, &fd);
    handshake->negotiated.subprotocol = upgrade.subprotocol;
    if (taken)
        handshake_begin_connection(handshake, &upgrade, fd);
    upgrade_release(&upgrade);
    return taken;
}

static bool handshake_upgrade(const struct dispatch *dispatch, struct handshake *handshake) {
    if (!handshake_http_check(handshake->request, handshake->accept, &handshake->why, handshake->response))
        return false;
    if (!handshake_find_route(handshake) || !handshake_take_place_of_address(dispatch, handshake))
        return false;
    if (handshake_negotiate(handshake) && handshake_take_place(dispatch, handshake)) {
        if (handshake_upgrade_in_place(handshake))
            return true;
        registry_leave(&dispatch->core->registry);
    }
    address_limiter_leave(&dispatch->core->address_limiter, handshake->limited_address, pool_now());
    return false;
}

/* --- Answers ----------------------------------------------------------------------------------------------- */

static void handshake_describe_peer(const struct http_request *request, char peer[PEER_MAX]) {
    bool v6 = strchr(request->peer_address, ':') != NULL;
    snprintf(peer, PEER_MAX, v6 ? "[%s]:%u" : "%s:%u", request->peer_address, request->peer_port);
}

/* This is a separate function so that only requests that need this much stack touch it. */
__attribute__((noinline)) static struct address
forwarded_address(const struct dispatch *dispatch, const struct http_request *request, const struct address *peer) {
    struct http_lists lists;
    lists.used = 0;
    return address_of_client(peer, http_request_list(request, "X-Forwarded-For", &lists),
                             dispatch->trusted_proxies);
}

/* Finds the client whose address the limits count. */
static void handshake_find_client(const struct dispatch *dispatch, struct handshake *handshake) {
    const struct http_request *request = handshake->request;
    const struct address peer = http_request_peer(request);
    bool is_forwarded = http_request_header(request, "X-Forwarded-For") != NULL;
    handshake->address = is_forwarded ? forwarded_address(dispatch, request, &peer) : peer;
    if (!address_equal(&handshake->address, &peer))
        address_print(&handshake->address, handshake->client);
}

void handshake_answer(struct dispatch *dispatch, const struct route_entries *entries,
                      const struct http_request *request, struct http_response *response) {
    struct handshake handshake = {.request = request, .response = response, .entries = entries};
    struct counters *counters = &dispatch->core->counters;
    uint64_t begun = pool_now_us();
    handshake_describe_peer(request, handshake.peer);
    handshake_find_client(dispatch, &handshake);
    if (handshake_upgrade(dispatch, &handshake)) {
        response->status = 101;
        atomic_fetch_add(&counters->accepted, 1);
        atomic_histogram_add(&counters->handshakes, atomic_histogram_microseconds, pool_now_us() - begun);
    } else {
        atomic_fetch_add(&counters->refused[handshake.refusal], 1);
        handshake_log_refusal(&handshake);
    }
    free(handshake.path);
    free(handshake.storage);
}
