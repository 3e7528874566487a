/* test_embedding_api.c - calls of a program with the server inside: start without waiting, addresses, connections,
 * route options, the log.
 *
 * SPDX-License-Identifier: MIT
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/assertions.h"
#include "tests/unit/embedded.h"
#include "tests/unit/late.h"
#include "tests/unit/suites.h"

/* --- Start and addresses ----------------------------------------------------------------------------------- */

struct ready {
    unsigned calls;
    weir_server *server;
    char address[64];
};

static void note_ready(weir_server *server, const struct weir_addresses *addresses, void *context) {
    struct ready *ready = context;
    ready->calls++;
    ready->server = server;
    snprintf(ready->address, sizeof ready->address, "%s", addresses->listen[0]);
}

static unsigned port_in(const char *address) {
    const char *colon = strrchr(address, ':');
    ck_assert_ptr_nonnull(colon);
    return (unsigned)strtoul(colon + 1, NULL, 10);
}

/* A served client proves that the server listens there. */
static weir_client *connect_to(const char *address, const char *path) {
    struct weir_client_error error;
    char url[200];
    snprintf(url, sizeof url, "ws://%s%s", address, path);
    weir_client *client = weir_client_connect(url, NULL, &error);
    ck_assert_msg(client != NULL, "%s", error.text);
    return client;
}

static void stop_and_wait(struct embedded *embedded) {
    weir_server_stop(embedded->server);
    ck_assert_int_eq(weir_server_wait(embedded->server), 0);
}

START_TEST(start_returns_with_the_bound_addresses) {
    struct embedded embedded;
    struct ready ready = {0};
    embedded_create(&embedded);
    ck_assert_ptr_null(weir_server_addresses(embedded.server)->listen[0]);
    ck_assert_ptr_null(weir_server_addresses(embedded.server)->admin[0]);
    embedded_set(&embedded, "server", "listen", "127.0.0.1:0, 127.0.0.2:0");
    embedded_set(&embedded, "admin", "listen", "127.0.0.1:0");
    embedded_set(&embedded, "route /echo", "handler", "echo");
    weir_server_on_ready(embedded.server, note_ready, &ready);
    for (unsigned round = 1; round <= 2; round++) { /* a server may run again */
        ck_assert_int_eq(weir_server_start(embedded.server), 0);
        const struct weir_addresses *addresses = weir_server_addresses(embedded.server);
        ck_assert_uint_eq(ready.calls, round);
        ck_assert_ptr_eq(ready.server, embedded.server);
        ck_assert_str_eq(ready.address, addresses->listen[0]);
        ck_assert(strncmp(addresses->listen[0], "127.0.0.1:", 10) == 0 && port_in(addresses->listen[0]) > 0);
        ck_assert(strncmp(addresses->listen[1], "127.0.0.2:", 10) == 0 && port_in(addresses->listen[1]) > 0);
        ck_assert_ptr_null(addresses->listen[2]);
        ck_assert(port_in(addresses->admin[0]) > 0);
        ck_assert_uint_ne(port_in(addresses->admin[0]), port_in(addresses->listen[0]));
        ck_assert_ptr_null(addresses->admin[1]);
        for (int i = 0; i < 2; i++)
            weir_client_destroy(connect_to(addresses->listen[i], "/echo"));
        stop_and_wait(&embedded);
    }
    weir_server_destroy(embedded.server);
}
END_TEST

START_TEST(wait_needs_a_start) {
    struct embedded embedded;
    embedded_create(&embedded);
    ck_assert_int_eq(weir_server_wait(embedded.server), -1);
    ck_assert_str_eq(weir_server_error(embedded.server), "the server has not been started");
    weir_server_destroy(embedded.server);
}
END_TEST

/* --- Configuration ----------------------------------------------------------------------------------------- */

START_TEST(configure_takes_the_sources_of_weir_serve) {
    static const char *const environment[] = {"WEIR_SERVER_LISTEN=127.0.0.1:1", "HOME=/", NULL};
    static const char *const settings[] = {"server.listen=127.0.0.1:0", "route /a.handler=echo", "log.level=error",
                                           NULL};
    static const char *const wrong[] = {"server.listen=nonsense", NULL};
    weir_server *server = weir_server_create();
    ck_assert_int_eq(weir_server_set(server, "route /gone", "handler", "echo"), 0);
    ck_assert_int_eq(weir_server_configure(server, NULL, environment, wrong), -1);
    ck_assert_ptr_nonnull(strstr(weir_server_error(server), "nonsense"));
    ck_assert_int_eq(weir_server_configure(server, NULL, environment, settings), 0);
    ck_assert_int_eq(weir_server_set(server, "server", "http_threads", "2"), 0);
    ck_assert_int_eq(weir_server_start(server), 0);
    const char *address = weir_server_addresses(server)->listen[0];
    weir_client_destroy(connect_to(address, "/a"));
    weir_server_stop(server);
    ck_assert_int_eq(weir_server_wait(server), 0);
    weir_server_destroy(server);
}
END_TEST

