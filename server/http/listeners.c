/* listeners.c - see listeners.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/http/listeners.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

static bool is_listening(int fd) {
    int listening = 0;
    socklen_t size = sizeof listening;
    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0 && listening;
}

static bool is_among(const struct listeners *listeners, int fd) {
    for (int i = 0; listeners != NULL && i < listeners->count; i++)
        if (listeners->fds[i] == fd)
            return true;
    return false;
}

void listeners_find(struct listeners *listeners, int limit, const struct listeners *others) {
    listeners->count = 0;
    for (int fd = 0; fd < limit && listeners->count < LISTENERS_MAX; fd++)
        if (is_listening(fd) && !is_among(others, fd))
            listeners->fds[listeners->count++] = fd;
}

void listeners_shut(const struct listeners *listeners) {
    for (int i = 0; i < listeners->count; i++)
        shutdown(listeners->fds[i], SHUT_RD);
}

/* 0 if it is no connected TCP socket. */
static in_port_t local_port(int fd) {
    struct sockaddr_storage address = {0};
    socklen_t size = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &size) != 0)
        return 0;
    if (address.ss_family == AF_INET)
        return ((const struct sockaddr_in *)&address)->sin_port;
    return address.ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)&address)->sin6_port : 0;
}

void listeners_shut_clients(const struct listeners *listeners, int limit) {
    for (int i = 0; i < listeners->count; i++) {
        in_port_t port = local_port(listeners->fds[i]);
        for (int fd = 0; fd < limit; fd++)
            if (!is_among(listeners, fd) && port != 0 && local_port(fd) == port)
                shutdown(fd, SHUT_RD);
    }
}
