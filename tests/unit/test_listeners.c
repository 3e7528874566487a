/* test_listeners.c - which sockets are recognised as the HTTP library's. They are real ones, on loopback.
 *
 * SPDX-License-Identifier: MIT
 */
#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/core/descriptors.h"
#include "server/http/civetweb/listeners.h"
#include "tests/unit/sockets.h"
#include "tests/unit/suites.h"

enum { CLIENTS = 3 };

static int bound(int type, const char *host, uint16_t port) {
    struct sockaddr_in address = socket_address(host, port);
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static int listening(const char *host, uint16_t port) {
    int fd = bound(SOCK_STREAM, host, port);
    ck_assert_int_eq(listen(fd, 16), 0);
    return fd;
}

/* Returns the accepted end. */
static int accepted(int listener, const char *host, int *client) {
    struct sockaddr_in address = socket_address(host, socket_port(listener));
    *client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(connect(*client, (struct sockaddr *)&address, sizeof address), 0);
    return accept(listener, NULL, NULL);
}

/* Other sockets listen, with lower and higher numbers; one has the same port at another address, and one is only
 * bound. */
START_TEST(listeners_find_the_socket_by_address_and_port) {
    struct listeners listeners = {0};
    int before = listening("127.0.0.1", 0), ours = listening("127.0.0.2", 0);
    uint16_t port = socket_port(ours);
    int same_port = listening("127.0.0.3", port), not_yet = bound(SOCK_STREAM, "127.0.0.4", port);
    ck_assert(listeners_find(&listeners, "127.0.0.2:0", port));
    ck_assert_int_eq(listeners.count, 1);
    ck_assert_int_eq(listeners.fds[0], ours);
    ck_assert(listeners_find(&listeners, "127.0.0.1:0", socket_port(before)));
    ck_assert_int_eq(listeners.fds[1], before);
    ck_assert(!listeners_find(&listeners, "127.0.0.4:9000", port));
    ck_assert(!listeners_find(&listeners, "[::1]:9000", port));
    ck_assert_int_eq(listeners.count, 2);
    close(before), close(ours), close(same_port), close(not_yet);
}
END_TEST

struct seen {
    int count, fds[CLIENTS];
};

static void see(void *context, int fd, const struct peer *peer) {
    struct seen *seen = context;
    (void)peer;
    ck_assert_int_lt(seen->count, CLIENTS);
    seen->fds[seen->count++] = fd;
}

/* Clients of another listener with the same port, sockets of other kinds and adopted ones are skipped. */
START_TEST(listeners_each_client_visits_only_their_own_clients) {
    struct listeners listeners = {0};
    int ours = listening("127.0.0.2", 0), clients[CLIENTS];
    uint16_t port = socket_port(ours);
    int other = listening("127.0.0.3", port), datagrams = bound(SOCK_DGRAM, "127.0.0.2", port);
    struct sockaddr_in to = socket_address("127.0.0.2", port);
    ck_assert_int_eq(connect(datagrams, (struct sockaddr *)&to, sizeof to), 0);
    ck_assert(listeners_find(&listeners, "127.0.0.2:0", port));
    int first = accepted(ours, "127.0.0.2", &clients[0]), foreign = accepted(other, "127.0.0.3", &clients[1]);
    int second = accepted(ours, "127.0.0.2", &clients[2]);
    struct seen seen = {0};
    listeners_each_client(&listeners, see, &seen);
    ck_assert_int_eq(seen.count, 2);
    ck_assert_int_eq(seen.fds[0], first);
    ck_assert_int_eq(seen.fds[1], second);
    ck_assert(descriptors_mark_adopted(first));
    seen.count = 0;
    listeners_each_client(&listeners, see, &seen);
    ck_assert_int_eq(seen.count, 1);
    ck_assert_int_eq(seen.fds[0], second);
    descriptors_unmark_adopted(first);
    for (int i = 0; i < CLIENTS; i++)
        close(clients[i]);
    close(ours), close(other), close(datagrams), close(first), close(second), close(foreign);
}
END_TEST

/* 0.0.0.0 has clients at any address, but not at another port. */
START_TEST(listener_for_all_addresses_has_clients_of_its_port) {
    struct listeners listeners = {0};
    struct peer peer;
    int ours = listening("0.0.0.0", 0), other = listening("127.0.0.1", 0), clients[2];
    ck_assert(listeners_find(&listeners, "0.0.0.0:9000", socket_port(ours)));
    int first = accepted(ours, "127.0.0.7", &clients[0]), foreign = accepted(other, "127.0.0.1", &clients[1]);
    ck_assert(listeners_accepted(&listeners, first, &peer));
    ck_assert_uint_eq(peer.port, socket_port(clients[0]));
    ck_assert_uint_eq(peer.local_port, socket_port(ours));
    ck_assert(!listeners_accepted(&listeners, foreign, &peer));
    ck_assert(!listeners_accepted(&listeners, ours, &peer));
    ck_assert(!listeners_accepted(&listeners, clients[0], &peer));
    ck_assert(!listeners_accepted(&listeners, STDIN_FILENO, &peer));
    close(ours), close(other), close(first), close(foreign), close(clients[0]), close(clients[1]);
}
END_TEST

Suite *listeners_suite(void) {
    Suite *suite = suite_create("listeners");
    TCase *test = tcase_create("listeners");
    tcase_add_test(test, listeners_find_the_socket_by_address_and_port);
    tcase_add_test(test, listeners_each_client_visits_only_their_own_clients);
    tcase_add_test(test, listener_for_all_addresses_has_clients_of_its_port);
    suite_add_tcase(suite, test);
    return suite;
}
