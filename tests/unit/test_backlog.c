/* test_backlog.c - clients that read late: lost messages under each policy, their backlog, `drained`, and the
 * limits that end them.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <weir/weir.h>

#include "server/core/broadcast.h"
#include "server/core/memory.h"
#include "tests/unit/late.h"
#include "tests/unit/suites.h"
#include "ws/buffer.h"

static uint32_t dropped(struct weir_conn *conn) {
    small_mutex_lock(&conn->mutex);
    uint32_t count = conn->dropped;
    small_mutex_unlock(&conn->mutex);
    return count;
}

static char *frame_buffer(void) {
    char *buffer = malloc(FRAME_MAX);
    ck_assert_ptr_nonnull(buffer);
    return buffer;
}

/* --- The policies ------------------------------------------------------------------------------------------ */

enum { MESSAGES = 3000 };

/* A number, followed by data that compresses, but not to nothing. */
static void fill(char *message, int number) {
    snprintf(message, SIZE, "%06d", number);
    for (int i = 6; i < SIZE; i++)
        message[i] = (char)('a' + (i * (number + 7) >> 3) % 23);
}

/* Receives a message, compressed or not. Returns its number. */
static int receive_number(int client, char *buffer, struct inflater *inflater) {
    char expected[SIZE];
    size_t size;
    uint8_t *inflated = NULL;
    int first = client_receive(client, buffer, FRAME_MAX, &size);
    ck_assert_int_eq(first, inflater == NULL ? 0x81 : 0xC1);
    if (inflater != NULL) {
        ck_assert_int_eq(inflater_run(inflater, (uint8_t *)buffer, size, SIZE, &inflated, &size), INFLATE_DONE);
        memcpy(buffer, inflated, size);
        buffer_release(inflated);
    }
    ck_assert_uint_eq(size, SIZE);
    int number = 0;
    for (int i = 0; i < 6; i++)
        number = 10 * number + buffer[i] - '0';
    fill(expected, number);
    ck_assert_mem_eq(buffer, expected, SIZE);
    return number;
}

/* Before anything but the 101 has been sent. */
static void take_over(struct weir_conn *conn) {
    small_mutex_lock(&conn->mutex);
    conn->deflate =
        (struct deflate_params){.enabled = true, .server_takeover = true, .server_bits = 15, .client_bits = 15};
    conn->zlib = calloc(1, sizeof *conn->zlib);
    ck_assert_ptr_nonnull(conn->zlib);
    small_mutex_unlock(&conn->mutex);
}

/* Only whole waiting messages are lost; each other accepted message arrives, in order. */
static void check_gap(enum slow_consumer_policy policy, bool takeover) {
    static bool accepted[MESSAGES];
    struct late late;
    char message[SIZE], *buffer = frame_buffer();
    struct inflater *inflater = takeover ? inflater_create(15) : NULL;
    late_start(&late, policy, &silent_handler, NULL);
    if (takeover)
        take_over(late.conn);
    unsigned refused = 0;
    for (int i = 0; i < MESSAGES; i++) {
        fill(message, i);
        enum weir_status result = weir_conn_send(late.conn, WEIR_TEXT, message, SIZE);
        ck_assert(result == WEIR_OK || result == WEIR_OVERFLOW);
        accepted[i] = result == WEIR_OK;
        refused += !accepted[i];
    }
    ck_assert_uint_le(weir_conn_buffered(late.conn), HARD + SIZE);
    ck_assert_uint_eq(refused, policy == SLOW_CONSUMER_DROP_NEWEST ? dropped(late.conn) : 0);
    ck_assert_uint_gt(dropped(late.conn), 0);
    ck_assert_int_eq((int)thread_counter_sum(&late.harness.core.counters.dropped), (int)dropped(late.conn));
    ck_assert_int_eq((int)late.harness.core.counters.slow_disconnected, 0);
    int last = -1;
    for (unsigned left = MESSAGES - dropped(late.conn); left > 0; left--) {
        int number = receive_number(late.client, buffer, inflater);
        ck_assert_int_gt(number, last);
        ck_assert(accepted[number]);
        last = number;
    }
    if (policy == SLOW_CONSUMER_DROP_OLDEST)
        ck_assert_int_eq(last, MESSAGES - 1);
    UNTIL(weir_conn_buffered(late.conn) == 0);
    fill(message, 999999); /* and then messages are accepted again */
    ck_assert_int_eq(weir_conn_send(late.conn, WEIR_TEXT, message, SIZE), WEIR_OK);
    ck_assert_int_eq(receive_number(late.client, buffer, inflater), 999999);
    late_stop(&late);
    inflater_destroy(inflater);
    free(buffer);
}

