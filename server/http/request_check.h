/* request_check.h - what a request's header fields must agree on before anything is answered (RFC 9112, 3.2 and 6):
 * whose it is, and where its body ends. Proxies before us must read them as we do. Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HTTP_REQUEST_CHECK_H
#define WEIR_HTTP_REQUEST_CHECK_H

#include <stdbool.h>

#include "server/http/http.h"

/* Returns 0; or the status of the refusal, and says why: a constant. */
int request_check(const struct http_request *request, const char **why);

/* The body comes in chunks (RFC 9112, 7.1). */
bool request_is_chunked(const struct http_request *request);

#endif