/* --- Connections ------------------------------------------------------------------------------------------- */

enum { CLIENTS = 5 };

static bool add_id(weir_conn *conn, void *context) {
    *(uint64_t *)context += weir_conn_id(conn);
    return true;
}

static bool stop_at_once(weir_conn *conn, void *context) {
    weir_conn_close(conn, 4000, "chosen");
    (void)context;
    return false;
}

static bool keep(weir_conn *conn, void *context) {
    *(weir_conn **)context = weir_conn_retain(conn);
    return false;
}

START_TEST(connections_can_be_found_and_visited) {
    struct embedded embedded;
    weir_client *clients[CLIENTS];
    uint64_t sum = 0, all = 0;
    embedded_create(&embedded);
    embedded_set(&embedded, "server", "listen", "127.0.0.1:0");
    embedded_set(&embedded, "route /a", "handler", "echo");
    embedded_set(&embedded, "route /b", "handler", "echo");
    ck_assert_uint_eq(weir_server_each(embedded.server, NULL, add_id, &sum), 0);
    ck_assert_ptr_null(weir_server_find(embedded.server, 1));
    ck_assert_int_eq(weir_server_start(embedded.server), 0);
    const char *address = weir_server_addresses(embedded.server)->listen[0];
    for (int i = 0; i < CLIENTS; i++)
        clients[i] = connect_to(address, i == 0 ? "/a" : "/b");
    ck_assert_uint_eq(weir_server_each(embedded.server, "/a", add_id, &sum), 1);
    weir_conn *conn = weir_server_find(embedded.server, sum);
    ck_assert_ptr_nonnull(conn);
    ck_assert_str_eq(weir_conn_path(conn), "/a");
    weir_conn_release(conn);
    ck_assert_uint_eq(weir_server_each(embedded.server, "/b", add_id, &all), CLIENTS - 1);
    ck_assert_uint_eq(weir_server_each(embedded.server, "/none", add_id, &all), 0);
    sum += all;
    all = 0;
    ck_assert_uint_eq(weir_server_each(embedded.server, NULL, add_id, &all), CLIENTS);
    ck_assert_uint_eq(all, sum);
    ck_assert_ptr_null(weir_server_find(embedded.server, UINT64_MAX));
    ck_assert_uint_eq(weir_server_each(embedded.server, "/a", stop_at_once, NULL), 1);
    struct weir_client_message message;
    ck_assert_int_eq(weir_client_receive(clients[0], &message, PATIENCE_MS), WEIR_CLOSED);
    ck_assert_uint_eq(weir_client_close_code(clients[0]), 4000);
    for (int i = 0; i < CLIENTS; i++)
        weir_client_destroy(clients[i]);
    stop_and_wait(&embedded);
    weir_server_destroy(embedded.server);
}
END_TEST

/* --- Sending without a copy -------------------------------------------------------------------------------- */

static _Atomic unsigned freed;

static void free_and_count(void *data) {
    free(data);
    freed++;
}

static void *new_data(size_t size, int byte) {
    void *data = malloc(size);
    ck_assert_ptr_nonnull(data);
    memset(data, byte, size);
    return data;
}

/* Answers with as many bytes as the message says. */
static void send_owned(weir_conn *conn, enum weir_opcode opcode, const void *data, size_t size, void *context) {
    (void)context;
    char number[16] = "";
    memcpy(number, data, size < sizeof number ? size : sizeof number - 1);
    size_t wanted = strtoul(number, NULL, 10);
    ck_assert_int_eq(weir_conn_send_owned(conn, opcode, new_data(wanted, 'x'), wanted, free_and_count), WEIR_OK);
    ck_assert_int_eq(weir_conn_send_owned(conn, WEIR_TEXT, new_data(wanted + 1, 0xff), wanted + 1, free_and_count),
                     WEIR_INVALID);
}