START_TEST(drop_oldest_keeps_the_latest_messages) {
    check_gap(SLOW_CONSUMER_DROP_OLDEST, _i);
}
END_TEST

START_TEST(drop_newest_keeps_the_first_messages) {
    check_gap(SLOW_CONSUMER_DROP_NEWEST, _i);
}
END_TEST

START_TEST(disconnect_policy_closes_with_1013_and_counts) {
    struct late late;
    static const char block[SIZE];
    late_start(&late, SLOW_CONSUMER_DISCONNECT, &silent_handler, NULL);
    enum weir_status result;
    while ((result = weir_conn_send(late.conn, WEIR_BINARY, block, SIZE)) == WEIR_OK)
        continue;
    ck_assert_int_eq(result, WEIR_OVERFLOW);
    ck_assert_int_eq(weir_conn_send(late.conn, WEIR_BINARY, block, SIZE), WEIR_CLOSED);
    ck_assert_uint_eq(client_expect_close(late.client), 1013);
    ck_assert_int_eq((int)late.harness.core.counters.slow_disconnected, 1);
    ck_assert_uint_eq(dropped(late.conn), 0);
    weir_conn_release(late.conn);
    harness_stop(&late.harness);
}
END_TEST

/* It would be useless to drop waiting messages for one that can never be sent. */
START_TEST(message_above_the_hard_limit_drops_no_other_message) {
    struct late late;
    char *large = calloc(1, HARD + 1);
    late_start(&late, SLOW_CONSUMER_DROP_OLDEST, &silent_handler, NULL);
    send_until(late.conn, SOFT);
    size_t before = weir_conn_buffered(late.conn);
    ck_assert_int_eq(weir_conn_send(late.conn, WEIR_BINARY, large, HARD + 1), WEIR_OVERFLOW);
    ck_assert_uint_eq(weir_conn_buffered(late.conn), before);
    ck_assert_uint_eq(dropped(late.conn), 1);
    read_all(&late);
    late_stop(&late);
    free(large);
}
END_TEST

