/* request_check.h - what a request's header fields must agree on before any answer (RFC 9112, 3.2 and 6): which
 * host it is for, and where its body ends. Proxies before us must read them as we do. Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HTTP_REQUEST_CHECK_H
#define WEIR_HTTP_REQUEST_CHECK_H

#include <stdbool.h>

#include "server/http/http.h"

/* Returns 0; or the status of the refusal, with the reason, a constant, in *why. */
int request_check(const struct http_request *request, const char **why);

/* Whether the body comes in chunks (RFC 9112, 7.1). */
bool request_is_chunked(const struct http_request *request);

#endif
