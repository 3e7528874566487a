/* endpoints.h - the answers to plain requests, that is, to those that do not ask for a WebSocket. Pure: request and
 * routes in, response out.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HTTP_ENDPOINTS_H
#define WEIR_HTTP_ENDPOINTS_H

#include "server/http/http.h"

/* `patterns` are the routes to name on the page at "/"; `is_route` says whether the path belongs to one. */
void endpoints_answer(const struct http_request *request, const char *const *patterns, size_t pattern_count,
                      bool is_route, struct http_response *response);

#endif
