/* watcher.h - a thread that keeps clients that never finish a request from taking every HTTP thread.
 *
 * The HTTP library has no hook before it takes a thread, but its clients can be found by what their sockets are
 * bound to (listeners.h). The watcher looks at all of them every 20 ms. half_open.h judges those whose requests
 * are unfinished; those that must go get 408 or 503. A client that has sent nothing at all is not even accepted at
 * first (TCP_DEFER_ACCEPT). So a thousand clients that connect at once and take their time to send cost nothing,
 * and are not mistaken for an attack.
 *
 * It also keeps the library from spinning when there are no descriptors (accept_guard.h). While no client
 * connects, it sleeps.
 *
 * A request is finished once its whole head waits in the socket, or while it is being served. The HTTP threads
 * report that with watcher_hold(), since a head that the library has read can no longer be seen in the socket.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HTTP_CIVETWEB_WATCHER_H
#define WEIR_HTTP_CIVETWEB_WATCHER_H

#include <stdbool.h>
#include <stdint.h>

#include "server/http/civetweb/half_open.h"
#include "server/http/civetweb/listeners.h"

struct watcher;

struct watcher_options {
    int base; /* its own descriptors are at or above this number, see descriptors_duplicate() */
    struct half_open_limits limits;
    char *const *trusted_proxies; /* networks, see address_is_in(); each address stands for many clients */
    _Atomic uint64_t *closed;     /* counts the requests that were cut off */
    _Atomic uint64_t *refused;    /* counts the clients for which there was no descriptor */
};

/* Returns NULL if memory is out. */
struct watcher *watcher_create(const struct watcher_options *options);
void watcher_destroy(struct watcher *watcher);

/* Watches these listening sockets, which may be in use already. Returns -1 with errno. */
int watcher_start(struct watcher *watcher, const struct listeners *listeners);
void watcher_stop(struct watcher *watcher);

/* Cuts off every unfinished request. Call it only after watcher_stop(). */
void watcher_close_all(struct watcher *watcher);

/* --- For the HTTP threads, from before the start until after the stop --- */

/* A thread begins handling a connection. */
void watcher_wake(struct watcher *watcher);

/* The thread's client is in hand, and its socket may be adopted or closed. Call watcher_hold() before its request
 * is answered or its connection is closed, and watcher_release() when its connection has been closed.
 * watcher_hold() returns false if the client has been cut off already. */
bool watcher_hold(struct watcher *watcher, const char *address, uint16_t port, uint16_t local_port);
void watcher_release(struct watcher *watcher);

#endif
