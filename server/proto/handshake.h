/* handshake.h - the opening handshake as the server reads it (RFC 6455, 4.2), and what a client needs of it: pure
 * text, no sockets.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_PROTO_HANDSHAKE_H
#define WEIR_PROTO_HANDSHAKE_H

#include <stdbool.h>
#include <stddef.h>

/* The parts of a request that matter; NULL where a header is missing. Headers sent more than once are joined
 * with ", " (RFC 7230, 3.2.2) by the caller, save that Host and Sec-WebSocket-Key must stand alone. */
struct handshake_request {
    const char *method;       /* "GET" */
    const char *http_version; /* "1.1" */
    const char *host, *upgrade, *connection, *key, *version;
    bool has_body; /* a Content-Length above 0 or a Transfer-Encoding */
    bool repeated; /* Host or Sec-WebSocket-Key came twice */
};

enum { HANDSHAKE_ACCEPT_SIZE = 29 }; /* 28 characters of base64 and the terminator */

/* True if the request wants a WebSocket: its Upgrade header lists "websocket", in any case. */
bool handshake_wanted(const struct handshake_request *request);

/* Checks everything that 4.2.1 asks for. Returns 101 and the Sec-WebSocket-Accept value; or the status of the
 * refusal (400, 405, 426) and one line that says what is wrong, a constant. */
int handshake_check(const struct handshake_request *request, char accept[HANDSHAKE_ACCEPT_SIZE], const char **why);

/* The Sec-WebSocket-Accept value for a key, which has the 24 characters that 16 bytes are in base64. False: SHA-1
 * is not available. */
bool handshake_accept(const char *key, char accept[HANDSHAKE_ACCEPT_SIZE]);

/* The first of `preferred` (NULL-terminated, or NULL) that the client's Sec-WebSocket-Protocol header offers; NULL
 * if none is (4.2.2). Their case matters. */
const char *handshake_select(char *const *preferred, const char *offered);

/* True if the comma-separated list has the token, whatever its case. */
bool handshake_has_token(const char *list, const char *token);

#endif
