/* test_embedding.c - promises to a program with servers inside: handles and timers of any run, errors with a
 * reason, options from C, signals left to the program, failed starts that leak nothing.
 *
 * SPDX-License-Identifier: MIT
 */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/core/conn.h"
#include "tests/unit/embedded.h"
#include "tests/unit/late.h"
#include "tests/unit/suites.h"

enum { ROUNDS = 10 };

/* --- Timers ------------------------------------------------------------------------------------------------ */

static void count(void *arg) {
    ++*(_Atomic unsigned *)arg;
}

START_TEST(timer_of_an_earlier_run_can_be_cancelled) {
    struct embedded embedded;
    _Atomic unsigned calls = 0;
    embedded_create(&embedded);
    embedded_start(&embedded);
    weir_timer *fired = weir_timer_start(embedded.server, 0, 0, count, (void *)&calls);
    UNTIL(calls == 1);
    weir_timer *pending = weir_timer_start(embedded.server, 3600000, 0, count, (void *)&calls);
    weir_timer *last = weir_timer_start(embedded.server, 3600000, 0, count, (void *)&calls);
    embedded_stop(&embedded);
    embedded_start(&embedded);
    weir_timer *other = weir_timer_start(embedded.server, 3600000, 0, count, (void *)&calls);
    ck_assert(weir_timer_cancel(pending));
    ck_assert(!weir_timer_cancel(fired));
    ck_assert(weir_timer_cancel(other));
    embedded_stop(&embedded);
    weir_server_destroy(embedded.server);
    ck_assert(weir_timer_cancel(last));
    ck_assert_uint_eq(calls, 1);
    weir_timer_release(fired);
    weir_timer_release(pending);
    weir_timer_release(last);
    weir_timer_release(other);
}
END_TEST

struct pair {
    weir_timer *_Atomic timers[2];
    pthread_barrier_t both;
    _Atomic unsigned ended, prevented;
};

struct half {
    struct pair *pair;
    unsigned other;
};

static void cancel_other(void *arg) {
    const struct half *half = arg;
    struct pair *pair = half->pair;
    pthread_barrier_wait(&pair->both); /* both run, and the program knows both */
    pair->prevented += weir_timer_cancel(pair->timers[half->other]);
    pair->ended++;
}

START_TEST(timers_that_cancel_each_other_do_not_deadlock) {
    struct embedded embedded;
    struct pair pair = {.ended = 0};
    struct half halves[] = {{&pair, 1}, {&pair, 0}};
    pthread_barrier_init(&pair.both, NULL, 3);
    embedded_create(&embedded);
    embedded_start(&embedded);
    for (int i = 0; i < 2; i++)
        pair.timers[i] = weir_timer_start(embedded.server, 0, 0, cancel_other, &halves[i]);
    pthread_barrier_wait(&pair.both);
    UNTIL(pair.ended == 2);
    ck_assert_uint_eq(pair.prevented, 0);
    embedded_stop(&embedded);
    weir_server_destroy(embedded.server);
    for (int i = 0; i < 2; i++)
        weir_timer_release(pair.timers[i]);
    pthread_barrier_destroy(&pair.both);
}
END_TEST

/* --- Connections ------------------------------------------------------------------------------------------- */

static void keep(weir_conn *conn, void *context) {
    *(weir_conn * _Atomic *)context = weir_conn_retain(conn);
}

static const struct weir_handler keeping = {WEIR_HANDLER_INIT, .open = keep};

static weir_conn *connect_and_keep(struct embedded *embedded, weir_conn *_Atomic *kept, weir_client **client) {
    embedded_create(embedded);
    ck_assert_int_eq(weir_server_route(embedded->server, "/keep", &keeping, (void *)kept, NULL), 0);
    embedded_start(embedded);
    *client = embedded_connect(embedded, "/keep");
    UNTIL(*kept != NULL);
    return *kept;
}

/* The client that has not closed is closed by the stop. */
static void *read_to_the_end(void *arg) {
    struct weir_client_message message;
    while (weir_client_receive(arg, &message, -1) == WEIR_OK)
        continue;
    return NULL;
}

