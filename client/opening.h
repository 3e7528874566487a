/* opening.h - the opening handshake as the client sees it (RFC 6455, 4.1): the request as text, the judgement of
 * the answer. No sockets; shared by the library and the load tester.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CLIENT_OPENING_H
#define WEIR_CLIENT_OPENING_H

#include <stdbool.h>
#include <stddef.h>

#include <weir/client.h>

#include "client/url.h"
#include "server/proto/extension.h"
#include "server/proto/handshake.h"

enum {
    OPENING_KEY_SIZE = 25, /* 16 bytes in base64, with the terminator */
    OPENING_HEAD_MAX = 16384,
    OPENING_BODY_MAX = 2048 /* of a refusal, for its first line */
};

/* A fresh Sec-WebSocket-Key from the system's random numbers. */
bool opening_key(char key[OPENING_KEY_SIZE]);

/* The request, terminated, in the heap; NULL with *error filled (a header or subprotocol that may not stand in a
 * request, memory out). Headers of `options` that the handshake itself sets (Host, Upgrade, Connection,
 * Sec-WebSocket-*) are refused. */
char *opening_request(const struct url *url, const struct weir_client_options *options,
                      const char key[OPENING_KEY_SIZE], struct weir_client_error *error);

/* What a good answer agreed on. */
struct opening {
    struct deflate_params deflate; /* all zero: no compression */
    char *subprotocol;             /* within `head`; NULL if none was selected */
};

/* False, with *error filled, if what has arrived cannot become an answer: no HTTP, a TLS alert, a head beyond
 * OPENING_HEAD_MAX. To be asked after each read, before the head is judged. */
bool opening_is_possible(const char *bytes, size_t size, struct weir_client_error *error);

/* The size of the head at the beginning of `bytes`, with its empty line; 0 if it is not complete yet. */
size_t opening_head_size(const char *bytes, size_t size);

/* True if the complete head at the beginning of `bytes` refuses, and the first line of its body is not whole yet:
 * it says why, and is worth waiting for. */
bool opening_awaits_body(const char *bytes, size_t head_size, size_t size);

/* Judges a complete head: status, Upgrade, Connection, accept key, a subprotocol and an extension that were
 * offered. `head` (terminated, without the empty line's end needed) is cut apart in place: afterwards
 * opening_header() finds lines in it. `body` has what has arrived of the body of a refusal; its first line,
 * escaped, goes into the error. False: *error is filled. */
bool opening_judge(char *head, size_t head_size, const char *body, size_t body_size,
                   const char key[OPENING_KEY_SIZE], const struct weir_client_options *options,
                   struct opening *opening, struct weir_client_error *error);

/* A header of a judged head by name, in any case; NULL if there is none. */
const char *opening_header(const char *head, size_t head_size, const char *name);

#endif
