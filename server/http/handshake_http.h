/* handshake_http.h - an opening handshake as HTTP: whether it is valid, what both ends agree on, and the 101. Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HTTP_HANDSHAKE_HTTP_H
#define WEIR_HTTP_HANDSHAKE_HTTP_H

#include "server/http/http.h"
#include "server/http/route_entry.h"
#include "server/http/upgrade.h"
#include "ws/handshake.h"

/* Whether the request asks for a WebSocket. */
bool handshake_http_is_wanted(const struct http_request *request);

/* Checks the handshake. Returns true with the accept value; or false with the refusal in `response`, and the
 * reason, a constant, in *why. */
bool handshake_http_check(const struct http_request *request, char accept[HANDSHAKE_ACCEPT_SIZE], const char **why,
                          struct http_response *response);

/* What both ends agree on. */
struct negotiated {
    const char *subprotocol; /* NULL: none */
    struct deflate_params deflate;
    char extensions[EXTENSION_RESPONSE_SIZE]; /* as in the 101; "" for none */
};

/* Checks what the entry also requires, an allowed Origin and a subprotocol, and grants compression. Returns
 * false with the refusal in `response`. */
bool handshake_http_negotiate(const struct http_request *request, const struct route_entry *entry,
                              struct negotiated *negotiated, struct http_response *response);

/* Writes the 101 with its headers, and the handler's, which may be NULL. Returns its size. A list of subprotocols
 * has at most 1,023 bytes, and a handler selects one of them. */
enum { HANDSHAKE_RESPONSE_MAX = 1536 + UPGRADE_HEADERS_MAX };
size_t handshake_http_response(char response[HANDSHAKE_RESPONSE_MAX], const char *accept,
                               const struct negotiated *negotiated, const char *more_headers);

#endif
