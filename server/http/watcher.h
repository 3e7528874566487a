/* watcher.h - a thread that sees to it that those who never finish a request do not take every HTTP thread.
 *
 * The HTTP library has no hook before a thread is taken, but upgraded sockets live above a base (adoption.h), so
 * what lies below it and is connected to our ports is in its HTTP phase. The watcher looks there every 20 ms, and
 * every 2 ms while unfinished requests hold three quarters of the threads. One that it has seen unfinished twice is
 * judged by half_open.h. Who has sent nothing at all is not even accepted at first (TCP_DEFER_ACCEPT): a thousand
 * clients that connect at once and take their time to send cost nothing, and are not mistaken for an attack.
 *
 * It also keeps the library from spinning when there are no descriptors (accept_guard.h). While nobody connects it
 * sleeps.
 *
 * A request is finished once its whole head waits in the socket, or while it is being answered: the HTTP threads
 * say so with watcher_hold(), as a head that the library has read cannot be seen.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HTTP_WATCHER_H
#define WEIR_HTTP_WATCHER_H

#include <stdint.h>

#include "server/core/adoption.h"
#include "server/http/half_open.h"
#include "server/http/http.h"
#include "server/http/listeners.h"

struct watcher;

struct watcher_options {
    const struct adoption *adoption;
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

/* From here on until the release the request is being answered, and its socket may be adopted. Returns what
 * watcher_release() takes. */
unsigned watcher_hold(struct watcher *watcher, const struct http_request *request);
void watcher_release(struct watcher *watcher, unsigned place);

#endif
