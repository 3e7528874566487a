/* adoption.c - see adoption.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/http/civetweb/adoption.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "server/core/descriptors.h"
#include "server/http/civetweb/descriptor_scan.h"
#include "server/http/civetweb/exchange.h"
#include "server/http/civetweb/received.h"

enum { FEW = 16 };

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* The connection that is searched for. */
struct ends {
    union address peer, local;
    bool local_is_known; /* otherwise only its port is compared */
};

/* With this setting a listener takes connections from all networks of the machine (vrf.rst in the kernel's
 * documentation). A kernel that does not know the setting has one network. */
static bool adoption_has_many_networks(void) {
    char setting = '0';
    int fd = open("/proc/sys/net/ipv4/tcp_l3mdev_accept", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t size = read(fd, &setting, 1);
    close(fd);
    return size != 1 || setting != '0';
}

int adoption_open(struct adoption *adoption, int base) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return -1;
    close(pair[1]);
    *adoption =
        (struct adoption){.dead_socket = pair[0], .base = base, .many_networks = adoption_has_many_networks()};
    return 0;
}

void adoption_close(struct adoption *adoption) {
    close(adoption->dead_socket);
}

/* Returns false if the text is not a numeric address. */
static bool adoption_parse_address(const char *text, uint16_t port, union address *address) {
    char plain[INET6_ADDRSTRLEN];
    size_t size = strcspn(text, "%"); /* a link-local address may be followed by its interface */
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

static bool adoption_parse_ends(const struct adoption_ends *text, struct ends *ends) {
    ends->local_is_known =
        text->local_address != NULL && adoption_parse_address(text->local_address, text->local_port, &ends->local);
    if (!ends->local_is_known)
        ends->local.v4 = (struct sockaddr_in){.sin_port = htons(text->local_port)};
    return adoption_parse_address(text->peer_address, text->peer_port, &ends->peer);
}

/* Each interface has its own link-local addresses. */
static bool adoption_is_link_local(const union address *address) {
    return address->any.sa_family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&address->v6.sin6_addr);
}

/* Whether no two connections can have these ends. */
static bool adoption_are_unique(const struct adoption *adoption, const struct ends *ends) {
    return ends->local_is_known && !adoption->many_networks && !adoption_is_link_local(&ends->peer) &&
           !adoption_is_link_local(&ends->local);
}

static bool adoption_same_address(const union address *a, const union address *b) {
    if (a->any.sa_family != b->any.sa_family)
        return false;
    if (a->any.sa_family == AF_INET)
        return a->v4.sin_port == b->v4.sin_port && a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
    return a->any.sa_family == AF_INET6 && a->v6.sin6_port == b->v6.sin6_port &&
           memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, sizeof a->v6.sin6_addr) == 0;
}

static in_port_t adoption_port_of(const union address *address) {
    return address->any.sa_family == AF_INET6 ? address->v6.sin6_port : address->v4.sin_port;
}

static bool adoption_has_local_end(int fd, const struct ends *wanted) {
    union address local = {0};
    socklen_t size = sizeof local;
    if (getsockname(fd, &local.any, &size) != 0)
        return false;
    return wanted->local_is_known ? adoption_same_address(&local, &wanted->local)
                                  : adoption_port_of(&local) == adoption_port_of(&wanted->local);
}

static bool adoption_is_wanted(int fd, const struct ends *wanted) {
    union address peer = {0};
    socklen_t size = sizeof peer;
    return getpeername(fd, &peer.any, &size) == 0 && adoption_same_address(&peer, &wanted->peer) &&
           adoption_has_local_end(fd, wanted);
}

/* Whether this socket was accepted at the wanted local end and has been reset since: then it has no peer any
 * more. */
static bool adoption_is_reset(int fd, const struct ends *wanted) {
    union address peer = {0};
    socklen_t size = sizeof peer;
    int listens = 1;
    if (getpeername(fd, &peer.any, &size) == 0 || errno != ENOTCONN || !adoption_has_local_end(fd, wanted))
        return false;
    size = sizeof listens;
    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && !listens;
}

/* Checks at most `most` unmarked numbers, from *first on. Does not find a client that has gone or has sent data
 * too early. */
static int adoption_find_quiet(const struct ends *wanted, int most, int *first, int end) {
    struct pollfd numbers[DESCRIPTORS_AT_ONCE];
    int count = descriptors_poll_next(numbers, most, first, end, POLLIN);
    for (int i = 0; i < count; i++)
        if (numbers[i].revents == 0 && adoption_is_wanted(numbers[i].fd, wanted))
            return numbers[i].fd;
    if (count < most)
        *first = end;
    return -1;
}

