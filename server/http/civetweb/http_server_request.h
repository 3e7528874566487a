/* http_server_request.h - reads a request that civetweb has parsed once more, as RFC 9112 says. For the files
 * http_server*.c.
 *
 * Runs on civetweb's threads; it remembers where the buffer of each thread is.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HTTP_CIVETWEB_HTTP_SERVER_REQUEST_H
#define WEIR_HTTP_CIVETWEB_HTTP_SERVER_REQUEST_H

#include <civetweb.h>
#include <stdbool.h>

#include "server/http/http.h"

/* Call it once for each request. `is_cut` means that civetweb passes the request on, and has cut the query off its
 * target. `headers` is memory for the request's fields. Returns 0 with the request; or the status of the refusal,
 * with the reason, a constant, in *why. */
int http_server_request_read(const struct mg_request_info *info, bool is_cut,
                             struct http_header headers[HTTP_HEADERS_MAX], struct http_request *request,
                             const char **why);

/* Explains a request with a method that civetweb could not use. Returns the right status, and the reason in
 * *why. */
int http_server_request_explain(const struct mg_request_info *info, const char **why);

#endif
