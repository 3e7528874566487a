/* client_handshake.h - the client's side of the opening handshake (RFC 6455, 4.1): writes the request and checks
 * the response. No sockets. The library and the load tester share it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CLIENT_CLIENT_HANDSHAKE_H
#define WEIR_CLIENT_CLIENT_HANDSHAKE_H

#include <stdbool.h>
#include <stddef.h>

#include <weir/client.h>

#include "client/url.h"
#include "ws/extension.h"
#include "ws/handshake.h"

enum {
    CLIENT_HANDSHAKE_KEY_SIZE = 25, /* 16 bytes in base64, with the terminator */
    CLIENT_HANDSHAKE_HEAD_MAX = 16384,
    CLIENT_HANDSHAKE_BODY_MAX = 2048 /* bytes of a refusal's body to search for its first line */
};

/* Makes a new Sec-WebSocket-Key from the system's random numbers. False if there are none. */
bool client_handshake_key(char key[CLIENT_HANDSHAKE_KEY_SIZE]);

/* Returns the request, terminated, in the heap; or NULL with *error filled (an invalid header or subprotocol, no
 * memory). Refuses headers of `options` that the handshake sets (Host, Upgrade, Connection, Sec-WebSocket-*,
 * Origin if options->origin is set, Authorization if the URL has a user) or that announce a body (Content-Length,
 * Transfer-Encoding). */
char *client_handshake_request(const struct url *url, const struct weir_client_options *options,
                               const char key[CLIENT_HANDSHAKE_KEY_SIZE], struct weir_client_error *error);

/* What a successful response agreed on. */
struct client_handshake {
    struct deflate_params deflate; /* all zero: no compression */
    char *subprotocol;             /* points into `head`; NULL if none was selected */
};

/* False, with *error filled, if what has arrived cannot become a response: not HTTP, a TLS alert, or a head beyond
 * CLIENT_HANDSHAKE_HEAD_MAX. Call it after each read, before client_handshake_check(). */
bool client_handshake_is_possible(const char *bytes, size_t size, struct weir_client_error *error);

/* Returns the size of the head at the beginning of `bytes`, including its empty line; 0 if it is incomplete. */
size_t client_handshake_head_size(const char *bytes, size_t size);

/* True if the complete head at the beginning of `bytes` refuses the connection, and the first line of its body is
 * not complete yet: that line says why, so it is worth waiting for. */
bool client_handshake_awaits_body(const char *bytes, size_t head_size, size_t size);

/* Checks a complete head: status, Upgrade, Connection and accept key, and that the subprotocol and extension were
 * offered. Splits `head` (terminated, its empty line optional) in place; client_handshake_header() then finds lines
 * in it. `body` is what has arrived of a refusal's body; its first line, escaped, goes into the error. Returns
 * false with *error filled if the head is not acceptable. */
bool client_handshake_check(char *head, size_t head_size, const char *body, size_t body_size,
                            const char key[CLIENT_HANDSHAKE_KEY_SIZE], const struct weir_client_options *options,
                            struct client_handshake *handshake, struct weir_client_error *error);

/* Returns the value of a header of a checked head, by name in any case; NULL if there is none. */
const char *client_handshake_header(const char *head, size_t head_size, const char *name);

#endif
