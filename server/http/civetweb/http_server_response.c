/* http_server_response.c - sends a response: see http_server_private.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "server/http/civetweb/http_server_private.h"

enum { WRITE_AT_ONCE = 8192 };

static bool response_write(struct mg_connection *connection, const char *bytes, size_t size) {
    while (size > 0) {
        size_t part = size < INT_MAX ? size : INT_MAX;
        if (mg_write(connection, bytes, part) != (int)part)
            return false;
        bytes += part;
        size -= part;
    }
    return true;
}

/* Upgrade applies to the connection, so Connection must name it (RFC 9110, 7.8). */
static const char *response_connection(const struct http_response *response, bool keep_alive) {
    return response->status == 426 ? "Upgrade, close" : keep_alive ? "keep-alive" : "close";
}

static size_t response_head(char *message, size_t room, const struct http_response *response, size_t body_size,
                            bool keep_alive) {
    char body[128] = ""; /* the fields that describe the body; a 204 has none (RFC 9110, 8.6) */
    if (response->status != 204)
        snprintf(body, sizeof body, "Content-Type: %s\r\nContent-Length: %zu\r\n",
                 response->type == NULL ? "text/plain; charset=utf-8" : response->type, body_size);
    return (size_t)snprintf(
        message, room, "HTTP/1.1 %d %s\r\n%s%s%sConnection: %s\r\n\r\n", response->status,
        http_status_text(response->status), body, response->headers == NULL ? "" : response->headers,
        response->more_headers == NULL ? "" : response->more_headers, response_connection(response, keep_alive));
}

bool http_server_respond(struct mg_connection *connection, const struct http_response *response, bool with_body,
                         bool keep_alive) {
    char message[WRITE_AT_ONCE];
    const char *body = response->long_body == NULL ? response->body : response->long_body;
    size_t size = response->long_body == NULL ? strlen(body) : response->long_size;
    size_t used = response_head(message, sizeof message, response, size, keep_alive);
    if (!with_body)
        return response_write(connection, message, used);
    if (size > sizeof message - used)
        return response_write(connection, message, used) && response_write(connection, body, size);
    memcpy(message + used, body, size);
    return response_write(connection, message, used + size);
}