static void stop_with(struct embedded *embedded, weir_client *client) {
    pthread_t reader;
    ck_assert_int_eq(pthread_create(&reader, NULL, read_to_the_end, client), 0);
    embedded_stop(embedded);
    pthread_join(reader, NULL);
    ck_assert_int_eq(embedded->result, 0);
}

START_TEST(handle_outlives_its_server) {
    struct embedded embedded;
    weir_conn *_Atomic kept = NULL;
    weir_client *client;
    weir_conn *conn = connect_and_keep(&embedded, &kept, &client);
    stop_with(&embedded, client);
    weir_server_destroy(embedded.server);
    ck_assert(!weir_conn_is_open(conn));
    ck_assert_str_eq(weir_conn_path(conn), "/keep");
    ck_assert_int_eq(weir_conn_send(conn, WEIR_TEXT, "x", 1), WEIR_CLOSED);
    ck_assert_int_eq(weir_conn_close(conn, 1000, NULL), WEIR_CLOSED);
    ck_assert_int_eq((int)weir_conn_broadcast(conn, WEIR_TEXT, "x", 1, true), WEIR_CLOSED);
    ck_assert_int_eq(weir_conn_publish(conn, "a", WEIR_TEXT, "x", 1, true, NULL, NULL), WEIR_CLOSED);
    ck_assert_int_eq(weir_conn_subscribe(conn, "a", NULL, NULL), WEIR_CLOSED);
    ck_assert_uint_eq(weir_conn_buffered(conn), 0);
    /* As a call that saw an open connection just before its end. */
    pool_submit(conn_core(conn)->pool, &conn->source.flush);
    pool_submit(conn_core(conn)->pool, &conn->handler);
    memory_limit_check(conn_core(conn));
    ck_assert_uint_gt(conn_settings(conn)->send_buffer_hard, 0);
    ck_assert_int_eq((int)channels_publish_message(conn_core(conn)->channels, "a", WEIR_TEXT, "x", 1, NULL, NULL),
                     0);
    weir_client_destroy(client);
    weir_conn_release(conn);
}
END_TEST

static void *send_until_gone(void *arg) {
    weir_conn *conn = arg;
    char text[512] = "";
    while (weir_conn_send(conn, WEIR_BINARY, text, sizeof text) != WEIR_CLOSED)
        weir_conn_broadcast(conn, WEIR_BINARY, text, sizeof text, true);
    weir_conn_close(conn, 1000, NULL);
    weir_conn_release(conn);
    return NULL;
}

START_TEST(handle_can_be_sent_to_while_the_server_ends) {
    for (int round = 0; round < ROUNDS; round++) {
        struct embedded embedded;
        weir_conn *_Atomic kept = NULL;
        weir_client *client;
        pthread_t senders[3];
        weir_conn *conn = connect_and_keep(&embedded, &kept, &client);
        for (int i = 0; i < 3; i++)
            ck_assert_int_eq(pthread_create(&senders[i], NULL, send_until_gone, weir_conn_retain(conn)), 0);
        weir_conn_release(conn);
        stop_with(&embedded, client);
        weir_server_destroy(embedded.server);
        for (int i = 0; i < 3; i++)
            pthread_join(senders[i], NULL);
        weir_client_destroy(client);
    }
}
END_TEST

/* --- Routes and options ------------------------------------------------------------------------------------ */

START_TEST(server_refuses_routes_that_match_the_same_paths) {
    static const char *const wrong[][2] = {
        {"/a", "pattern \"/a\" matches the same paths as \"/a\""},
        {"/b/{other}", "pattern \"/b/{other}\" matches the same paths as \"/b/{name}\""},
        {"/from/file", "pattern \"/from/file\" matches the same paths as \"/from/file\""},
        {"no slash", NULL},
    };
    struct embedded embedded;
    embedded_create(&embedded);
    embedded_set(&embedded, "route /from/file", "handler", "echo");
    ck_assert_int_eq(weir_server_route(embedded.server, "/a", &keeping, NULL, NULL), 0);
    ck_assert_int_eq(weir_server_route(embedded.server, "/b/{name}", &keeping, NULL, NULL), 0);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ck_assert_int_eq(weir_server_route(embedded.server, wrong[i][0], &keeping, NULL, NULL), -1);
        ck_assert_str_ne(weir_server_error(embedded.server), "");
        if (wrong[i][1] != NULL)
            ck_assert_str_eq(weir_server_error(embedded.server), wrong[i][1]);
    }
    embedded_start(&embedded);
    embedded_stop(&embedded);
    ck_assert_int_eq(embedded.result, 0);
    weir_server_destroy(embedded.server);
}
END_TEST

