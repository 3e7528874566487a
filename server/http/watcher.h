/* watcher.h - a thread that sees to it that those who never finish a request do not take every HTTP thread.
 *
 * The HTTP library has no hook before a thread is taken, but its clients can be found by what their sockets are
 * bound to (listeners.h). The watcher looks at all of them every 20 ms. Those whose requests are unfinished are
 * judged by half_open.h; who has to go gets 408 or 503. Who has sent nothing at all is not even accepted at first
 * (TCP_DEFER_ACCEPT): a thousand clients that connect at once and take their time to send cost nothing, and are not
 * mistaken for an attack.
 *
 * It also keeps the library from spinning when there are no descriptors (accept_guard.h). While nobody connects it
 * sleeps.
 *
 * A request is finished once its whole head waits in the socket, or while it is being served: the HTTP threads say
 * so with watcher_hold(), as a head that the library has read cannot be seen.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HTTP_WATCHER_H
#define WEIR_HTTP_WATCHER_H

#include <stdbool.h>
#include <stdint.h>

#include "server/http/half_open.h"
#include "server/http/listeners.h"

struct watcher;

struct watcher_options {
    int base; /* its own descriptors are at or above it, see numbers_duplicate() */
    struct half_open_limits limits;
    char *const *trusted_proxies; /* networks, see address_is_in(); their addresses stand for many clients */
    _Atomic uint64_t *closed;     /* counts the requests that were cut off */
    _Atomic uint64_t *refused;    /* counts those for whom there was no descriptor */
};

/* NULL if memory is out. */
struct watcher *watcher_create(const struct watcher_options *options);
void watcher_destroy(struct watcher *watcher);

/* Watches these listening sockets, which may be in use already. -1 with errno. */
int watcher_start(struct watcher *watcher, const struct listeners *listeners);
void watcher_stop(struct watcher *watcher);

/* Cuts off every unfinished request; only when stopped. */
void watcher_close_all(struct watcher *watcher);

/* --- For the HTTP threads, from before the start until after the stop --- */

/* A thread begins with a connection. */
void watcher_wake(struct watcher *watcher);

/* The thread's client is in hand, and its socket may be adopted or closed: from before its request is answered, or
 * before its connection is closed, until its connection has been closed. False if it has been cut off already. */
bool watcher_hold(struct watcher *watcher, const char *address, uint16_t port, uint16_t local_port);
void watcher_release(struct watcher *watcher);

#endif
