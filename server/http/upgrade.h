/* upgrade.h - the part of an upgrade that needs no socket: whether the handshake is valid, and whether the handler
 * wants it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HTTP_UPGRADE_H
#define WEIR_HTTP_UPGRADE_H

#include "server/http/route_entry.h"
#include "server/http/http.h"
#include "ws/handshake.h"

/* Whether the request asks for a WebSocket. */
bool upgrade_is_wanted(const struct http_request *request);

/* Checks the handshake. Returns true with the accept value; or false with the refusal in `response`, and the
 * reason, a constant, in *why. */
bool upgrade_check(const struct http_request *request, char accept[HANDSHAKE_ACCEPT_SIZE], const char **why,
                   struct http_response *response);

/* What both ends agree on. */
struct negotiated {
    const char *subprotocol; /* NULL: none */
    struct deflate_params deflate;
    char extensions[EXTENSION_RESPONSE_SIZE]; /* as in the 101; "" for none */
};

/* Checks what the entry also requires, an allowed Origin and a subprotocol, and grants compression. Returns
 * false with the refusal in `response`. */
bool upgrade_negotiate(const struct http_request *request, const struct route_entry *entry,
                       struct negotiated *negotiated, struct http_response *response);

/* What the `upgrade` callback sees and sets. */
struct weir_upgrade {
    const struct http_request *request;
    const struct router_match *match;
    const char *path; /* decoded */
    const char *peer;
    const char *subprotocol; /* selected, or NULL */
    struct http_response *response;
    struct upgrade_text *texts; /* made for the callback */

    /* Set by the callback: */
    char *user;                  /* in the heap */
    char *headers;               /* more lines of the response, each with its CRLF, in the heap; NULL: none */
    void *data;                  /* of the connection */
    void (*discard)(void *data); /* frees it if there will be no connection; NULL: nothing to do */
};

/* Frees what the callback has made and set, and discards the connection's data unless upgrade->discard is NULL. */
void upgrade_release(weir_upgrade *upgrade);

/* Asks the route's handler. Returns true if it accepts; or false with the refusal in upgrade->response. */
bool upgrade_ask_handler(weir_upgrade *upgrade, const struct route *route);

/* UPGRADE_HEADERS_MAX: bytes of the header lines that a handler may add, with a terminator. */
enum { UPGRADE_HEADERS_MAX = 2048 };

/* Writes the 101 with its headers, and the handler's, which may be NULL. Returns its size. A list of subprotocols
 * has at most 1,023 bytes, and a handler selects one of them. */
enum { UPGRADE_RESPONSE_MAX = 1536 + UPGRADE_HEADERS_MAX };
size_t upgrade_response(char response[UPGRADE_RESPONSE_MAX], const char *accept,
                        const struct negotiated *negotiated, const char *more_headers);

#endif