static void say_count(weir_conn *conn, enum weir_opcode opcode, const void *data, size_t size, void *context) {
    (void)context;
    weir_publish(weir_conn_server(conn), "news:de", opcode, data, size, NULL, NULL);
}

static const struct weir_handler publishing = {WEIR_HANDLER_INIT, .message = say_count};

START_TEST(server_set_applies_to_routes_and_channels) {
    struct embedded embedded;
    struct weir_client_error error;
    struct weir_client_message message;
    char url[100];
    embedded_create(&embedded);
    embedded_set(&embedded, "channel news:*", "history", "10");
    embedded_set(&embedded, "route /chat", "subprotocols", "chat.v2, chat.v1");
    embedded_set(&embedded, "route /chat", "require_subprotocol", "yes");
    embedded_set(&embedded, "route /news", "handler", "pubsub");
    ck_assert_int_eq(weir_server_route(embedded.server, "/chat", &publishing, NULL, NULL), 0);
    embedded_start(&embedded);
    snprintf(url, sizeof url, "ws://127.0.0.1:%u/chat", embedded.port);
    ck_assert_ptr_null(weir_client_connect(url, NULL, &error)); /* without a subprotocol */
    static const char *const subprotocols[] = {"chat.v1", NULL};
    const struct weir_client_options options = {.subprotocols = subprotocols};
    weir_client *client = weir_client_connect(url, &options, &error);
    ck_assert_msg(client != NULL, "%s", error.text);
    ck_assert_int_eq(weir_client_send(client, WEIR_TEXT, "remember me", 11), WEIR_OK);
    ck_assert_int_eq(weir_client_wait_closed(client), WEIR_INVALID); /* nobody has begun to close */
    ck_assert_int_eq(weir_client_close(client, 1000, NULL), WEIR_OK);
    ck_assert_int_eq(weir_client_wait_closed(client), WEIR_OK);
    ck_assert_int_eq(weir_client_wait_closed(client), WEIR_OK);
    weir_client_destroy(client);
    client = embedded_connect(&embedded, "/news");
    static const char subscribe[] = "{\"type\":\"subscribe\",\"channel\":\"news:de\",\"last\":1}";
    ck_assert_int_eq(weir_client_send(client, WEIR_TEXT, subscribe, sizeof subscribe - 1), WEIR_OK);
    ck_assert_int_eq(weir_client_receive(client, &message, PATIENCE_MS), WEIR_OK); /* the answer */
    ck_assert_int_eq(weir_client_receive(client, &message, PATIENCE_MS), WEIR_OK);
    ck_assert_ptr_nonnull(memmem(message.data, message.size, "remember me", 11));
    weir_client_close(client, 1000, NULL);
    weir_client_destroy(client);
    embedded_stop(&embedded);
    weir_server_destroy(embedded.server);
}
END_TEST

START_TEST(server_refuses_options_of_a_route_without_handler) {
    struct embedded embedded;
    embedded_create(&embedded);
    embedded_set(&embedded, "route /chat", "subprotocols", "chat.v1");
    ck_assert_int_eq(weir_server_run(embedded.server), -1);
    ck_assert_str_eq(weir_server_error(embedded.server),
                     "the route /chat has options and no handler; set one, or call weir_server_route()");
    weir_server_destroy(embedded.server);
}
END_TEST

/* --- Signals ----------------------------------------------------------------------------------------------- */

static void on_pipe(int number) {
    (void)number;
}

