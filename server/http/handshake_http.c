/* handshake_http.c - see handshake_http.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/http/handshake_http.h"

#include <stdio.h>
#include <string.h>

#include "server/http/origin.h"
#include "server/log/log_escape.h"

enum { ORIGIN_SHOWN_MAX = 200 };

static struct handshake_request handshake_http_read(const struct http_request *request, struct http_lists *lists) {
    return (struct handshake_request){
        .method = request->method,
        .http_version = request->version,
        .host = http_request_header(request, "Host"),
        .upgrade = http_request_list(request, "Upgrade", lists),
        .connection = http_request_list(request, "Connection", lists),
        .key = http_request_header(request, "Sec-WebSocket-Key"),
        .version = http_request_list(request, "Sec-WebSocket-Version", lists),
        .has_body = request->content_length > 0 || http_request_header(request, "Transfer-Encoding") != NULL,
        .repeated = http_request_count(request, "Host") > 1 || http_request_count(request, "Sec-WebSocket-Key") > 1,
    };
}

bool handshake_http_is_wanted(const struct http_request *request) {
    struct http_lists lists;
    lists.used = 0;
    struct handshake_request handshake = handshake_http_read(request, &lists);
    return handshake_wanted(&handshake);
}

bool handshake_http_check(const struct http_request *request, char accept[HANDSHAKE_ACCEPT_SIZE], const char **why,
                          struct http_response *response) {
    struct http_lists lists;
    lists.used = 0;
    struct handshake_request handshake = handshake_http_read(request, &lists);
    int status = handshake_check(&handshake, accept, why);
    if (status == 101) {
        *why = NULL;
        return true;
    }
    if (status == 426)
        response->headers = "Sec-WebSocket-Version: 13\r\nUpgrade: websocket\r\n";
    if (status == 405)
        response->headers = "Allow: GET\r\n";
    http_respond(response, status, "%s\n", *why);
    return false;
}

static bool handshake_http_select_subprotocol(const struct http_request *request, const struct route_entry *entry,
                                              struct negotiated *negotiated, struct http_response *response) {
    struct http_lists lists;
    lists.used = 0;
    negotiated->subprotocol =
        handshake_select(entry->subprotocols, http_request_list(request, "Sec-WebSocket-Protocol", &lists));
    if (negotiated->subprotocol != NULL || !entry->require_subprotocol)
        return true;
    http_respond(response, 400, "Sec-WebSocket-Protocol offers nothing that this path speaks.\n");
    return false;
}

static bool handshake_http_select_extensions(const struct http_request *request, const struct route_entry *entry,
                                             struct negotiated *negotiated, struct http_response *response) {
    struct http_lists lists;
    lists.used = 0;
    enum extension_result result =
        extension_negotiate(http_request_list(request, "Sec-WebSocket-Extensions", &lists), &entry->deflate,
                            &negotiated->deflate, negotiated->extensions);
    if (result != EXTENSION_MALFORMED)
        return true;
    http_respond(response, 400, "Sec-WebSocket-Extensions is not a list of extensions.\n");
    return false;
}

/* The body shows the origin as the log would write it: as UTF-8 without control characters. */
static bool handshake_http_check_origin(const struct http_request *request, const struct route_entry *entry,
                                        struct http_response *response) {
    char shown[ORIGIN_SHOWN_MAX + 1];
    bool cut = false;
    const char *origin = http_request_header(request, "Origin");
    size_t count = http_request_count(request, "Origin");
    if (count < 2 && origin_is_allowed(entry->origins, origin, http_request_header(request, "Host")))
        return true;
    shown[log_escape(LOG_LOGFMT, origin, shown, ORIGIN_SHOWN_MAX, &cut)] = '\0';
    if (count > 1)
        http_respond(response, 403, "Origin was sent %zu times.\n", count);
    else
        http_respond(
            response, 403,
            "Pages of the origin \"%s%s\" may not connect here. The option origins names those that may.\n", shown,
            cut ? "..." : "");
    return false;
}

bool handshake_http_negotiate(const struct http_request *request, const struct route_entry *entry,
                              struct negotiated *negotiated, struct http_response *response) {
    return handshake_http_check_origin(request, entry, response) &&
           handshake_http_select_subprotocol(request, entry, negotiated, response) &&
           handshake_http_select_extensions(request, entry, negotiated, response);
}

/* Adds a header line, if the header has a value. */
static size_t handshake_http_add_header(char *end, size_t room, const char *name, const char *value) {
    if (value == NULL || *value == '\0')
        return 0;
    return (size_t)snprintf(end, room, "%s: %s\r\n", name, value);
}

size_t handshake_http_response(char response[HANDSHAKE_RESPONSE_MAX], const char *accept,
                               const struct negotiated *negotiated, const char *more_headers) {
    size_t size = (size_t)snprintf(response, HANDSHAKE_RESPONSE_MAX,
                                   "HTTP/1.1 101 Switching Protocols\r\n"
                                   "Upgrade: websocket\r\n"
                                   "Connection: Upgrade\r\n"
                                   "Sec-WebSocket-Accept: %s\r\n",
                                   accept);
    size += handshake_http_add_header(response + size, HANDSHAKE_RESPONSE_MAX - size, "Sec-WebSocket-Protocol",
                                      negotiated->subprotocol);
    size += handshake_http_add_header(response + size, HANDSHAKE_RESPONSE_MAX - size, "Sec-WebSocket-Extensions",
                                      negotiated->extensions);
    return size + (size_t)snprintf(response + size, HANDSHAKE_RESPONSE_MAX - size, "%s\r\n",
                                   more_headers == NULL ? "" : more_headers);
}
