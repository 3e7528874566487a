/* peer.c - see peer.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/http/peer.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "server/core/received.h"
#include "server/http/exchange.h"

enum { FIRST_DESCRIPTOR = 3 };

union any_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

struct peer peer_of_text(const char *address, uint16_t port, uint16_t local_port) {
    struct peer peer = {.port = port, .local_port = local_port};
    char text[ADDRESS_TEXT_SIZE];
    /* An IPv6 address of a link has its zone behind it. */
    snprintf(text, sizeof text, "%.*s", (int)strcspn(address, "%"), address);
    address_parse(text, &peer.address);
    return peer;
}

/* Returns the port; 0 for what is neither IPv4 nor IPv6. */
static uint16_t read_address(const union any_address *from, struct address *address) {
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

uint16_t peer_local_port(int fd) {
    union any_address local = {0};
    struct address address;
    socklen_t size = sizeof local;
    return getsockname(fd, &local.any, &size) != 0 ? 0 : read_address(&local, &address);
}

bool peer_of_socket(int fd, struct peer *peer) {
    union any_address remote = {0};
    socklen_t size = sizeof remote;
    if (getpeername(fd, &remote.any, &size) != 0 || (peer->port = read_address(&remote, &peer->address)) == 0)
        return false;
    peer->local_port = peer_local_port(fd);
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

int64_t peer_received(const struct peer *peer, int end) {
    struct peer other;
    for (int fd = FIRST_DESCRIPTOR; fd < end; fd++)
        if (peer_of_socket(fd, &other) && peer_equal(peer, &other))
            return received_bytes(fd);
    return -1;
}

bool peer_is_unfinished(int fd, char *head) {
    ssize_t size = exchange_peek(fd, head, PEER_HEAD_MAX);
    if (size <= 0)
        return size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    return memmem(head, (size_t)size, "\n\r\n", 3) == NULL && memmem(head, (size_t)size, "\n\n", 2) == NULL;
}
