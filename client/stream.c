/* stream.c - see stream.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "client/stream.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* --- Time --------------------------------------------------------------------------------------------------- */

uint64_t stream_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t stream_deadline(uint64_t timeout_ms) {
    uint64_t now = stream_now();
    return timeout_ms >= STREAM_NEVER - now ? STREAM_NEVER : now + timeout_ms;
}

/* Adds one millisecond, because both times have been rounded down: poll() must not return before the deadline. */
int stream_poll_timeout(uint64_t deadline) {
    if (deadline == STREAM_NEVER)
        return -1;
    uint64_t now = stream_now();
    if (now >= deadline)
        return 0;
    return deadline - now >= INT_MAX ? INT_MAX : (int)(deadline - now) + 1;
}

bool stream_wait(int stream, short events, uint64_t deadline) {
    struct pollfd polled = {.fd = stream, .events = events};
    for (;;) {
        int timeout = stream_poll_timeout(deadline);
        int ready = poll(&polled, 1, timeout);
        if (ready > 0)
            return true;
        if (ready < 0 && errno != EINTR && errno != EAGAIN)
            return true; /* the next read or write reports the error */
        if (ready == 0 && timeout >= 0 && stream_now() >= deadline)
            return false;
    }
}

/* --- Connecting --------------------------------------------------------------------------------------------- */

static int await_connection(int stream, uint64_t deadline) {
    if (!stream_wait(stream, POLLOUT, deadline))
        return ETIMEDOUT;
    int failure = 0;
    socklen_t size = sizeof failure;
    return getsockopt(stream, SOL_SOCKET, SO_ERROR, &failure, &size) == 0 ? failure : errno;
}

/* The system chooses the port when it knows the destination, so that a source address serves more connections
 * than it has ports. */
static bool bind_source(int stream, const struct addrinfo *source) {
    int on = 1;
    if (source == NULL)
        return true;
    setsockopt(stream, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    return bind(stream, source->ai_addr, source->ai_addrlen) == 0;
}

/* A connect() that a signal interrupts continues in the background, like one that would block. */
static int begin_connection(int stream, const struct addrinfo *address, const struct addrinfo *source) {
    int on = 1;
    setsockopt(stream, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (!bind_source(stream, source))
        return errno;
    if (connect(stream, address->ai_addr, address->ai_addrlen) == 0)
        return 0;
    return errno == EINTR ? EINPROGRESS : errno;
}

/* Returns the descriptor; or -1 with errno set. */
static int connect_one(const struct addrinfo *address, const struct addrinfo *source, uint64_t deadline) {
    int stream = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (stream < 0)
        return -1;
    int failure = begin_connection(stream, address, source);
    if (failure == EINPROGRESS)
        failure = await_connection(stream, deadline);
    if (failure == 0)
        return stream;
    close(stream);
    errno = failure;
    return -1;
}

static bool fits(const struct addrinfo *address, const struct addrinfo *source) {
    return source == NULL || source->ai_family == address->ai_family;
}

static uint64_t share_of(const struct addrinfo *address, const struct addrinfo *source, uint64_t deadline) {
    uint64_t now = stream_now(), left = 0;
    for (; address != NULL; address = address->ai_next)
        left += fits(address, source) ? 1 : 0;
    return deadline <= now || left <= 1 ? deadline : now + (deadline - now) / left;
}

int stream_connect(const struct addrinfo *addresses, const struct addrinfo *source, uint64_t deadline) {
    int failure = EAFNOSUPPORT;
    bool failed = false;
    for (const struct addrinfo *address = addresses; address != NULL; address = address->ai_next) {
        if (!fits(address, source))
            continue;
        int stream = connect_one(address, source, share_of(address, source, deadline));
        if (stream >= 0)
            return stream;
        failure = failed ? failure : errno;
        failed = true;
    }
    errno = failure;
    return -1;
}

/* --- Reading and writing ------------------------------------------------------------------------------------ */

ssize_t stream_read(int stream, void *bytes, size_t size) {
    ssize_t result;
    do
        result = recv(stream, bytes, size, MSG_DONTWAIT);
    while (result < 0 && errno == EINTR);
    return result;
}

ssize_t stream_write(int stream, const void *bytes, size_t size) {
    ssize_t result;
    do
        result = send(stream, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (result < 0 && errno == EINTR);
    return result;
}

bool stream_write_all(int stream, const void *bytes, size_t size, uint64_t deadline) {
    const char *at = bytes;
    while (size > 0) {
        ssize_t written = stream_write(stream, at, size);
        if (written >= 0) {
            at += written;
            size -= (size_t)written;
        } else if (errno != EAGAIN) {
            return false;
        } else if (!stream_wait(stream, POLLOUT, deadline)) {
            errno = ETIMEDOUT;
            return false;
        }
    }
    return true;
}

void stream_peer(int stream, char text[STREAM_PEER_SIZE]) {
    enum { HOST_SIZE = 64, PORT_SIZE = 8 };
    struct sockaddr_storage address = {0};
    socklen_t size = sizeof address;
    char host[HOST_SIZE], port[PORT_SIZE];
    text[0] = '\0';
    if (getpeername(stream, (struct sockaddr *)&address, &size) == 0 &&
        getnameinfo((struct sockaddr *)&address, size, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) == 0)
        snprintf(text, STREAM_PEER_SIZE, address.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}
