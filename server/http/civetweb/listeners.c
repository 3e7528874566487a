/* listeners.c - see listeners.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/http/civetweb/listeners.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "server/http/civetweb/descriptor_scan.h"
#include "server/http/civetweb/received.h"

static bool listeners_is_listening(int fd) {
    int listening = 0;
    socklen_t size = sizeof listening;
    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0 && listening;
}

static bool listeners_is_bound_to(int fd, const struct end *wanted) {
    struct end bound;
    return peer_local_end(fd, &bound) && bound.port == wanted->port &&
           address_equal(&bound.address, &wanted->address) && listeners_is_listening(fd);
}

static struct address listeners_host_of(const char *address) {
    struct address host = {0};
    char text[ADDRESS_TEXT_SIZE];
    bool v6 = *address == '[';
    snprintf(text, sizeof text, "%.*s", (int)strcspn(address + v6, v6 ? "]" : ":"), address + v6);
    address_parse(text, &host);
    return host;
}

bool listeners_find(struct listeners *listeners, const char *address, uint16_t port) {
    const struct end wanted = {listeners_host_of(address), port};
    struct descriptor_scan scan;
    if (listeners->count == LISTENERS_MAX)
        return false;
    descriptor_scan_begin(&scan, 0);
    for (int fd; (fd = descriptor_scan_next(&scan)) >= 0;) {
        if (!listeners_is_bound_to(fd, &wanted))
            continue;
        listeners->fds[listeners->count] = fd;
        listeners->bound[listeners->count++] = wanted;
        return true;
    }
    return false;
}

void listeners_shut(const struct listeners *listeners) {
    for (int i = 0; i < listeners->count; i++)
        shutdown(listeners->fds[i], SHUT_RD);
}

/* A socket bound to 0.0.0.0 or [::] takes clients at all addresses of the machine. */
static bool listeners_takes(const struct end *bound, const struct end *local) {
    static const struct address any_v6 = {{0}}, any_v4 = {{[10] = 0xff, [11] = 0xff}};
    bool v4 = memcmp(local->address.bytes, any_v4.bytes, 12) == 0;
    return bound->port == local->port && (address_equal(&bound->address, &local->address) ||
                                          address_equal(&bound->address, v4 ? &any_v4 : &any_v6));
}

static bool listeners_is_tcp(int fd) {
    int protocol = 0;
    socklen_t size = sizeof protocol;
    return getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) == 0 && protocol == IPPROTO_TCP;
}

bool listeners_accepted(const struct listeners *listeners, int fd, struct peer *peer) {
    struct end local;
    if (!peer_local_end(fd, &local))
        return false;
    for (int i = 0; i < listeners->count; i++)
        if (listeners_takes(&listeners->bound[i], &local))
            return listeners_is_tcp(fd) && peer_of_socket(fd, peer);
    return false;
}

void listeners_each_client(const struct listeners *listeners,
                           void (*look)(void *context, int fd, const struct peer *peer), void *context) {
    struct descriptor_scan scan;
    struct peer peer;
    descriptor_scan_begin(&scan, DESCRIPTORS_FIRST);
    for (int fd; (fd = descriptor_scan_next(&scan)) >= 0;)
        if (listeners_accepted(listeners, fd, &peer))
            look(context, fd, &peer);
}

struct search {
    const struct peer *client;
    int64_t received;
};

static void listeners_search_one(void *context, int fd, const struct peer *peer) {
    struct search *search = context;
    if (peer_equal(peer, search->client))
        search->received = received_bytes(fd);
}

int64_t listeners_received(const struct listeners *listeners, const struct peer *client) {
    struct search search = {client, -1};
    listeners_each_client(listeners, listeners_search_one, &search);
    return search.received;
}