START_TEST(server_leaves_sigpipe_to_the_program) {
    struct embedded embedded;
    const struct sigaction mine = {.sa_handler = _i == 0 ? SIG_DFL : on_pipe};
    struct sigaction now;
    sigaction(SIGPIPE, &mine, NULL);
    embedded_create(&embedded);
    embedded_start(&embedded);
    UNTIL(sigaction(SIGPIPE, NULL, &now) == 0 && now.sa_handler == mine.sa_handler); /* the start is over */
    embedded_stop(&embedded);
    sigaction(SIGPIPE, NULL, &now);
    ck_assert(now.sa_handler == mine.sa_handler);
    weir_server_destroy(embedded.server);
}
END_TEST

/* --- Starts that fail -------------------------------------------------------------------------------------- */

static int occupy(char address[32]) {
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    name.sin_port = htons((uint16_t)embedded_free_port(address));
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&name, sizeof name), 0);
    ck_assert_int_eq(listen(fd, 1), 0);
    return fd;
}

struct crowd {
    const struct embedded *embedded;
    _Atomic bool over;
    unsigned came, cut; /* admitted clients; clients without an orderly end */
};

/* Connects repeatedly, and sees each connection end. */
static void *come(void *arg) {
    struct crowd *crowd = arg;
    struct weir_client_message message;
    char url[100];
    snprintf(url, sizeof url, "ws://127.0.0.1:%u/none", crowd->embedded->port);
    while (!crowd->over) {
        weir_client *client = weir_client_connect(url, NULL, NULL);
        if (client == NULL)
            continue;
        crowd->came++;
        crowd->cut += weir_client_receive(client, &message, PATIENCE_MS) != WEIR_CLOSED;
        weir_client_destroy(client);
    }
    return NULL;
}

START_TEST(failed_start_leaks_no_descriptor_and_no_thread) {
    struct embedded embedded;
    char address[32];
    pthread_t thread;
    embedded_create(&embedded);
    int taken = occupy(address);
    embedded_set(&embedded, "server", "max_connections", "1000");
    embedded_set(&embedded, "server", "unknown_route", "close");
    embedded_set(&embedded, _i == 0 ? "server" : "admin", "listen", address);
    ck_assert_int_eq(weir_server_route(embedded.server, "/none", &silent_handler, NULL, NULL), 0);
    ck_assert_int_eq(weir_server_run(embedded.server), -1); /* what a process opens once stays open */
    unsigned descriptors = count_descriptors(), threads = count_threads();
    struct crowd crowd = {.embedded = &embedded};
    ck_assert_int_eq(pthread_create(&thread, NULL, come, &crowd), 0);
    for (int round = 0; round < ROUNDS; round++) {
        ck_assert_int_eq(weir_server_run(embedded.server), -1);
        ck_assert_msg(strstr(weir_server_error(embedded.server), address) != NULL, "%s",
                      weir_server_error(embedded.server));
    }
    crowd.over = true;
    pthread_join(thread, NULL);
    ck_assert_uint_eq(crowd.cut, 0);
    UNTIL(count_threads() == threads); /* one that has been joined may still be seen for a moment */
    ck_assert_uint_eq(count_descriptors(), descriptors);
    weir_server_destroy(embedded.server);
    close(taken);
}
END_TEST

Suite *embedding_suite(void) {
    Suite *suite = suite_create("embedding");
    TCase *tcase = tcase_create("embedding");
    tcase_add_test(tcase, timer_of_an_earlier_run_can_be_cancelled);
    tcase_add_test(tcase, timers_that_cancel_each_other_do_not_deadlock);
    tcase_add_test(tcase, handle_outlives_its_server);
    tcase_add_test(tcase, handle_can_be_sent_to_while_the_server_ends);
    tcase_add_test(tcase, server_refuses_routes_that_match_the_same_paths);
    tcase_add_test(tcase, server_set_applies_to_routes_and_channels);
    tcase_add_test(tcase, server_refuses_options_of_a_route_without_handler);
    tcase_add_loop_test(tcase, server_leaves_sigpipe_to_the_program, 0, 2);
    tcase_add_loop_test(tcase, failed_start_leaks_no_descriptor_and_no_thread, 0, 2);
    tcase_set_timeout(tcase, 120);
    suite_add_tcase(suite, tcase);
    return suite;
}
