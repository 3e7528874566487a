/* peer.h - which client a socket belongs to, asked of a descriptor that another thread uses and may close at any
 * moment. For threads that find the HTTP library's sockets by looking.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HTTP_CIVETWEB_PEER_H
#define WEIR_HTTP_CIVETWEB_PEER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"

enum { PEER_HEAD_MAX = 16384 }; /* bytes of a request's head */

/* One end of a connection, or what a socket is bound to. */
struct end {
    struct address address;
    uint16_t port;
};

struct peer {
    struct address address;
    uint16_t port, local_port;
};

/* The peer that the HTTP library describes as text. */
struct peer peer_of_text(const char *address, uint16_t port, uint16_t local_port);

/* Returns false if the descriptor is not a client's connection. */
bool peer_of_socket(int fd, struct peer *peer);

bool peer_equal(const struct peer *a, const struct peer *b);

/* Reads what a socket is bound to. Returns false if it is not a TCP or UDP socket with a port. */
bool peer_local_end(int fd, struct end *end);

/* The kernel's number for a socket, which no other socket ever gets; 0 if it is not a socket. */
uint64_t peer_cookie(int fd);

/* Whether no end of a request's head waits in the socket. End of file and errors are left for the library to see.
 * `head` is memory of PEER_HEAD_MAX bytes. */
bool peer_is_unfinished(int fd, char *head);

#endif
