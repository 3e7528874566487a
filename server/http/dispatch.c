/* dispatch.c - see dispatch.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/http/dispatch.h"

#include <stdlib.h>

#include "server/http/handshake_answer.h"
#include "server/http/handshake_http.h"
#include "server/http/pages.h"
#include "server/log/log.h"

enum { PATTERNS_SHOWN_MAX = 32 };

/* The pattern of the route that a path belongs to; NULL if there is none. */
static const char *dispatch_route_of_path(const struct route_entries *entries, const char *path) {
    struct router_match match;
    char *storage = malloc(router_storage_size(path));
    bool found = storage != NULL && router_find(entries->router, path, storage, &match) == ROUTER_FOUND;
    free(storage);
    return found ? entries->items[match.route].route->pattern : NULL;
}

/* Logged because the proxy's operator must know, and its clients do not say so. */
static void dispatch_log_lost_upgrade(const struct http_request *request) {
    static struct log_limit limit;
    log_event_limited(&limit, LOG_HTTP, LOG_WARNING, "upgrade_lost",
                      LOG_FIELDS(LOG_TEXT("peer", request->peer_address), LOG_TEXT("path", request->path),
                                 LOG_TEXT("hint", "a proxy removes the Upgrade header: see docs/deploy.md")));
}

static bool dispatch_is_trusted(const struct dispatch *dispatch, const struct http_request *request) {
    const struct address peer = http_request_peer(request);
    return address_is_in(&peer, dispatch->trusted_proxies);
}

static void dispatch_answer_plain(const struct dispatch *dispatch, const struct route_entries *entries,
                                  const struct http_request *request, struct http_response *response) {
    const char *patterns[PATTERNS_SHOWN_MAX];
    size_t count = 0;
    for (; count < entries->count && count < PATTERNS_SHOWN_MAX; count++)
        patterns[count] = entries->items[count].route->pattern;
    const struct pages_state state = {.patterns = patterns,
                                      .pattern_count = count,
                                      .route = dispatch_route_of_path(entries, request->path),
                                      .stopping = registry_is_closed(&dispatch->core->registry),
                                      .trusted_proxy = dispatch_is_trusted(dispatch, request)};
    pages_answer(request, &state, response);
    if (response->status == 426 && pages_lost_upgrade(request))
        dispatch_log_lost_upgrade(request);
}

void dispatch_answer(struct dispatch *dispatch, const struct http_request *request,
                     struct http_response *response) {
    struct route_entries *entries = route_entries_current(&dispatch->current_routes);
    if (handshake_http_is_wanted(request))
        handshake_answer(dispatch, entries, request, response);
    else
        dispatch_answer_plain(dispatch, entries, request, response);
    route_entries_release(entries);
}
