/* half_open_reaper.h - a thread that keeps clients that never finish a request from taking every HTTP thread.
 *
 * The HTTP library has no hook before it takes a thread, but its clients can be found by what their sockets are
 * bound to (listeners.h). The reaper looks at all of them every 20 ms. half_open.h decides about those whose
 * requests are unfinished; those that must go get 408 or 503. A client that has sent nothing at all is not even
 * accepted at first (TCP_DEFER_ACCEPT). So a thousand clients that connect at once and take their time to send cost
 * nothing, and are not mistaken for an attack.
 *
 * It also keeps the library from spinning when there are no descriptors (descriptor_guard.h). While no client
 * connects, it sleeps.
 *
 * A request is finished once its whole head waits in the socket, or while it is being served. The HTTP threads
 * report that with half_open_reaper_enter(), since a head that the library has read can no longer be seen in the
 * socket.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HTTP_CIVETWEB_HALF_OPEN_REAPER_H
#define WEIR_HTTP_CIVETWEB_HALF_OPEN_REAPER_H

#include <stdbool.h>
#include <stdint.h>

#include "server/http/civetweb/half_open.h"
#include "server/http/civetweb/listeners.h"

struct half_open_reaper;

struct half_open_reaper_options {
    int base; /* its own descriptors are at or above this number, see descriptors_duplicate() */
    struct half_open_limits limits;
    char *const *trusted_proxies; /* networks, see address_is_in(); each address stands for many clients */
    _Atomic uint64_t *closed;     /* counts the requests that were cut off */
    _Atomic uint64_t *refused;    /* counts the clients for which there was no descriptor */
};

/* Returns NULL if memory is out. */
struct half_open_reaper *half_open_reaper_create(const struct half_open_reaper_options *options);
void half_open_reaper_destroy(struct half_open_reaper *reaper);

/* Watches these listening sockets, which may be in use already. Returns -1 with errno. */
int half_open_reaper_start(struct half_open_reaper *reaper, const struct listeners *listeners);
void half_open_reaper_stop(struct half_open_reaper *reaper);

/* Cuts off every unfinished request. Call it only after half_open_reaper_stop(). */
void half_open_reaper_close_all(struct half_open_reaper *reaper);

/* --- For the HTTP threads, from before the start until after the stop --- */

/* A thread begins handling a connection. */
void half_open_reaper_wake(struct half_open_reaper *reaper);

/* The thread's client is in hand, and its socket may be adopted or closed. Call half_open_reaper_enter() before its
 * request is answered or its connection is closed, and half_open_reaper_leave() when its connection has been
 * closed. half_open_reaper_enter() returns false if the client has been cut off already. */
bool half_open_reaper_enter(struct half_open_reaper *reaper, const char *address, uint16_t port,
                            uint16_t local_port);
void half_open_reaper_leave(struct half_open_reaper *reaper);

#endif
