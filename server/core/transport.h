/* transport.h - how bytes reach a client: read, write, shut down, close. So far the only kind is the TCP socket;
 * TLS will be another. Calls never block. The descriptor is the one that the poller watches.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CORE_TRANSPORT_H
#define WEIR_CORE_TRANSPORT_H

#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

struct transport;

/* Results and errno are those of recv(2), sendmsg(2) and shutdown(2). */
struct transport_kind {
    ssize_t (*read)(struct transport *transport, void *bytes, size_t size);
    ssize_t (*write)(struct transport *transport, struct iovec *vectors, int count);
    int (*unsent)(struct transport *transport); /* bytes written that the client has not acknowledged; -1: not
                                                   known */
    void (*shut)(struct transport *transport, int how); /* SHUT_WR: no more writes; SHUT_RDWR: no more reads
                                                           either */
    void (*close)(struct transport *transport);
};

struct transport {
    const struct transport_kind *kind;
    int fd;
};

/* Takes over a connected socket and makes it non-blocking. */
struct transport transport_socket(int fd);

#endif
