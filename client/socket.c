/* socket.c - see socket.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "client/socket.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

/* --- Time --------------------------------------------------------------------------------------------------- */

uint64_t socket_now(void) {
    return clock_ms();
}

uint64_t socket_deadline(uint64_t timeout_ms) {
    uint64_t now = socket_now();
    return timeout_ms >= SOCKET_NEVER - now ? SOCKET_NEVER : now + timeout_ms;
}

/* Adds one millisecond, because both times have been rounded down: poll() must not return before the deadline. */
int socket_poll_timeout(uint64_t deadline) {
    if (deadline == SOCKET_NEVER)
        return -1;
    uint64_t now = socket_now();
    if (now >= deadline)
        return 0;
    return deadline - now >= INT_MAX ? INT_MAX : (int)(deadline - now) + 1;
}

bool socket_wait(int descriptor, short events, uint64_t deadline) {
    struct pollfd polled = {.fd = descriptor, .events = events};
    for (;;) {
        int timeout = socket_poll_timeout(deadline);
        int ready = poll(&polled, 1, timeout);
        if (ready > 0)
            return true;
        if (ready < 0 && errno != EINTR && errno != EAGAIN)
            return true; /* the next read or write reports the error */
        if (ready == 0 && timeout >= 0 && socket_now() >= deadline)
            return false;
    }
}

/* --- Connecting --------------------------------------------------------------------------------------------- */

static int socket_await_connection(int descriptor, uint64_t deadline) {
    if (!socket_wait(descriptor, POLLOUT, deadline))
        return ETIMEDOUT;
    int failure = 0;
    socklen_t size = sizeof failure;
    return getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &failure, &size) == 0 ? failure : errno;
}

/* The system chooses the port when it knows the destination, so that a source address serves more connections
 * than it has ports. */
static bool socket_bind_source(int descriptor, const struct addrinfo *source) {
    int on = 1;
    if (source == NULL)
        return true;
    setsockopt(descriptor, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    return bind(descriptor, source->ai_addr, source->ai_addrlen) == 0;
}

/* A connect() that a signal interrupts continues in the background, like one that would block. */
static int socket_begin_connection(int descriptor, const struct addrinfo *address, const struct addrinfo *source) {
    int on = 1;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (!socket_bind_source(descriptor, source))
        return errno;
    if (connect(descriptor, address->ai_addr, address->ai_addrlen) == 0)
        return 0;
    return errno == EINTR ? EINPROGRESS : errno;
}

/* Returns the descriptor; or -1 with errno set. */
static int socket_connect_one(const struct addrinfo *address, const struct addrinfo *source, uint64_t deadline) {
    int descriptor = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0)
        return -1;
    int failure = socket_begin_connection(descriptor, address, source);
    if (failure == EINPROGRESS)
        failure = socket_await_connection(descriptor, deadline);
    if (failure == 0)
        return descriptor;
    close(descriptor);
    errno = failure;
    return -1;
}

static bool socket_fits(const struct addrinfo *address, const struct addrinfo *source) {
    return source == NULL || source->ai_family == address->ai_family;
}

static uint64_t socket_share_of(const struct addrinfo *address, const struct addrinfo *source, uint64_t deadline) {
    uint64_t now = socket_now(), left = 0;
    for (; address != NULL; address = address->ai_next)
        left += socket_fits(address, source) ? 1 : 0;
    return deadline <= now || left <= 1 ? deadline : now + (deadline - now) / left;
}

int socket_connect(const struct addrinfo *addresses, const struct addrinfo *source, uint64_t deadline) {
    int failure = EAFNOSUPPORT;
    bool failed = false;
    for (const struct addrinfo *address = addresses; address != NULL; address = address->ai_next) {
        if (!socket_fits(address, source))
            continue;
        int descriptor = socket_connect_one(address, source, socket_share_of(address, source, deadline));
        if (descriptor >= 0)
            return descriptor;
        failure = failed ? failure : errno;
        failed = true;
    }
    errno = failure;
    return -1;
}

/* --- Reading and writing ------------------------------------------------------------------------------------ */

ssize_t socket_read(int descriptor, void *bytes, size_t size) {
    ssize_t result;
    do
        result = recv(descriptor, bytes, size, MSG_DONTWAIT);
    while (result < 0 && errno == EINTR);
    return result;
}

ssize_t socket_write(int descriptor, const void *bytes, size_t size) {
    ssize_t result;
    do
        result = send(descriptor, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (result < 0 && errno == EINTR);
    return result;
}

bool socket_write_all(int descriptor, const void *bytes, size_t size, uint64_t deadline) {
    const char *at = bytes;
    while (size > 0) {
        ssize_t written = socket_write(descriptor, at, size);
        if (written >= 0) {
            at += written;
            size -= (size_t)written;
        } else if (errno != EAGAIN) {
            return false;
        } else if (!socket_wait(descriptor, POLLOUT, deadline)) {
            errno = ETIMEDOUT;
            return false;
        }
    }
    return true;
}

void socket_peer(int descriptor, char text[SOCKET_PEER_SIZE]) {
    enum { HOST_SIZE = 64, PORT_SIZE = 8 };
    struct sockaddr_storage address = {0};
    socklen_t size = sizeof address;
    char host[HOST_SIZE], port[PORT_SIZE];
    text[0] = '\0';
    if (getpeername(descriptor, (struct sockaddr *)&address, &size) == 0 &&
        getnameinfo((struct sockaddr *)&address, size, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) == 0)
        snprintf(text, SOCKET_PEER_SIZE, address.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}
