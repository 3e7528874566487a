/* adoption.c - see adoption.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/core/adoption.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { FIRST_DESCRIPTOR = 3, SEARCH_AT_ONCE = 512 };

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

int adoption_open(struct adoption *adoption, int base) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return -1;
    close(pair[1]);
    *adoption = (struct adoption){.dead_socket = pair[0], .base = base};
    return 0;
}

void adoption_close(struct adoption *adoption) {
    close(adoption->dead_socket);
}

/* Returns false if the text is no numeric address. */
static bool parse_address(const char *text, uint16_t port, union address *address) {
    char plain[INET6_ADDRSTRLEN];
    size_t size = strcspn(text, "%"); /* a link-local address may come with its interface */
    if (size >= sizeof plain)
        return false;
    memcpy(plain, text, size);
    plain[size] = '\0';
    memset(address, 0, sizeof *address);
    if (inet_pton(AF_INET, plain, &address->v4.sin_addr) == 1) {
        address->v4.sin_family = AF_INET;
        address->v4.sin_port = htons(port);
        return true;
    }
    address->v6.sin6_family = AF_INET6;
    address->v6.sin6_port = htons(port);
    return inet_pton(AF_INET6, plain, &address->v6.sin6_addr) == 1;
}

static bool same_address(const union address *a, const union address *b) {
    if (a->any.sa_family != b->any.sa_family)
        return false;
    if (a->any.sa_family == AF_INET)
        return a->v4.sin_port == b->v4.sin_port && a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
    return a->any.sa_family == AF_INET6 && a->v6.sin6_port == b->v6.sin6_port &&
           memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, sizeof a->v6.sin6_addr) == 0;
}

static bool has_local_port(int fd, uint16_t port) {
    union address local = {0};
    socklen_t size = sizeof local;
    if (getsockname(fd, &local.any, &size) != 0)
        return false;
    return (local.any.sa_family == AF_INET ? local.v4.sin_port : local.v6.sin6_port) == htons(port);
}

static bool is_wanted(int fd, const union address *wanted, uint16_t local_port) {
    union address peer = {0};
    socklen_t size = sizeof peer;
    return getpeername(fd, &peer.any, &size) == 0 && same_address(&peer, wanted) && has_local_port(fd, local_port);
}

/* Which of `count` numbers from `first` on are open: one system call, where asking each would be hundreds. */
static void mark_open(struct pollfd *numbers, int first, int count) {
    for (int i = 0; i < count; i++)
        numbers[i] = (struct pollfd){.fd = first + i};
    while (poll(numbers, (nfds_t)count, 0) < 0 && errno == EINTR)
        continue;
}

static enum adoption_result find(const struct adoption *adoption, const union address *peer, uint16_t local_port,
                                 int *found) {
    struct pollfd numbers[SEARCH_AT_ONCE];
    *found = -1;
    for (int first = FIRST_DESCRIPTOR; first < adoption->base; first += SEARCH_AT_ONCE) {
        int left = adoption->base - first, count = left < SEARCH_AT_ONCE ? left : SEARCH_AT_ONCE;
        mark_open(numbers, first, count);
        for (int i = 0; i < count; i++) {
            if (numbers[i].revents & POLLNVAL || !is_wanted(numbers[i].fd, peer, local_port))
                continue;
            if (*found >= 0)
                return ADOPTION_AMBIGUOUS;
            *found = numbers[i].fd;
        }
    }
    return *found < 0 ? ADOPTION_NONE : ADOPTION_DONE;
}

/* Leaves the library's number with the dead socket. */
static enum adoption_result exchange(const struct adoption *adoption, int library_fd, int *fd) {
    *fd = fcntl(library_fd, F_DUPFD_CLOEXEC, adoption->base);
    if (*fd < 0)
        return ADOPTION_FAILED;
    while (dup3(adoption->dead_socket, library_fd, O_CLOEXEC) < 0) {
        if (errno == EINTR || errno == EBUSY)
            continue;
        close(*fd);
        return ADOPTION_FAILED;
    }
    return ADOPTION_DONE;
}

enum adoption_result adoption_take(const struct adoption *adoption, const char *peer_address, uint16_t peer_port,
                                   uint16_t local_port, int *fd) {
    union address peer;
    int library_fd, pending = 0;
    if (!parse_address(peer_address, peer_port, &peer))
        return ADOPTION_NONE;
    enum adoption_result result = find(adoption, &peer, local_port, &library_fd);
    if (result != ADOPTION_DONE)
        return result;
    if (ioctl(library_fd, FIONREAD, &pending) == 0 && pending > 0)
        return ADOPTION_EARLY;
    return exchange(adoption, library_fd, fd);
}

const char *adoption_describe(enum adoption_result result) {
    switch (result) {
    case ADOPTION_NONE:
        return "no descriptor has this peer";
    case ADOPTION_AMBIGUOUS:
        return "more than one descriptor has this peer";
    case ADOPTION_EARLY:
        return "data before the handshake was answered";
    case ADOPTION_FAILED:
        return "no descriptor is left";
    case ADOPTION_DONE:
        break;
    }
    return "adopted";
}
