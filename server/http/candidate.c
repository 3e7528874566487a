/* candidate.c - see candidate.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/http/candidate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/core/conn.h"
#include "server/http/upgrade.h"
#include "server/log/log.h"
#include "ws/close_code.h"

enum { PEER_MAX = 64 };

/* One upgrade under way, on its thread's stack. */
struct candidate {
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

static bool refuse_busy(struct candidate *candidate, enum refusal refusal, const char *why) {
    candidate->refusal = refusal;
    candidate->response->headers = "Retry-After: 1\r\n";
    http_respond(candidate->response, 503, "%s\n", why);
    return false;
}

static bool refuse_greedy(struct candidate *candidate, enum refusal refusal, unsigned limit, const char *of_what) {
    candidate->refusal = refusal;
    candidate->response->headers = "Retry-After: 1\r\n";
    http_respond(candidate->response, 429, "One address may have %u %s.\n", limit, of_what);
    return false;
}

/* The address that a proxy speaks for, or NULL. */
static const char *client_of(const struct candidate *candidate) {
    return candidate->client[0] == '\0' ? NULL : candidate->client;
}

/* The Origin of a client that was refused for it, so that the operator can allow it. Others would only fill the
 * log. */
static const char *origin_refused(const struct candidate *candidate) {
    return candidate->refusal == REFUSED_ORIGIN ? http_request_header(candidate->request, "Origin") : NULL;
}

/* Each status has a limit of its own, since a client can be refused as often as it likes. */
static void log_refusal(const struct candidate *candidate) {
    static struct log_limit limits[600 - 400];
    int status = candidate->response->status;
    struct log_limit *limit = &limits[status < 400 || status > 599 ? 0 : status - 400];
    log_event_limited(limit, LOG_HTTP, LOG_INFO, "refuse",
                      LOG_FIELDS(LOG_TEXT("peer", candidate->peer), LOG_TEXT("client", client_of(candidate)),
                                 LOG_TEXT("path", candidate->request->path),
                                 LOG_TEXT("origin", origin_refused(candidate)), LOG_TEXT("reason", candidate->why),
                                 LOG_NUMBER("status", (uint64_t)status)));
}

/* --- The steps, each false with the refusal in candidate->response ----------------------------------------- */

static bool find_route(struct candidate *candidate) {
    const struct route_entries *entries = candidate->entries;
    const char *raw = candidate->request->path;
    candidate->path = malloc(strlen(raw) + 1);
    candidate->storage = malloc(router_storage_size(raw));
    if (candidate->path == NULL || candidate->storage == NULL)
        return refuse_busy(candidate, REFUSED_RESOURCES, "Out of memory.");
    enum router_result result =
        router_find(candidate->entries->router, raw, candidate->storage, &candidate->match);
    if (result == ROUTER_MALFORMED || router_decode_path(raw, candidate->path) != 0) {
        http_respond(candidate->response, 400, "The path is not well-formed.\n");
        return false;
    }
    candidate->has_route = result == ROUTER_FOUND;
    candidate->entry = candidate->has_route ? &entries->items[candidate->match.route] : &entries->unrouted;
    if (candidate->has_route || !entries->answers_404)
        return true;
    candidate->refusal = REFUSED_ROUTE;
    http_respond(candidate->response, 404, "No route for this path.\n");
    return false;
}

static bool negotiate(struct candidate *candidate) {
    if (upgrade_negotiate(candidate->request, candidate->entry, &candidate->negotiated, candidate->response))
        return true;
    candidate->refusal = candidate->response->status == 403 ? REFUSED_ORIGIN : REFUSED_SUBPROTOCOL;
    return false;
}

static bool ask_handler(weir_upgrade *upgrade, struct candidate *candidate) {
    if (!candidate->has_route || upgrade_ask_handler(upgrade, candidate->entry->route))
        return true;
    candidate->refusal = REFUSED_HANDLER;
    return false;
}

static bool take_place_of_address(const struct dispatch *dispatch, struct candidate *candidate) {
    struct address_limiter *limiter = &dispatch->core->address_limiter;
    switch (address_limiter_admit(limiter, &candidate->address, pool_now(), &candidate->limited_address)) {
    case ADDRESS_LIMITER_TOO_MANY:
        return refuse_greedy(candidate, REFUSED_ADDRESS, limiter->max_connections, "connections at once");
    case ADDRESS_LIMITER_TOO_FAST:
        return refuse_greedy(candidate, REFUSED_RATE, limiter->handshake_rate, "handshakes a second");
    case ADDRESS_LIMITER_NO_MEMORY:
        return refuse_busy(candidate, REFUSED_RESOURCES, "Out of memory.");
    case ADDRESS_LIMITER_ADMITTED:
        break;
    }
    return true;
}

static bool take_place(const struct dispatch *dispatch, struct candidate *candidate) {
    switch (registry_admit(&dispatch->core->registry)) {
    case REGISTRY_FULL:
        return refuse_busy(candidate, REFUSED_CONNECTIONS, "The server is full.");
    case REGISTRY_CLOSED:
        return refuse_busy(candidate, REFUSED_STOPPING, "The server is stopping.");
    case REGISTRY_ADMITTED:
        break;
    }
    return true;
}

static bool take_socket(struct candidate *candidate, int *fd) {
    const struct http_request *request = candidate->request;
    const char *why;
    enum http_socket_result result = request->socket->take(request->socket, request, fd, &why);
    if (result == HTTP_SOCKET_TAKEN)
        return true;
    if (result == HTTP_SOCKET_EARLY) {
        http_respond(candidate->response, 400, "Data came before the handshake was answered.\n");
        return false;
    }
    if (result == HTTP_SOCKET_GONE)
        return refuse_busy(candidate, REFUSED_GONE, "The client has gone.");
    static struct log_limit limit;
    log_event_limited(&limit, LOG_HTTP, LOG_WARNING, "adoption",
                      LOG_FIELDS(LOG_TEXT("peer", candidate->peer), LOG_TEXT("error", why)));
    return refuse_busy(candidate, REFUSED_RESOURCES, "The connection could not be taken over.");
}

static void close_unrouted(struct weir_conn *conn, const char *path) {
    char reason[4 * CLOSE_REASON_MAX]; /* when encoded, it is cut to fit at the end of a character */
    snprintf(reason, sizeof reason, "no route for %s", path);
    conn_close_at_start(conn, CLOSE_NO_ROUTE, reason);
}

/* The socket is ours: from here on, no HTTP answer is possible. */
static void begin_connection(struct candidate *candidate, weir_upgrade *upgrade, int fd) {
    const struct http_request *request = candidate->request;
    const char *params[2 * ROUTER_PARAMS_MAX];
    const char *headers[2 * HTTP_HEADERS_MAX];
    bool is_logged = log_enabled(LOG_ACCESS, LOG_INFO); /* otherwise it is not needed */
    const char *user_agent = is_logged ? http_request_header(request, "User-Agent") : NULL;
    size_t param_count = candidate->has_route ? candidate->match.param_count : 0;
    for (size_t i = 0; i < param_count; i++) {
        params[2 * i] = candidate->match.params[i].name;
        params[2 * i + 1] = candidate->match.params[i].value;
    }
    for (size_t i = 0; i < request->header_count; i++) {
        headers[2 * i] = request->headers[i].name;
        headers[2 * i + 1] = request->headers[i].value;
    }
    const struct conn_request description = {.path = candidate->path,
                                             .peer = candidate->peer,
                                             .client = client_of(candidate),
                                             .user_agent = user_agent,
                                             .limited_address = candidate->limited_address,
                                             .user = upgrade->user,
                                             .data = upgrade->data,
                                             .subprotocol = candidate->negotiated.subprotocol,
                                             .deflate = candidate->negotiated.deflate,
                                             .param_count = param_count,
                                             .params = params,
                                             .header_count = request->header_count,
                                             .headers = headers};
    char response[UPGRADE_RESPONSE_MAX];
    size_t size = upgrade_response(response, candidate->accept, &candidate->negotiated, upgrade->headers);
    struct transport transport = transport_socket(fd);
    struct route *route = candidate->entry->route;
    struct weir_conn *conn = conn_create(route, &transport, &description, response, size);
    if (conn == NULL) {
        static struct log_limit limit;
        log_event_limited(&limit, LOG_HTTP, LOG_ERROR, "open",
                          LOG_FIELDS(LOG_TEXT("peer", candidate->peer), LOG_TEXT("error", "out of memory")));
        transport.kind->close(&transport);
        address_limiter_leave(&route->core->address_limiter, candidate->limited_address, pool_now());
        registry_leave(&route->core->registry);
        return;
    }
    if (!candidate->has_route)
        close_unrouted(conn, candidate->path);
    if (conn_start(conn) == 0)
        upgrade->discard = NULL; /* the data is the connection's now */
}

/* Call it with a place taken. Returns false with a refusal; then the caller gives the place back. */
static bool upgrade_in_place(struct candidate *candidate) {
    weir_upgrade upgrade = {.request = candidate->request,
                            .match = &candidate->match,
                            .path = candidate->path,
                            .peer = candidate->peer,
                            .subprotocol = candidate->negotiated.subprotocol,
                            .response = candidate->response};
    int fd = -1;
    bool taken = ask_handler(&upgrade, candidate) && take_socket(candidate, &fd);
    candidate->negotiated.subprotocol = upgrade.subprotocol;
    if (taken)
        begin_connection(candidate, &upgrade, fd);
    upgrade_release(&upgrade);
    return taken;
}

static bool upgrade(const struct dispatch *dispatch, struct candidate *candidate) {
    if (!upgrade_check(candidate->request, candidate->accept, &candidate->why, candidate->response))
        return false;
    if (!find_route(candidate) || !take_place_of_address(dispatch, candidate))
        return false;
    if (negotiate(candidate) && take_place(dispatch, candidate)) {
        if (upgrade_in_place(candidate))
            return true;
        registry_leave(&dispatch->core->registry);
    }
    address_limiter_leave(&dispatch->core->address_limiter, candidate->limited_address, pool_now());
    return false;
}

/* --- Answers ----------------------------------------------------------------------------------------------- */

static void describe_peer(const struct http_request *request, char peer[PEER_MAX]) {
    bool v6 = strchr(request->peer_address, ':') != NULL;
    snprintf(peer, PEER_MAX, v6 ? "[%s]:%u" : "%s:%u", request->peer_address, request->peer_port);
}

/* This is a separate function so that only requests that need this much stack touch it. */
__attribute__((noinline)) static struct address
forwarded_address(const struct dispatch *dispatch, const struct http_request *request, const struct address *peer) {
    struct http_lists lists;
    lists.used = 0;
    return address_of_client(peer, http_request_list(request, "X-Forwarded-For", &lists), dispatch->trusted_proxies);
}

/* Finds the client whose address the limits count. */
static void find_client(const struct dispatch *dispatch, struct candidate *candidate) {
    const struct http_request *request = candidate->request;
    const struct address peer = http_request_peer(request);
    bool is_forwarded = http_request_header(request, "X-Forwarded-For") != NULL;
    candidate->address = is_forwarded ? forwarded_address(dispatch, request, &peer) : peer;
    if (!address_equal(&candidate->address, &peer))
        address_print(&candidate->address, candidate->client);
}

void candidate_answer(struct dispatch *dispatch, const struct route_entries *entries,
                      const struct http_request *request, struct http_response *response) {
    struct candidate candidate = {.request = request, .response = response, .entries = entries};
    struct counters *counters = &dispatch->core->counters;
    uint64_t begun = pool_now_us();
    describe_peer(request, candidate.peer);
    find_client(dispatch, &candidate);
    if (upgrade(dispatch, &candidate)) {
        response->status = 101;
        atomic_fetch_add(&counters->accepted, 1);
        atomic_histogram_add(&counters->handshakes, atomic_histogram_microseconds, pool_now_us() - begun);
    } else {
        atomic_fetch_add(&counters->refused[candidate.refusal], 1);
        log_refusal(&candidate);
    }
    free(candidate.path);
    free(candidate.storage);
}
