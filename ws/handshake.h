/* handshake.h - the opening handshake as the server reads it (RFC 6455, 4.2), and what a client needs of it. Pure
 * functions on text, any thread; no sockets.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_WS_HANDSHAKE_H
#define WEIR_WS_HANDSHAKE_H

#include <stdbool.h>
#include <stddef.h>

/* The parts of a request that matter; NULL where a header is missing. The caller joins headers that were sent more
 * than once with ", " (RFC 7230, 3.2.2), except that Host and Sec-WebSocket-Key must occur only once. */
struct handshake_request {
    const char *method;       /* "GET" */
    const char *http_version; /* "1.1" */
    const char *host, *upgrade, *connection, *key, *version;
    bool has_body; /* a Content-Length above 0 or a Transfer-Encoding */
    bool repeated; /* Host or Sec-WebSocket-Key was sent more than once */
};

enum { HANDSHAKE_ACCEPT_SIZE = 29 }; /* 28 characters of base64 and the terminator */

/* Whether the request asks for a WebSocket: its Upgrade header lists "websocket", in any case. */
bool handshake_wanted(const struct handshake_request *request);

/* Checks everything that 4.2.1 requires. Returns 101 and the Sec-WebSocket-Accept value. Otherwise returns the
 * status of the refusal (400, 405, 426, or 500 without SHA-1) and one constant line that says what is wrong. */
int handshake_check(const struct handshake_request *request, char accept[HANDSHAKE_ACCEPT_SIZE], const char **why);

/* Computes the Sec-WebSocket-Accept value for a key, which must have 24 characters: 16 bytes in base64. Returns
 * false if SHA-1 is not available. */
bool handshake_accept(const char *key, char accept[HANDSHAKE_ACCEPT_SIZE]);

/* Returns the first of `preferred` (NULL-terminated, or NULL) that the client's Sec-WebSocket-Protocol header
 * offers, or NULL if it offers none of them (4.2.2). Names are case-sensitive. */
const char *handshake_select(char *const *preferred, const char *offered);

/* Whether the comma-separated list contains the token, in any case. */
bool handshake_has_token(const char *list, const char *token);

#endif
