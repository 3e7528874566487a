/* public_listener.h - where clients come in: the HTTP server at the public addresses, with request dispatch behind
 * it. Keep-alive is off, because an idle client would hold a thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_PUBLIC_LISTENER_H
#define WEIR_PUBLIC_LISTENER_H

#include <stddef.h>

#include "server/config/config.h"
#include "server/http/civetweb/http_server.h"
#include "server/http/dispatch.h"

/* Listens, and answers through `dispatch`, until http_server_stop(). `queue` is how many accepted clients may wait
 * for a thread; `base` is the first number for the sockets of connections. Returns NULL with one line in
 * `error`. */
struct http_server *public_listener_start(const struct config *config, unsigned queue, int base,
                                          struct dispatch *dispatch, char *error, size_t error_size);

#endif