/* Starts with a few numbers, since the wanted one is most often among the first. */
static int adoption_find_quiet_between(const struct ends *wanted, int first, int end) {
    int found = -1;
    for (int most = FEW; found < 0 && first < end;
         most = most < DESCRIPTORS_AT_ONCE ? 2 * most : DESCRIPTORS_AT_ONCE)
        found = adoption_find_quiet(wanted, most, &first, end);
    return found;
}

/* Clients that arrive together have consecutive numbers, and their requests are answered in that order. Later
 * clients have the lowest free numbers: below the base, unless all of those are taken. */
static bool adoption_find_next(const struct adoption *adoption, const struct ends *wanted, int *found) {
    static _Atomic int latest =
        DESCRIPTORS_FIRST; /* only where to begin, so all servers of a process may share it */
    int next = latest, first = latest, base = adoption->base;
    *found = adoption_find_quiet(wanted, FEW, &next, INT_MAX);
    if (*found < 0)
        *found = adoption_find_quiet_between(wanted, DESCRIPTORS_FIRST, first);
    if (*found < 0 && next < base)
        *found = adoption_find_quiet_between(wanted, next, base);
    if (*found < 0)
        *found = adoption_find_quiet_between(wanted, next < base ? base : next, descriptors_end());
    if (*found < 0)
        return false;
    latest = *found;
    return true;
}

static enum adoption_result adoption_find_only(const struct ends *wanted, int *found) {
    struct descriptor_scan scan;
    bool reset = false;
    *found = -1;
    descriptor_scan_begin(&scan, DESCRIPTORS_FIRST);
    for (int fd; (fd = descriptor_scan_next(&scan)) >= 0;) {
        reset = reset || adoption_is_reset(fd, wanted);
        if (!adoption_is_wanted(fd, wanted))
            continue;
        if (*found >= 0)
            return ADOPTION_AMBIGUOUS;
        *found = fd;
    }
    return *found >= 0 ? ADOPTION_DONE : reset ? ADOPTION_GONE : ADOPTION_NONE;
}

static enum adoption_result adoption_find(const struct adoption *adoption, const struct ends *wanted, int *found) {
    if (adoption_are_unique(adoption, wanted) && adoption_find_next(adoption, wanted, found))
        return ADOPTION_DONE;
    return adoption_find_only(wanted, found);
}

/* Whether more than the request's head has arrived. The library may have read it already, and would keep it. */
static bool adoption_has_sent_on(int fd, size_t head_size) {
    int64_t received = received_bytes(fd);
    return received > 0 && (uint64_t)received > head_size;
}

/* Leaves the dead socket at the library's number. */
static enum adoption_result adoption_exchange(const struct adoption *adoption, int library_fd, int *fd) {
    *fd = descriptors_duplicate(library_fd, adoption->base);
    if (*fd < 0)
        return ADOPTION_FAILED;
    if (descriptors_mark_adopted(*fd) && exchange_put(adoption->dead_socket, library_fd) == 0)
        return ADOPTION_DONE;
    descriptors_unmark_adopted(*fd);
    close(*fd);
    return ADOPTION_FAILED;
}

enum adoption_result adoption_take(const struct adoption *adoption, const struct adoption_ends *ends, int *fd) {
    struct ends wanted;
    int library_fd;
    if (!adoption_parse_ends(ends, &wanted))
        return ADOPTION_NONE;
    enum adoption_result result = adoption_find(adoption, &wanted, &library_fd);
    if (result != ADOPTION_DONE)
        return result;
    if (adoption_has_sent_on(library_fd, ends->head_size))
        return ADOPTION_EARLY;
    return adoption_exchange(adoption, library_fd, fd);
}

const char *adoption_describe(enum adoption_result result) {
    switch (result) {
    case ADOPTION_NONE:
        return "no descriptor has this peer";
    case ADOPTION_GONE:
        return "the client has gone";
    case ADOPTION_AMBIGUOUS:
        return "more than one descriptor has this peer";
    case ADOPTION_EARLY:
        return "data before the handshake was answered";
    case ADOPTION_FAILED:
        return "no descriptor, or no memory, is left";
    case ADOPTION_DONE:
        break;
    }
    return "adopted";
}
