/* dispatch.h - what the server answers to an HTTP request: pages, refusals, and upgrades that become connections.
 * It knows no HTTP library.
 *
 * Runs on the HTTP threads, on many at a time. What it reads is set up before the first of them starts, except the
 * entries, which change with a reload.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HTTP_DISPATCH_H
#define WEIR_HTTP_DISPATCH_H

#include "server/core/core.h"
#include "server/http/http.h"
#include "server/http/route_entry.h"

struct dispatch {
    struct core *core;
    char *const *trusted_proxies; /* as configured, NULL-terminated */
    struct current_routes current_routes;
};

void dispatch_answer(struct dispatch *dispatch, const struct http_request *request, struct http_response *response);

#endif
