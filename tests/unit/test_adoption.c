/* test_adoption.c - which socket is found, and its state after adoption. The sockets are real ones, on loopback.
 *
 * SPDX-License-Identifier: MIT
 */
#include <arpa/inet.h>
#include <check.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/core/descriptors.h"
#include "server/http/civetweb/adoption.h"
#include "tests/unit/sockets.h"
#include "tests/unit/suites.h"

enum { BASE = 200 };

/* A listener on all addresses, and a client's port from which it connects to two of them. */
static int listener;
static uint16_t local_port, peer_port;
static struct adoption adoption;

static void start(void) {
    struct sockaddr_in any = socket_address("0.0.0.0", 0);
    listener = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&any, sizeof any), 0);
    ck_assert_int_eq(listen(listener, 4), 0);
    local_port = socket_port(listener);
    peer_port = 0;
    ck_assert_int_eq(adoption_open(&adoption, BASE), 0);
}

static void stop(void) {
    adoption_close(&adoption);
    close(listener);
}

/* Both ends of a connection to that local address; all connections come from one port. */
static void connect_to(const char *local_address, int ends[2]) {
    int on = 1;
    struct sockaddr_in from = socket_address("127.0.0.1", peer_port),
                       to = socket_address(local_address, local_port);
    ends[1] = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(setsockopt(ends[1], SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
    ck_assert_int_eq(bind(ends[1], (struct sockaddr *)&from, sizeof from), 0);
    ck_assert_int_eq(connect(ends[1], (struct sockaddr *)&to, sizeof to), 0);
    peer_port = socket_port(ends[1]);
    ends[0] = accept(listener, NULL, NULL);
    ck_assert_int_ge(ends[0], 0);
}

static void disconnect(const int ends[2]) {
    close(ends[0]);
    close(ends[1]);
}

static enum adoption_result take_after(const char *local_address, size_t head_size, int *fd) {
    const struct adoption_ends ends = {"127.0.0.1", local_address, peer_port, local_port, head_size};
    return adoption_take(&adoption, &ends, fd);
}

static enum adoption_result take(const char *local_address, int *fd) {
    return take_after(local_address, 0, fd);
}

/* Checks that a byte from this client arrives at that descriptor. */
static void check_is_from(int fd, int client) {
    char sent = 'w', received = 0;
    ck_assert_int_eq(send(client, &sent, 1, 0), 1);
    ck_assert_int_eq(recv(fd, &received, 1, 0), 1);
    ck_assert_int_eq(received, sent);
}

static void check_takes(const char *local_address, const int ends[2]) {
    char byte;
    int fd = -1;
    ck_assert_int_eq(take(local_address, &fd), ADOPTION_DONE);
    ck_assert_int_ge(fd, BASE);
    check_is_from(fd, ends[1]);
    ck_assert_int_eq(recv(ends[0], &byte, 1, 0), 0); /* the descriptor left to the library is dead */
    descriptors_unmark_adopted(fd);
    close(fd);
}

START_TEST(adoption_takes_the_socket_of_a_peer) {
    int ends[2];
    start();
    connect_to("127.0.0.1", ends);
    check_takes(_i == 0 ? NULL : "127.0.0.1", ends);
    disconnect(ends);
    stop();
}
END_TEST

/* Two connections of one peer differ only in the local address. */
START_TEST(adoption_tells_sockets_apart_by_local_address) {
    int first[2], second[2];
    start();
    connect_to("127.0.0.1", first);
    connect_to("127.0.0.2", second);
    check_takes("127.0.0.2", second);
    check_takes("127.0.0.1", first);
    disconnect(first);
    disconnect(second);
    stop();
}
END_TEST

START_TEST(adoption_refuses_ambiguous_sockets) {
    int first[2], second[2], fd = -1;
    start();
    connect_to("127.0.0.1", first);
    connect_to("127.0.0.2", second);
    ck_assert_int_eq(take(NULL, &fd), ADOPTION_AMBIGUOUS);
    check_is_from(first[0], first[1]);
    check_is_from(second[0], second[1]);
    disconnect(first);
    disconnect(second);
    stop();
}
END_TEST

/* With many networks, two connections may have the same addresses and ports. Here they do not, and the socket is
 * found. */
START_TEST(adoption_finds_a_socket_with_many_networks) {
    int ends[2];
    start();
    adoption.many_networks = true;
    connect_to("127.0.0.1", ends);
    check_takes("127.0.0.1", ends);
    disconnect(ends);
    stop();
}
END_TEST

/* Bytes after the head, in the socket or already read by the library. */
START_TEST(adoption_refuses_a_socket_with_early_bytes) {
    int first[2], second[2], fd = -1;
    char head[5];
    start();
    connect_to("127.0.0.1", first);
    connect_to("127.0.0.2", second);
    ck_assert_int_eq(send(first[1], "headw", 5, 0), 5);
    ck_assert_int_eq(recv(first[0], head, _i == 0 ? 4 : 5, 0), _i == 0 ? 4 : 5);
    ck_assert_int_eq(take_after("127.0.0.1", 4, &fd), ADOPTION_EARLY);
    ck_assert_int_eq(fd, -1);
    disconnect(first);
    disconnect(second);
    stop();
}
END_TEST

/* The kernel counts the end of the stream as a byte. */
START_TEST(adoption_does_not_count_end_of_stream_as_early_byte) {
    int ends[2], fd = -1;
    char head[4];
    start();
    connect_to("127.0.0.1", ends);
    ck_assert_int_eq(send(ends[1], "head", 4, 0), 4);
    shutdown(ends[1], SHUT_WR);
    ck_assert_int_eq(recv(ends[0], head, 4, 0), 4);
    ck_assert_int_eq(recv(ends[0], head, 1, 0), 0);
    ck_assert_int_eq(take_after("127.0.0.1", 4, &fd), ADOPTION_DONE);
    close(fd);
    disconnect(ends);
    stop();
}
END_TEST

START_TEST(adoption_does_not_find_an_unknown_local_address) {
    int ends[2], fd = -1;
    start();
    connect_to("127.0.0.1", ends);
    ck_assert_int_eq(take("127.0.0.2", &fd), ADOPTION_NONE);
    ck_assert_int_eq(take("nowhere", &fd), ADOPTION_DONE); /* a malformed address counts as unknown */
    descriptors_unmark_adopted(fd);
    close(fd);
    disconnect(ends);
    stop();
}
END_TEST

/* A client resets its connection directly after its request. */
START_TEST(adoption_reports_a_reset_connection_as_gone) {
    const struct linger linger = {.l_onoff = 1};
    int ends[2], fd = -1;
    start();
    connect_to("127.0.0.1", ends);
    ck_assert_int_eq(setsockopt(ends[1], SOL_SOCKET, SO_LINGER, &linger, sizeof linger), 0);
    close(ends[1]);
    ck_assert_int_eq(take(_i == 0 ? NULL : "127.0.0.1", &fd), ADOPTION_GONE);
    close(ends[0]);
    stop();
}
END_TEST

enum { MANY = 1000 };

/* Other files have every number below the base, and hundreds above it. */
START_TEST(adoption_works_with_all_numbers_below_the_base_in_use) {
    int files[MANY], ends[2];
    start();
    for (int i = 0; i < MANY; i++)
        ck_assert_int_ge(files[i] = open("/dev/null", O_RDONLY | O_CLOEXEC), 0);
    connect_to("127.0.0.1", ends);
    ck_assert_int_gt(ends[0], BASE);
    check_takes(_i == 0 ? NULL : "127.0.0.1", ends);
    for (int i = 0; i < MANY; i++)
        close(files[i]);
    disconnect(ends);
    stop();
}
END_TEST

/* No number from the base on may be used; the socket gets one below it. */
START_TEST(adoption_works_without_numbers_above_the_base) {
    int ends[2], fd = -1;
    start();
    adoption.base = INT_MAX;
    connect_to("127.0.0.1", ends);
    ck_assert_int_eq(take("127.0.0.1", &fd), ADOPTION_DONE);
    check_is_from(fd, ends[1]);
    descriptors_unmark_adopted(fd);
    close(fd);
    disconnect(ends);
    stop();
}
END_TEST

Suite *adoption_suite(void) {
    Suite *suite = suite_create("adoption");
    TCase *test = tcase_create("adoption");
    tcase_add_loop_test(test, adoption_takes_the_socket_of_a_peer, 0, 2);
    tcase_add_test(test, adoption_tells_sockets_apart_by_local_address);
    tcase_add_test(test, adoption_refuses_ambiguous_sockets);
    tcase_add_test(test, adoption_finds_a_socket_with_many_networks);
    tcase_add_loop_test(test, adoption_refuses_a_socket_with_early_bytes, 0, 2);
    tcase_add_test(test, adoption_does_not_count_end_of_stream_as_early_byte);
    tcase_add_test(test, adoption_does_not_find_an_unknown_local_address);
    tcase_add_loop_test(test, adoption_reports_a_reset_connection_as_gone, 0, 2);
    tcase_add_loop_test(test, adoption_works_with_all_numbers_below_the_base_in_use, 0, 2);
    tcase_add_test(test, adoption_works_without_numbers_above_the_base);
    suite_add_tcase(suite, test);
    return suite;
}
