/* upgrade.h - an opening handshake while the route's handler decides on it: what upgrade_calls.c shows and sets.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HTTP_UPGRADE_H
#define WEIR_HTTP_UPGRADE_H

#include "server/core/core.h"
#include "server/http/http.h"
#include "server/http/router.h"

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

#endif