static const struct weir_handler owned[] = {{WEIR_HANDLER_INIT, .message = send_owned},
                                            {WEIR_HANDLER_INIT, .message = send_owned, .flags = WEIR_NEVER_BLOCKS}};

START_TEST(send_owned_frees_the_data_once) {
    static const char *const sizes[] = {"0", "1", "125", "16383", "16384", "70000", "1000000"};
    struct weir_client_error error;
    struct weir_client_message message;
    struct embedded embedded;
    char url[100];
    embedded_create(&embedded);
    embedded_set(&embedded, "server", "listen", "127.0.0.1:0");
    ck_assert_int_eq(weir_server_route(embedded.server, "/", &owned[_i % 2], NULL, NULL), 0);
    ck_assert_int_eq(weir_server_start(embedded.server), 0);
    snprintf(url, sizeof url, "ws://%s/", weir_server_addresses(embedded.server)->listen[0]);
    const struct weir_client_options options = {.compress = _i >= 2};
    weir_client *client = weir_client_connect(url, &options, &error);
    ck_assert_msg(client != NULL, "%s", error.text);
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t size = strtoul(sizes[i], NULL, 10);
        ck_assert_int_eq(weir_client_send(client, WEIR_TEXT, sizes[i], strlen(sizes[i])), WEIR_OK);
        ck_assert_int_eq(weir_client_receive(client, &message, PATIENCE_MS), WEIR_OK);
        ck_assert_uint_eq(message.size, size);
        for (size_t at = 0; at < size; at++)
            ck_assert_int_eq(((const char *)message.data)[at], 'x');
        UNTIL(freed == 2 * (i + 1));
    }
    weir_client_destroy(client);
    stop_and_wait(&embedded);
    ck_assert_uint_eq(freed, 2 * sizeof sizes / sizeof *sizes);
    weir_server_destroy(embedded.server);
}
END_TEST

START_TEST(send_owned_to_a_closed_connection_frees_too) {
    struct embedded embedded;
    weir_conn *conn = NULL;
    embedded_create(&embedded);
    embedded_set(&embedded, "server", "listen", "127.0.0.1:0");
    embedded_set(&embedded, "route /", "handler", "echo");
    ck_assert_int_eq(weir_server_start(embedded.server), 0);
    weir_client *client = connect_to(weir_server_addresses(embedded.server)->listen[0], "/");
    weir_server_each(embedded.server, NULL, keep, &conn);
    ck_assert_ptr_nonnull(conn);
    weir_conn_close(conn, 1000, NULL);
    ck_assert_int_eq(weir_conn_send_owned(conn, WEIR_BINARY, new_data(50000, 0), 50000, free_and_count),
                     WEIR_CLOSED);
    ck_assert_uint_eq(freed, 1);
    weir_client_destroy(client);
    weir_conn_release(conn);
    stop_and_wait(&embedded);
    weir_server_destroy(embedded.server);
}
END_TEST

/* --- Options of routes ------------------------------------------------------------------------------------- */

START_TEST(route_options_are_those_of_the_ini_file) {
    static const char *const origins[] = {"https://shop.example", "https://*.shop.example", NULL};
    static const char *const subprotocols[] = {"chat.v2", "chat.v1", NULL}, *const offered[] = {"chat.v1", NULL};
    const struct weir_route_options options = {WEIR_ROUTE_OPTIONS_INIT,
                                               .origins = origins,
                                               .subprotocols = subprotocols,
                                               .require_subprotocol = true,
                                               .concurrency = 2,
                                               .compression = WEIR_COMPRESSION_TAKEOVER,
                                               .slow_consumer = WEIR_SLOW_CONSUMER_DROP_OLDEST};
    struct embedded embedded;
    struct weir_client_error error;
    char url[100];
    embedded_create(&embedded);
    embedded_set(&embedded, "server", "listen", "127.0.0.1:0");
    ck_assert_int_eq(weir_server_route(embedded.server, "/chat", &silent_handler, NULL, &options), 0);
    ck_assert_int_eq(weir_server_start(embedded.server), 0);
    snprintf(url, sizeof url, "ws://%s/chat", weir_server_addresses(embedded.server)->listen[0]);
    ck_assert_ptr_null(weir_client_connect(url, NULL, &error)); /* without a subprotocol */
    ck_assert_int_eq(error.http_status, 400);
    struct weir_client_options client_options = {.subprotocols = offered, .origin = "https://other.example"};
    ck_assert_ptr_null(weir_client_connect(url, &client_options, &error));
    ck_assert_int_eq(error.http_status, 403);
    client_options.origin = "https://www.shop.example";
    client_options.compress = true;
    weir_client *client = weir_client_connect(url, &client_options, &error);
    ck_assert_msg(client != NULL, "%s", error.text);
    ck_assert_str_eq(weir_client_subprotocol(client), "chat.v1");
    ck_assert_ptr_null(
        strstr(weir_client_header(client, "Sec-WebSocket-Extensions"), "server_no_context_takeover"));
    weir_client_destroy(client);
    stop_and_wait(&embedded);
    weir_server_destroy(embedded.server);
}
END_TEST

