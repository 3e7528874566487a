/* test_two_servers.c - servers in one process, each run by its own thread: they start and stop at the same time,
 * and none closes another's port.
 *
 * SPDX-License-Identifier: MIT
 */
#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <weir/weir.h>

#include "tests/unit/suites.h"

enum { ROUNDS = 3, PATIENCE_MS = 10000, ANSWER_MAX = 256 };

struct one {
    pthread_t thread;
    weir_server *server;
    uint16_t port;
    int result;
};

static void message(weir_conn *conn, enum weir_opcode opcode, const void *data, size_t size, void *context) {
    (void)context;
    weir_conn_send(conn, opcode, data, size);
}

static const struct weir_handler handler = {WEIR_HANDLER_INIT, .message = message};

static struct sockaddr_in loopback(uint16_t port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static uint16_t free_port(void) {
    struct sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    close(fd);
    return ntohs(address.sin_port);
}

static void *run(void *argument) {
    struct one *one = argument;
    one->result = weir_server_run(one->server);
    return NULL;
}

static void start(struct one *one) {
    char address[32];
    one->port = free_port();
    one->server = weir_server_create();
    snprintf(address, sizeof address, "127.0.0.1:%u", one->port);
    ck_assert_int_eq(weir_server_set(one->server, "server", "listen", address), 0);
    ck_assert_int_eq(weir_server_set(one->server, "server", "http_threads", "2"), 0);
    ck_assert_int_eq(weir_server_set(one->server, "log", "level", "error"), 0);
    ck_assert_int_eq(weir_server_route(one->server, "/", &handler, NULL, NULL), 0);
    ck_assert_int_eq(pthread_create(&one->thread, NULL, run, one), 0);
}

static void stop(struct one *one) {
    weir_server_stop(one->server);
    pthread_join(one->thread, NULL);
    ck_assert_int_eq(one->result, 0);
    weir_server_destroy(one->server);
}

/* Whether it answers a request. */
static bool serves(const struct one *one) {
    static const char request[] = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    struct sockaddr_in address = loopback(one->port);
    struct pollfd poller = {.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), .events = POLLIN};
    char answer[ANSWER_MAX] = "";
    bool answered = connect(poller.fd, (struct sockaddr *)&address, sizeof address) == 0 &&
                    send(poller.fd, request, sizeof request - 1, MSG_NOSIGNAL) > 0 &&
                    poll(&poller, 1, PATIENCE_MS) == 1 && recv(poller.fd, answer, sizeof answer - 1, 0) > 0;
    close(poller.fd);
    return answered && strncmp(answer, "HTTP/1.1 200", 12) == 0;
}

static void await(const struct one *one) {
    for (int waited = 0; !serves(one); waited += 10) {
        ck_assert_int_lt(waited, PATIENCE_MS);
        poll(NULL, 0, 10);
    }
}

START_TEST(server_serves_on_when_another_one_stops) {
    for (int round = 0; round < ROUNDS; round++) {
        struct one first, second;
        start(&first);
        start(&second);
        await(&first);
        await(&second);
        stop(round % 2 == 0 ? &first : &second);
        struct one *left = round % 2 == 0 ? &second : &first;
        for (int i = 0; i < 5; i++)
            ck_assert(serves(left));
        stop(left);
    }
}
END_TEST

/* While one runs, others start and stop at the same time. */
START_TEST(servers_can_start_and_stop_at_the_same_time) {
    struct one stays, first, second;
    start(&stays);
    await(&stays);
    for (int round = 0; round < ROUNDS; round++) {
        start(&first);
        start(&second);
        await(&first);
        weir_server_stop(first.server);
        await(&second);
        weir_server_stop(second.server);
        stop(&first);
        stop(&second);
        ck_assert(serves(&stays));
    }
    stop(&stays);
}
END_TEST

Suite *two_servers_suite(void) {
    Suite *suite = suite_create("two_servers");
    TCase *test = tcase_create("two_servers");
    tcase_set_timeout(test, 60);
    tcase_add_test(test, server_serves_on_when_another_one_stops);
    tcase_add_test(test, servers_can_start_and_stop_at_the_same_time);
    suite_add_tcase(suite, test);
    return suite;
}
