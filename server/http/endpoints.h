/* endpoints.h - the answers to plain requests, that is, to those that do not ask for a WebSocket. Pure: request and
 * routes in, response out.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HTTP_ENDPOINTS_H
#define WEIR_HTTP_ENDPOINTS_H

#include "server/http/http.h"

struct endpoints_state {
    const char *const *patterns; /* the routes to name on the page at "/" */
    size_t pattern_count;
    const char *route; /* the pattern of the route that the path belongs to; NULL: of none */
    bool stopping;
    bool trusted_proxy; /* it asks, and tells in X-Forwarded-Proto and X-Forwarded-Host what its client has asked
                           for */
};

/* GET /healthz says that the process lives, GET /readyz whether new clients are welcome: 200, or 503 in a stop. A
 * route with just that pattern goes first. Where there is something, OPTIONS gets 204 and other methods 405. */
void endpoints_answer(const struct http_request *request, const struct endpoints_state *state,
                      struct http_response *response);

/* True of a WebSocket handshake from which a proxy has removed the Upgrade header, as they do unless told not to.
 */
bool endpoints_lost_upgrade(const struct http_request *request);

#endif