/* A wrong option leaves neither a route nor an option. */
START_TEST(route_options_that_are_wrong_change_nothing) {
    static const char *const origins[] = {"shop.example", NULL};
    const struct weir_route_options wrong = {WEIR_ROUTE_OPTIONS_INIT, .origins = origins};
    const struct weir_route_options unknown = {WEIR_ROUTE_OPTIONS_INIT, .compression = (enum weir_compression)9};
    const struct weir_route_options bare = {.concurrency = 1};
    struct embedded embedded;
    embedded_create(&embedded);
    ck_assert_int_eq(weir_server_route(embedded.server, "/a", &silent_handler, NULL, &wrong), -1);
    ck_assert_ptr_nonnull(strstr(weir_server_error(embedded.server), "origins"));
    ck_assert_int_eq(weir_server_route(embedded.server, "/a", &silent_handler, NULL, &unknown), -1);
    ck_assert_ptr_nonnull(strstr(weir_server_error(embedded.server), "compression"));
    ck_assert_int_eq(weir_server_route(embedded.server, "/a", &silent_handler, NULL, &bare), -1);
    ck_assert_ptr_nonnull(strstr(weir_server_error(embedded.server), "WEIR_ROUTE_OPTIONS_INIT"));
    ck_assert_int_eq(weir_server_route(embedded.server, "/a", &silent_handler, NULL, NULL), 0);
    ck_assert_int_eq(weir_server_start(embedded.server), 0);
    stop_and_wait(&embedded);
    weir_server_destroy(embedded.server);
}
END_TEST

/* --- The log ----------------------------------------------------------------------------------------------- */

struct lines {
    pthread_mutex_t mutex;
    unsigned count, ready, newlines;
};

static void take_line(const char *line, size_t size, void *context) {
    struct lines *lines = context;
    pthread_mutex_lock(&lines->mutex);
    lines->count++;
    lines->ready += memmem(line, size, "event=ready", 11) != NULL;
    lines->newlines += memchr(line, '\n', size) != NULL;
    pthread_mutex_unlock(&lines->mutex);
}

START_TEST(log_lines_go_to_a_callback) {
    struct lines lines = {.mutex = PTHREAD_MUTEX_INITIALIZER};
    struct embedded embedded;
    embedded_create(&embedded);
    embedded_set(&embedded, "server", "listen", "127.0.0.1:0");
    embedded_set(&embedded, "log", "level", "info");
    weir_log_to(take_line, &lines);
    ck_assert_int_eq(weir_server_start(embedded.server), 0);
    weir_log_to(NULL, NULL); /* not while a server runs */
    stop_and_wait(&embedded);
    weir_log_to(NULL, NULL);
    ck_assert_uint_ge(lines.count, 4); /* listen, ready, stopping, stopped */
    ck_assert_uint_eq(lines.ready, 1);
    ck_assert_uint_eq(lines.newlines, 0);
    weir_server_destroy(embedded.server);
}
END_TEST

Suite *embedding_api_suite(void) {
    Suite *suite = suite_create("embedding_api");
    TCase *test = tcase_create("embedding_api");
    tcase_set_timeout(test, 60);
    tcase_add_test(test, start_returns_with_the_bound_addresses);
    tcase_add_test(test, wait_needs_a_start);
    tcase_add_test(test, configure_takes_the_sources_of_weir_serve);
    tcase_add_test(test, connections_can_be_found_and_visited);
    tcase_add_loop_test(test, send_owned_frees_the_data_once, 0, 4);
    tcase_add_test(test, send_owned_to_a_closed_connection_frees_too);
    tcase_add_test(test, route_options_are_those_of_the_ini_file);
    tcase_add_test(test, route_options_that_are_wrong_change_nothing);
    tcase_add_test(test, log_lines_go_to_a_callback);
    suite_add_tcase(suite, test);
    return suite;
}
