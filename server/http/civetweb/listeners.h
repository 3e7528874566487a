/* listeners.h - the listening sockets of the HTTP library, and the clients that it has accepted through them. The
 * library tells neither. So this looks at what descriptors are bound to: all but those of adopted connections,
 * whatever their numbers. Sockets that others in the same process listen on are never taken for either.
 *
 * The library's accepting thread sleeps in poll() for up to two seconds, and looks for a stop only between two
 * sleeps. Shutting a listening socket for reading wakes it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HTTP_CIVETWEB_LISTENERS_H
#define WEIR_HTTP_CIVETWEB_LISTENERS_H

#include <stdbool.h>

#include "server/http/civetweb/peer.h"

enum { LISTENERS_MAX = 256 };

struct listeners {
    int count;
    int fds[LISTENERS_MAX];
    struct end bound[LISTENERS_MAX]; /* what each is bound to */
};

/* Adds the socket that listens on this address ("127.0.0.1:9000" or "[::1]:9000"), but with `port` instead of its
 * port. Returns false if there is none. */
bool listeners_find(struct listeners *listeners, const char *address, uint16_t port);

/* Ends accepting, and wakes a thread that polls the sockets. */
void listeners_shut(const struct listeners *listeners);

/* Returns true, and sets `peer`, if the descriptor is a client that came in through one of them. */
bool listeners_accepted(const struct listeners *listeners, int fd, struct peer *peer);

/* Calls `look` for each of their clients that has not been adopted, in the order of their descriptors. */
void listeners_each_client(const struct listeners *listeners,
                           void (*look)(void *context, int fd, const struct peer *peer), void *context);

/* How many bytes have come from that client in all; -1 if the client is not found. */
int64_t listeners_received(const struct listeners *listeners, const struct peer *client);

#endif