/* Control frames are not messages: a Ping must be answered (RFC 6455, 5.5.2) whatever messages are dropped. */
START_TEST(slow_consumer_policy_never_drops_a_pong) {
    static const char block[SIZE];
    struct late late;
    char ping[100] = "ping", *buffer = frame_buffer();
    size_t size;
    late_start(&late, _i == 0 ? SLOW_CONSUMER_DROP_OLDEST : SLOW_CONSUMER_DROP_NEWEST, &silent_handler, NULL);
    send_until(late.conn, SOFT / 2);
    if (_i == 1)
        while (broadcast_to_route(&late.harness.route, NULL, WEIR_BINARY, NULL, 0) == 1)
            continue; /* full to the last byte */
    size_t replies;
    small_mutex_lock(&late.conn->mutex);
    replies = late.conn->outbox.reply_bytes;
    small_mutex_unlock(&late.conn->mutex);
    client_send(late.client, 0x89, ping, sizeof ping);
    uint32_t lost = dropped(late.conn);
    size_t now = replies;
    for (int waited = 0; waited < PATIENCE_MS && now == replies && dropped(late.conn) == lost; waited++) {
        sleep_ms(1);
        small_mutex_lock(&late.conn->mutex);
        now = late.conn->outbox.reply_bytes;
        small_mutex_unlock(&late.conn->mutex);
    }
    if (_i == 0)
        for (int i = 0; i < 3 * HARD / SIZE; i++)
            broadcast_to_route(&late.harness.route, NULL, WEIR_BINARY, block, SIZE);
    broadcast_to_route(&late.harness.route, NULL, WEIR_TEXT, "end", 3);
    int first = 0;
    struct timeval patience = {.tv_sec = 3}; /* at the end nothing more comes */
    setsockopt(late.client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    bool answered = false;
    for (uint8_t byte; recv(late.client, &byte, 1, MSG_PEEK) == 1 && !answered;) {
        first = client_receive(late.client, buffer, FRAME_MAX, &size);
        answered = first == 0x8A;
    }
    ck_assert_msg(answered, "no pong");
    ck_assert_uint_eq(size, sizeof ping);
    read_all(&late);
    late_stop(&late);
    free(buffer);
}
END_TEST

/* A connection whose handshake has not been answered yet. */
struct newcomer {
    struct harness harness;
    struct weir_conn *conn;
    int server, client; /* both ends */
};

static const char response[] = "HTTP/1.1 101\r\n\r\n";

static void create_newcomer(struct newcomer *newcomer, enum slow_consumer_policy policy) {
    const struct conn_request request = {.path = "/test", .peer = "192.0.2.1:1"};
    struct harness *harness = &newcomer->harness;
    int pair[2];
    harness_start(harness, 1, &silent_handler, NULL);
    harness->settings.send_buffer_hard = HARD;
    harness->route.slow_consumer = policy;
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    newcomer->server = pair[0];
    newcomer->client = pair[1];
    struct transport transport = transport_socket(pair[0]);
    ck_assert_int_eq(registry_admit(&harness->core.registry), REGISTRY_ADMITTED);
    newcomer->conn = conn_create(&harness->route, &transport, &request, response, sizeof response - 1);
    ck_assert_ptr_nonnull(newcomer->conn);
}

static void check_that_it_reads_the_101(struct newcomer *newcomer) {
    char head[sizeof response] = "";
    ck_assert_int_eq((int)recv(newcomer->client, head, sizeof response - 1, MSG_WAITALL), (int)sizeof response - 1);
    ck_assert_str_eq(head, response);
    client_close(newcomer->client);
    harness_stop(&newcomer->harness);
}

/* A broadcast may reach a connection before its 101 was sent. The client still reads the 101 first. */
START_TEST(slow_consumer_policy_never_drops_the_101) {
    static char large[HARD + 1];
    struct newcomer newcomer;
    create_newcomer(&newcomer, (enum slow_consumer_policy)_i);
    struct message *message = message_create(WEIR_BINARY, large, sizeof large);
    small_mutex_lock(&newcomer.conn->mutex);
    conn_make_room_locked(newcomer.conn, message);
    small_mutex_unlock(&newcomer.conn->mutex);
    message_release(message);
    ck_assert_int_eq(conn_start(newcomer.conn), 0);
    check_that_it_reads_the_101(&newcomer);
}
END_TEST

/* The same where the first write finds no room: the socket may be full of answers to earlier requests. */
START_TEST(slow_consumer_policy_never_drops_a_queued_101) {
    static char block[SIZE], answers[1 << 16];
    struct newcomer newcomer;
    create_newcomer(&newcomer, (enum slow_consumer_policy)_i);
    size_t filled = 0;
    for (ssize_t sent; (sent = send(newcomer.server, answers, sizeof answers, MSG_DONTWAIT)) > 0;)
        filled += (size_t)sent;
    ck_assert_int_eq(conn_start(newcomer.conn), 0);
    for (int i = 0; i < 2 * HARD / SIZE; i++)
        weir_conn_send(newcomer.conn, WEIR_BINARY, block, SIZE);
    for (size_t got; filled > 0; filled -= got) {
        size_t size = filled < sizeof answers ? filled : sizeof answers;
        got = (size_t)recv(newcomer.client, answers, size, 0);
        ck_assert_uint_le(got, size);
    }
    check_that_it_reads_the_101(&newcomer);
}
END_TEST

/* --- The limits that end it -------------------------------------------------------------------------------- */

struct ending {
    _Atomic unsigned code;
    char reason[128];
};

static void note_close(weir_conn *conn, unsigned code, const char *reason, void *context) {
    struct ending *ending = context;
    (void)conn;
    snprintf(ending->reason, sizeof ending->reason, "%s", reason);
    ending->code = code;
}

static const struct weir_handler ending_handlers[] = {{.close = note_close},
                                                      {.close = note_close, .flags = WEIR_NEVER_BLOCKS}};

START_TEST(send_timeout_cuts_a_client_that_reads_nothing) {
    struct late late;
    struct ending ending = {0};
    int64_t before = memory_used();
    harness_start(&late.harness, 2, &ending_handlers[_i], &ending);
    late.harness.settings.send_timeout_ms = 100;
    late_connect(&late);
    int reader = harness_connect(&late.harness); /* without a backlog */
    send_until(late.conn, SOFT);
    uint64_t start = pool_now();
    UNTIL(ending.code != 0);
    ck_assert_uint_ge(pool_now() + 20, start + 100);
    ck_assert_uint_eq(ending.code, 1006);
    ck_assert_str_eq(ending.reason, "client has taken nothing for send_timeout");
    ck_assert_int_eq((int)late.harness.core.counters.send_timed_out, 1);
    ck_assert_uint_eq(weir_conn_buffered(late.conn), 0);
    ck_assert_int_eq(memory_used(), before);
    close(late.client);
    client_close(reader);
    weir_conn_release(late.conn);
    harness_stop(&late.harness);
}
END_TEST

/* The end waits for the registry, so the handler can close in between. */
START_TEST(close_after_send_timeout_leaks_nothing) {
    struct late late;
    struct ending ending = {0};
    harness_start(&late.harness, 2, &ending_handlers[_i], &ending);
    late.harness.settings.send_timeout_ms = 100;
    late_connect(&late);
    send_until(late.conn, SOFT);
    mutex_lock(&late.harness.core.registry.mutex);
    UNTIL(late.harness.core.counters.send_timed_out == 1);
    ck_assert_int_eq(weir_conn_close(late.conn, 4000, "the handler is faster"), WEIR_OK);
    mutex_unlock(&late.harness.core.registry.mutex);
    UNTIL(ending.code == 4000);
    ck_assert_str_eq(ending.reason, "the handler is faster");
    close(late.client);
    weir_conn_release(late.conn);
    harness_stop(&late.harness);
}
END_TEST

START_TEST(message_rate_closes_with_1008_and_counts) {
    struct late late;
    struct ending ending = {0};
    harness_start(&late.harness, 2, &ending_handlers[_i], &ending);
    late.harness.settings.message_rate = 5;
    late.harness.settings.rate_policy = RATE_CLOSE;
    late_connect(&late);
    for (int i = 0; i < 30; i++)
        client_send(late.client, i % 2 == 0 ? 0x81 : 0x89, "x", 1);
    ck_assert_uint_eq(client_expect_close(late.client), 1008);
    UNTIL(ending.code == 1008);
    ck_assert_str_eq(ending.reason, "client sends too fast");
    ck_assert_int_eq((int)late.harness.core.counters.rate_limited, 1);
    weir_conn_release(late.conn);
    harness_stop(&late.harness);
}
END_TEST

/* --- memory_limit ------------------------------------------------------------------------------------------ */

static bool answers_pings(int client) {
    char payload[128];
    size_t size;
    client_send(client, 0x89, "there?", 6);
    return client_receive(client, payload, sizeof payload, &size) == 0x8A;
}

/* The first half of a fragmented message. */
static void send_part(int client, size_t size) {
    char *part = calloc(1, size);
    client_send(client, 0x02, part, size);
    free(part);
}

START_TEST(memory_limit_closes_only_the_client_with_the_largest_message) {
    static const size_t parts[6] = {1000, 1000, 1000, 1000, 100000, 1000000};
    struct harness harness;
    int clients[6];
    harness_start(&harness, 2, &silent_handler, NULL);
    for (int i = 0; i < 6; i++) {
        clients[i] = harness_connect(&harness);
        send_part(clients[i], parts[i]);
        ck_assert(answers_pings(clients[i]));
    }
    memory_limit_init(&harness.core.memory_limit, memory_used());
    char *part = calloc(1, 400000);
    client_send(clients[4], 0x00, part, 400000); /* too much in total, caused by a client that is not the largest */
    free(part);
    UNTIL(harness.core.counters.memory_limited > 0);
    UNTIL(memory_used() < harness.core.memory_limit.limit); /* although that client neither answers nor sends */
    UNTIL(!atomic_load(&harness.core.memory_limit.active));
    ck_assert_int_eq((int)harness.core.counters.memory_limited, 1);
    for (int i = 0; i < 5; i++) {
        ck_assert(answers_pings(clients[i]));
        client_close(clients[i]);
    }
    ck_assert_uint_eq(client_expect_close(clients[5]), 1013);
    harness_stop(&harness);
}
END_TEST

START_TEST(memory_limit_closes_the_client_with_the_largest_backlog) {
    static const char block[SIZE];
    struct late late;
    late_start(&late, SLOW_CONSUMER_DISCONNECT, &silent_handler, NULL);
    int64_t before = memory_used();
    late.harness.settings.send_buffer_hard = 1 << 24;
    memory_limit_init(&late.harness.core.memory_limit, before + (1 << 20));
    int other = harness_connect(&late.harness);
    send_part(other, 100000);
    ck_assert(answers_pings(other));
    while (weir_conn_send(late.conn, WEIR_BINARY, block, SIZE) == WEIR_OK) {
        ck_assert_int_lt(memory_used() - before, 1 << 24);
        if (memory_used() - before > 1 << 21)
            sleep_ms(1); /* the pool's turn: the limit of one client must not come first */
    }
    UNTIL(!atomic_load(&late.harness.core.memory_limit.active));
    ck_assert_int_eq((int)late.harness.core.counters.memory_limited, 1);
    ck_assert_int_lt(memory_used() - before, 300000);
    ck_assert(answers_pings(other));
    ck_assert_uint_eq(client_expect_close(late.client), 1013);
    client_close(other);
    weir_conn_release(late.conn);
    harness_stop(&late.harness);
    ck_assert_int_eq(memory_used(), before);
}
END_TEST

/* A socket whose first write takes long, and then finds no room. */
static struct {
    const struct transport_kind *real;
    struct transport_kind kind;
    sem_t begun, may_end;
    _Atomic bool over;
} long_write;

static ssize_t write_long(struct transport *transport, struct iovec *vectors, int count) {
    if (atomic_exchange(&long_write.over, true))
        return long_write.real->write(transport, vectors, count);
    sem_post(&long_write.begun);
    sem_wait(&long_write.may_end);
    errno = EAGAIN;
    return -1;
}

static void make_first_write_long(struct weir_conn *conn) {
    small_mutex_lock(&conn->mutex);
    long_write.real = conn->transport.kind;
    long_write.kind = *conn->transport.kind;
    long_write.kind.write = write_long;
    conn->transport.kind = &long_write.kind;
    small_mutex_unlock(&conn->mutex);
    sem_init(&long_write.begun, 0, 0);
    sem_init(&long_write.may_end, 0, 0);
    atomic_store(&long_write.over, false);
}

/* A message that is being written cannot be freed yet, and no other client may be closed for that. */
START_TEST(memory_limit_closes_no_second_client_during_a_long_write) {
    enum { LARGE = 1 << 20, PART = 700000, PASSES = 4 };
    struct late late;
    late_start(&late, SLOW_CONSUMER_DISCONNECT, &silent_handler, NULL);
    int64_t before = memory_used();
    late.harness.settings.send_buffer_hard = 1 << 24;
    memory_limit_init(&late.harness.core.memory_limit, before + LARGE * 3 / 2);
    int other = harness_connect(&late.harness);
    make_first_write_long(late.conn);
    char *large = calloc(1, LARGE);
    ck_assert_int_eq(weir_conn_send(late.conn, WEIR_BINARY, large, LARGE), WEIR_OK);
    sem_wait(&long_write.begun);
    send_part(other, PART);
    UNTIL(late.harness.core.counters.memory_limited > 0);
    for (int pass = 0; pass < PASSES; pass++) { /* the limit is checked repeatedly meanwhile */
        ck_assert(answers_pings(other));
        sleep_ms(25);
    }
    ck_assert_int_eq((int)late.harness.core.counters.memory_limited, 1);
    ck_assert_int_gt(memory_used() - before, LARGE * 3 / 2);
    sem_post(&long_write.may_end);
    UNTIL(memory_used() - before < LARGE * 3 / 2);
    ck_assert_uint_eq(client_expect_close(late.client), 1013);
    ck_assert(answers_pings(other));
    client_close(other);
    free(large);
    weir_conn_release(late.conn);
    harness_stop(&late.harness);
    ck_assert_int_eq(memory_used(), before);
}
END_TEST

Suite *backlog_suite(void) {
    Suite *suite = suite_create("backlog");
    TCase *tcase = tcase_create("backlog");
    tcase_add_loop_test(tcase, drop_oldest_keeps_the_latest_messages, 0, 2);
    tcase_add_loop_test(tcase, drop_newest_keeps_the_first_messages, 0, 2);
    tcase_add_test(tcase, disconnect_policy_closes_with_1013_and_counts);
    tcase_add_test(tcase, message_above_the_hard_limit_drops_no_other_message);
    tcase_add_loop_test(tcase, slow_consumer_policy_never_drops_a_pong, 0, 2);
    tcase_add_loop_test(tcase, slow_consumer_policy_never_drops_the_101, 0, 3);
    tcase_add_loop_test(tcase, slow_consumer_policy_never_drops_a_queued_101, 0, 3);
    tcase_add_loop_test(tcase, send_timeout_cuts_a_client_that_reads_nothing, 0, 2);
    tcase_add_loop_test(tcase, close_after_send_timeout_leaks_nothing, 0, 2);
    tcase_add_loop_test(tcase, message_rate_closes_with_1008_and_counts, 0, 2);
    tcase_add_test(tcase, memory_limit_closes_only_the_client_with_the_largest_message);
    tcase_add_test(tcase, memory_limit_closes_the_client_with_the_largest_backlog);
    tcase_add_test(tcase, memory_limit_closes_no_second_client_during_a_long_write);
    suite_add_tcase(suite, tcase);
    return suite;
}
