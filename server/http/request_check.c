/* request_check.c - see request_check.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/http/request_check.h"

#include <string.h>
#include <strings.h>

static int request_check_refuse(int status, const char *reason, const char **why) {
    *why = reason;
    return status;
}

/* Whether this is a host and perhaps a port. It may be empty (RFC 9112, 3.2). */
static bool request_check_is_host(const char *host) {
    for (; *host != '\0'; host++)
        if (*host <= ' ' || *host > '~' || strchr("/?#@,\\\"<>", *host) != NULL)
            return false;
    return true;
}

static int request_check_check_host(const struct http_request *request, const char **why) {
    size_t count = http_request_count(request, "Host");
    if (count > 1)
        return request_check_refuse(400, "the Host header was sent more than once", why);
    if (count == 0 && strcmp(request->version, "1.0") != 0)
        return request_check_refuse(400, "the Host header is missing", why);
    if (count == 1 && !request_check_is_host(http_request_header(request, "Host")))
        return request_check_refuse(400, "the Host header is not a host", why);
    return 0;
}

bool request_is_chunked(const struct http_request *request) {
    const char *coding = http_request_header(request, "Transfer-Encoding");
    return coding != NULL && strcasecmp(coding, "chunked") == 0;
}

static int request_check_check_body(const struct http_request *request, const char **why) {
    size_t lengths = http_request_count(request, "Content-Length");
    size_t codings = http_request_count(request, "Transfer-Encoding");
    const char *length = lengths == 0 ? "0" : http_request_header(request, "Content-Length");
    if (lengths + codings > 1)
        return request_check_refuse(
            400, "Content-Length or Transfer-Encoding was sent more than once, or both were", why);
    if (codings == 1 && !request_is_chunked(request))
        return request_check_refuse(400, "the only Transfer-Encoding is chunked", why);
    if (*length == '\0' || strspn(length, "0123456789") != strlen(length))
        return request_check_refuse(400, "Content-Length is not a number", why);
    return 0;
}

int request_check(const struct http_request *request, const char **why) {
    if (strcmp(request->path, "*") == 0 && strcmp(request->method, "OPTIONS") != 0)
        return request_check_refuse(400, "the request target * is for OPTIONS", why);
    int status = request_check_check_host(request, why);
    return status != 0 ? status : request_check_check_body(request, why);
}
