/* httpd_request.h - a request as civetweb has parsed it, read again as RFC 9112 says. For httpd.c alone.
 *
 * On civetweb's threads: it keeps in mind where the buffer of each is.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HTTP_HTTPD_REQUEST_H
#define WEIR_HTTP_HTTPD_REQUEST_H

#include <civetweb.h>
#include <stdbool.h>

#include "server/http/http.h"

/* Once for each request. `is_cut`: civetweb passes it on, and has cut the query off its target. Returns 0 with the
 * request, for which `headers` is room; or the status of the refusal, and says why: a constant. */
int httpd_request_read(const struct mg_request_info *info, bool is_cut,
                       struct http_header headers[HTTP_HEADERS_MAX], struct http_request *request,
                       const char **why);

/* Of one with a method that civetweb could make nothing of. Returns the status that is right, and says why. */
int httpd_request_explain(const struct mg_request_info *info, const char **why);

#endif
