/* peer.c - see peer.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/http/civetweb/peer.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "server/http/civetweb/exchange.h"

union any_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

struct peer peer_of_text(const char *address, uint16_t port, uint16_t local_port) {
    struct peer peer = {.port = port, .local_port = local_port};
    char text[ADDRESS_TEXT_SIZE];
    /* A link-local IPv6 address is followed by its zone. */
    snprintf(text, sizeof text, "%.*s", (int)strcspn(address, "%"), address);
    address_parse(text, &peer.address);
    return peer;
}

/* Returns the port; 0 for an address that is neither IPv4 nor IPv6. */
static uint16_t peer_read_address(const union any_address *from, struct address *address) {
    if (from->any.sa_family == AF_INET) {
        *address = (struct address){.bytes = {[10] = 0xff, [11] = 0xff}};
        memcpy(address->bytes + 12, &from->v4.sin_addr, 4);
        return ntohs(from->v4.sin_port);
    }
    if (from->any.sa_family != AF_INET6)
        return 0;
    memcpy(address->bytes, &from->v6.sin6_addr, 16);
    return ntohs(from->v6.sin6_port);
}

bool peer_local_end(int fd, struct end *end) {
    union any_address local = {0};
    socklen_t size = sizeof local;
    return getsockname(fd, &local.any, &size) == 0 && (end->port = peer_read_address(&local, &end->address)) != 0;
}

bool peer_of_socket(int fd, struct peer *peer) {
    union any_address remote = {0};
    struct end local;
    socklen_t size = sizeof remote;
    if (getpeername(fd, &remote.any, &size) != 0 ||
        (peer->port = peer_read_address(&remote, &peer->address)) == 0 || !peer_local_end(fd, &local))
        return false;
    peer->local_port = local.port;
    return true;
}

bool peer_equal(const struct peer *a, const struct peer *b) {
    return a->port == b->port && a->local_port == b->local_port && address_equal(&a->address, &b->address);
}

uint64_t peer_cookie(int fd) {
    uint64_t cookie = 0;
    socklen_t size = sizeof cookie;
    return getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size) == 0 ? cookie : 0;
}

bool peer_is_unfinished(int fd, char *head) {
    ssize_t size = exchange_peek(fd, head, PEER_HEAD_MAX);
    if (size <= 0)
        return size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    return memmem(head, (size_t)size, "\n\r\n", 3) == NULL && memmem(head, (size_t)size, "\n\n", 2) == NULL;
}
