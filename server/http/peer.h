/* peer.h - whose a socket is, asked of a descriptor that somebody else uses and may close at any moment: for those
 * who find the HTTP library's sockets by looking.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HTTP_PEER_H
#define WEIR_HTTP_PEER_H

#include <stdbool.h>
#include <stdint.h>

#include "server/proto/address.h"

enum { PEER_HEAD_MAX = 16384 }; /* of a request */

/* One end of a connection, or what a socket is bound to. */
struct end {
    struct address address;
    uint16_t port;
};

struct peer {
    struct address address;
    uint16_t port, local_port;
};

/* Of what the HTTP library says in text. */
struct peer peer_of_text(const char *address, uint16_t port, uint16_t local_port);

/* False if the descriptor is no connection of a client. */
bool peer_of_socket(int fd, struct peer *peer);

bool peer_equal(const struct peer *a, const struct peer *b);

/* What a socket is bound to. False if it is not a TCP or UDP socket with a port. */
bool peer_local_end(int fd, struct end *end);

/* The kernel's number for a socket, which no other ever gets; 0 for what is none. */
uint64_t peer_cookie(int fd);

/* No end of a request's head waits in the socket. Its end of file and its errors are the library's to see. `head`
 * is memory of PEER_HEAD_MAX bytes. */
bool peer_is_unfinished(int fd, char *head);

#endif
