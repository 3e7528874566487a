/* pages.h - the answers to plain requests, which do not ask for a WebSocket. Pure: request and routes in,
 * response out.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HTTP_PAGES_H
#define WEIR_HTTP_PAGES_H

#include "server/http/http.h"

struct pages_state {
    const char *const *patterns; /* the routes to name on the page at "/" */
    size_t pattern_count;
    const char *route; /* the pattern of the route that the path belongs to; NULL: none */
    bool stopping;
    bool trusted_proxy; /* the peer is a trusted proxy: X-Forwarded-Proto and X-Forwarded-Host say what its client
                           has asked for */
};

/* GET /healthz says that the process lives, GET /readyz whether new clients are welcome: 200, or 503 in a stop. A
 * route with exactly that pattern takes precedence. On a path that exists, OPTIONS gets 204 and other methods get
 * 405. */
void pages_answer(const struct http_request *request, const struct pages_state *state,
                  struct http_response *response);

/* Whether this is a WebSocket handshake from which a proxy has removed the Upgrade header. Proxies do so unless
 * told not to. */
bool pages_lost_upgrade(const struct http_request *request);

#endif
