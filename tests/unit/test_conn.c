/* test_conn.c - connections over socket pairs: the contract of the callbacks, order, bounds, endings.
 *
 * SPDX-License-Identifier: MIT
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <weir/weir.h>

#include "server/core/conn_private.h"
#include "server/core/user_timer.h"
#include "tests/unit/harness.h"
#include "tests/unit/suites.h"

/* --- Order ------------------------------------------------------------------------------------------------- */

/* State of one connection's callbacks; without a lock, since they never overlap (ThreadSanitizer agrees). */
struct seen {
    int opened, closed, next, wrong;
};

static void order_open(weir_conn *conn, void *context) {
    (void)context;
    struct seen *seen = calloc(1, sizeof *seen);
    weir_conn_set_data(conn, seen);
    seen->opened++;
    seen->wrong += strcmp(weir_conn_header(conn, "cookie"), "a=b") != 0;
}

static void order_message(weir_conn *conn, enum weir_opcode opcode, const void *data, size_t size, void *context) {
    (void)context;
    struct seen *seen = weir_conn_data(conn);
    int number;
    memcpy(&number, data, sizeof number);
    seen->wrong += opcode != WEIR_BINARY || size != sizeof number || number != seen->next || seen->opened != 1 ||
                   seen->closed != 0 || weir_conn_header(conn, "cookie") != NULL;
    seen->next++;
    weir_conn_send(conn, WEIR_BINARY, data, size);
}

struct totals {
    _Atomic int connections, messages, wrong;
};

static void order_close(weir_conn *conn, unsigned code, const char *reason, void *context) {
    struct totals *totals = context;
    struct seen *seen = weir_conn_data(conn);
    seen->closed++;
    totals->connections++;
    totals->messages += seen->next;
    totals->wrong += seen->wrong + (seen->closed != 1) + (code != 1000) + (*reason != '\0');
    free(seen);
}

static const struct weir_handler order_handler = {
    .open = order_open, .message = order_message, .close = order_close};

enum { ORDER_CONNECTIONS = 50, ORDER_MESSAGES = 1000 };

/* Sends all and reads all replies, which must come in order too. */
static void *order_client(void *arg) {
    int client = *(int *)arg;
    char payload[64];
    size_t size;
    for (int sent = 0, received = 0; received < ORDER_MESSAGES;) {
        for (int i = 0; i < 20 && sent < ORDER_MESSAGES; i++, sent++)
            client_send(client, 0x82, &sent, sizeof sent);
        for (; received < sent; received++) {
            client_receive(client, payload, sizeof payload, &size);
            ck_assert_mem_eq(payload, &received, sizeof received);
        }
    }
    client_close(client);
    return NULL;
}

START_TEST(conn_delivers_each_message_once_and_in_order) {
    struct harness harness;
    struct totals totals = {0};
    int clients[ORDER_CONNECTIONS];
    pthread_t threads[ORDER_CONNECTIONS];
    harness_start(&harness, 8, &order_handler, &totals);
    for (int i = 0; i < ORDER_CONNECTIONS; i++)
        clients[i] = harness_connect(&harness);
    for (int i = 0; i < ORDER_CONNECTIONS; i++)
        pthread_create(&threads[i], NULL, order_client, &clients[i]);
    for (int i = 0; i < ORDER_CONNECTIONS; i++)
        pthread_join(threads[i], NULL);
    harness_stop(&harness);
    ck_assert_int_eq(totals.connections, ORDER_CONNECTIONS);
    ck_assert_int_eq(totals.messages, ORDER_CONNECTIONS * ORDER_MESSAGES);
    ck_assert_int_eq(totals.wrong, 0);
}
END_TEST

/* --- What is known of it ------------------------------------------------------------------------------------- */

/* The offsets of its strings have 16 bits. */
START_TEST(conn_create_limits_its_strings_to_64_kib) {
    enum { PLACES_END = 1 << 16 };
    static const struct weir_handler silent = {.flags = WEIR_NEVER_BLOCKS};
    static char path[PLACES_END];
    struct harness harness;
    int pair[2];
    harness_start(&harness, 1, &silent, NULL);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    struct transport transport = transport_socket(pair[0]);
    const struct conn_request request = {.path = path, .peer = "192.0.2.1:1", .user = "user"};
    memset(path, 'p', PLACES_END - 1 - sizeof "192.0.2.1:1");
    ck_assert_ptr_null(conn_create(&harness.route, &transport, &request, "101", 3));
    path[strlen(path) - 1] = '\0';
    ck_assert_int_eq(registry_admit(&harness.core.registry), REGISTRY_ADMITTED);
    struct weir_conn *conn = conn_create(&harness.route, &transport, &request, "", 0);
    ck_assert_ptr_nonnull(conn);
    ck_assert_str_eq(weir_conn_peer(conn), "192.0.2.1:1");
    ck_assert_str_eq(weir_conn_user(conn), "user");
    ck_assert_int_eq(conn_start(conn), 0);
    client_close(pair[1]);
    harness_stop(&harness);
}
END_TEST

/* --- Blocking ---------------------------------------------------------------------------------------------- */

struct gate {
    sem_t entered, may_go;
    _Atomic int messages, bytes;
};

static void gate_message(weir_conn *conn, enum weir_opcode opcode, const void *data, size_t size, void *context) {
    struct gate *gate = context;
    (void)opcode;
    (void)data;
    weir_conn_send(conn, WEIR_TEXT, "in", 2);
    sem_post(&gate->entered);
    sem_wait(&gate->may_go);
    gate->messages++;
    gate->bytes += (int)size;
}

static const struct weir_handler gate_handler = {.message = gate_message};

/* The handler blocks: its messages have arrived, a ping and a Close are answered. */
START_TEST(blocked_handler_delays_only_its_own_messages) {
    struct harness harness;
    struct gate gate = {0};
    char payload[64];
    size_t size;
    sem_init(&gate.entered, 0, 0);
    sem_init(&gate.may_go, 0, 0);
    harness_start(&harness, 1, &gate_handler, &gate);
    int client = harness_connect(&harness);
    client_send(client, 0x81, "x", 1);
    ck_assert_int_eq(client_receive(client, payload, sizeof payload, &size), 0x81);
    ck_assert_str_eq(payload, "in");
    client_send(client, 0x89, "ping", 4);
    ck_assert_int_eq(client_receive(client, payload, sizeof payload, &size), 0x8A);
    ck_assert_str_eq(payload, "ping");
    client_send(client, 0x81, "y", 1);
    client_send(client, 0x88, "\x03\xe8", 2);
    ck_assert_int_eq(client_receive(client, payload, sizeof payload, &size), 0x88);
    sem_post(&gate.may_go);
    sem_post(&gate.may_go);
    close(client);
    harness_stop(&harness);
    ck_assert_int_eq(gate.messages, 2); /* the second was accepted before the Close */
}
END_TEST

/* While the handler blocks, a client can send no more than the inbox and the socket hold. */
START_TEST(full_inbox_pauses_reading_until_it_drains) {
    enum { MESSAGES = 20000, SIZE = 100 };
    struct harness harness;
    struct gate gate = {0};
    char message[SIZE] = {0};
    sem_init(&gate.entered, 0, 0);
    sem_init(&gate.may_go, 0, 0);
    harness_start(&harness, 1, &gate_handler, &gate);
    int client = harness_connect(&harness);
    struct timeval patience = {.tv_usec = 300000};
    setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    uint8_t frame[6 + SIZE] = {0x82, 0x80 | SIZE};
    int sent = 0;
    size_t part = 0; /* of the frame under way */
    for (ssize_t size; sent < MESSAGES && (size = write(client, frame + part, sizeof frame - part)) > 0;) {
        part += (size_t)size;
        sent += part == sizeof frame;
        part %= sizeof frame;
    }
    ck_assert_int_lt(sent, MESSAGES);      /* TCP has pushed back */
    int other = harness_connect(&harness); /* and no other client notices */
    client_close(other);
    ck_assert_int_eq(gate.messages, 0);
    for (int i = 0; i < MESSAGES + 1; i++)
        sem_post(&gate.may_go);
    patience.tv_usec = 0;
    setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (part > 0) {
        ck_assert_int_eq((int)write(client, frame + part, sizeof frame - part), (int)(sizeof frame - part));
        sent++;
    }
    client_send(client, 0x81, message, 1);
    client_close(client);
    harness_stop(&harness);
    ck_assert_int_eq(gate.messages, sent + 1);
    ck_assert_int_eq(gate.bytes, sent * SIZE + 1);
}
END_TEST

/* --- Endings ----------------------------------------------------------------------------------------------- */

struct ending {
    _Atomic unsigned code;
    char reason[128];
    sem_t closed, flooded;
};

static void ending_message(weir_conn *conn, enum weir_opcode opcode, const void *data, size_t size, void *context) {
    (void)context;
    (void)opcode;
    if (size == 5 && memcmp(data, "close", 5) == 0) {
        ck_assert_int_eq(weir_conn_close(conn, 1005, NULL), WEIR_INVALID);
        ck_assert_int_eq(weir_conn_close(conn, 3000, "\xff"), WEIR_INVALID);
        ck_assert_int_eq(weir_conn_close(conn, 3000, "enough"), WEIR_OK);
        ck_assert_int_eq(weir_conn_close(conn, 3001, "again"), WEIR_CLOSED);
        ck_assert_int_eq(weir_conn_send(conn, WEIR_TEXT, "late", 4), WEIR_CLOSED);
    }
}

static void ending_close(weir_conn *conn, unsigned code, const char *reason, void *context) {
    struct ending *ending = context;
    (void)conn;
    snprintf(ending->reason, sizeof ending->reason, "%s", reason);
    ending->code = code;
    sem_post(&ending->closed);
}

static const struct weir_handler ending_handlers[] = {
    {.message = ending_message, .close = ending_close},
    {.message = ending_message, .close = ending_close, .flags = WEIR_NEVER_BLOCKS},
};

static void expect_ending(int blocks, void (*play)(int client), unsigned code, const char *reason) {
    struct harness harness;
    struct ending ending = {0};
    sem_init(&ending.closed, 0, 0);
    harness_start(&harness, 2, &ending_handlers[blocks], &ending);
    play(harness_connect(&harness));
    sem_wait(&ending.closed);
    harness_stop(&harness);
    ck_assert_uint_eq(ending.code, code);
    ck_assert_str_eq(ending.reason, reason);
}

static void play_close(int client) {
    client_send(client, 0x88,
                "\x03\xe9"
                "bye",
                5);
    ck_assert_uint_eq(client_expect_close(client), 1001);
}

static void play_vanish(int client) {
    close(client);
}

static void play_server_closes(int client) {
    client_send(client, 0x81, "close", 5);
    ck_assert_uint_eq(client_expect_close(client), 3000);
}

static void play_unmasked(int client) {
    ck_assert_int_eq((int)write(client, "\x81\x01x", 3), 3);
    ck_assert_uint_eq(client_expect_close(client), 1002);
}

/* A Close and the end of the stream at once: the answer still goes out. */
static void play_close_and_shut(int client) {
    client_send(client, 0x88, "\x03\xe8", 2);
    shutdown(client, SHUT_WR);
    char payload[64];
    size_t size;
    ck_assert_int_eq(client_receive(client, payload, sizeof payload, &size), 0x88);
    ck_assert_int_eq(client_receive(client, payload, sizeof payload, &size), -1);
    close(client);
}

START_TEST(conn_close_callback_runs_once_for_each_ending) {
    expect_ending(_i, play_close, 1001, "bye");
    expect_ending(_i, play_vanish, 1006, "");
    expect_ending(_i, play_server_closes, 3000, "enough");
    expect_ending(_i, play_close_and_shut, 1000, "");
    expect_ending(_i, play_unmasked, 1002, "a frame is not masked");
}
END_TEST

/* A client that never answers the server's Close is cut after close_timeout. */
START_TEST(close_timeout_cuts_a_silent_client) {
    struct harness harness;
    struct ending ending = {0};
    sem_init(&ending.closed, 0, 0);
    harness_start(&harness, 1, &ending_handlers[0], &ending);
    harness.settings.close_timeout_ms = 50;
    int client = harness_connect(&harness);
    client_send(client, 0x81, "close", 5);
    sem_wait(&ending.closed);
    ck_assert_uint_eq(ending.code, 3000);
    close(client);
    harness_stop(&harness);
}
END_TEST

/* A client that does not read is closed with 1013 at the hard limit, and no other client waits. */
static void flood_message(weir_conn *conn, enum weir_opcode opcode, const void *data, size_t size, void *context) {
    static const char block[1 << 16];
    (void)opcode;
    (void)data;
    (void)size;
    int sent = 0;
    while (weir_conn_send(conn, WEIR_BINARY, block, sizeof block) == WEIR_OK)
        sent++;
    ck_assert_int_gt(sent, 10);
    ck_assert_int_lt(sent, 200);
    sem_post(&((struct ending *)context)->flooded);
}

static const struct weir_handler flood_handler = {.message = flood_message, .close = ending_close};

START_TEST(send_buffer_hard_disconnects_with_1013) {
    struct harness harness;
    struct ending ending = {0};
    char *payload = malloc(1 << 17);
    size_t size;
    sem_init(&ending.closed, 0, 0);
    sem_init(&ending.flooded, 0, 0);
    harness_start(&harness, 1, &flood_handler, &ending);
    int client = harness_connect(&harness);
    client_send(client, 0x81, "go", 2);
    sem_wait(&ending.flooded); /* it does not read meanwhile */
    int first;
    while ((first = client_receive(client, payload, 1 << 17, &size)) == 0x82)
        continue;
    ck_assert_int_eq(first, 0x88); /* after whole frames alone */
    ck_assert_int_eq((uint8_t)payload[0] << 8 | (uint8_t)payload[1], 1013);
    close(client);
    sem_wait(&ending.closed);
    harness_stop(&harness);
    ck_assert_uint_eq(ending.code, 1013);
    free(payload);
}
END_TEST

/* In a stop, accepted messages are handled and answered before the 1001. */
START_TEST(drain_handles_accepted_messages_before_1001) {
    struct harness harness;
    struct gate gate = {0};
    char payload[64];
    size_t size;
    sem_init(&gate.entered, 0, 0);
    sem_init(&gate.may_go, 0, 0);
    harness_start(&harness, 1, &gate_handler, &gate);
    int client = harness_connect(&harness);
    for (int i = 0; i < 5; i++)
        client_send(client, 0x81, "x", 1);
    sem_wait(&gate.entered);
    client_send(client, 0x89, "seen", 4);
    while (client_receive(client, payload, sizeof payload, &size) != 0x8A)
        continue; /* by the pong, all five have been read */
    struct task_list ready = {0};
    struct weir_conn *conn = harness.route.first;
    conn_drain(conn, &ready);
    pool_submit_list(harness.core.pool, &ready);
    for (int i = 0; i < 5; i++)
        sem_post(&gate.may_go);
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(client_receive(client, payload, sizeof payload, &size), 0x81);
        ck_assert_str_eq(payload, "in");
    }
    ck_assert_uint_eq(client_expect_close(client), 1001);
    harness_stop(&harness);
    ck_assert_int_eq(gate.messages, 5);
}
END_TEST

/* --- Keepalive --------------------------------------------------------------------------------------------- */

static void note_round_trip(weir_conn *conn, enum weir_opcode opcode, const void *data, size_t size,
                            void *context) {
    (void)opcode, (void)data, (void)size;
    *(_Atomic long *)context = weir_conn_round_trip(conn);
    weir_conn_send(conn, WEIR_TEXT, "noted", 5);
}

static const struct weir_handler round_trip_handler = {.message = note_round_trip};

/* Asks until the answer is not `unknown`; answers pings meanwhile if `answer_pings`. */
static long ask_round_trip(int client, const _Atomic long *round_trip, bool answer_pings) {
    char payload[64];
    size_t size;
    for (int pings = 0;;) {
        client_send(client, 0x81, "?", 1);
        int first;
        while ((first = client_receive(client, payload, sizeof payload, &size)) == 0x89) {
            pings++;
            if (answer_pings)
                client_send(client, 0x8A, payload, size);
        }
        ck_assert_int_eq(first, 0x81);
        if (*round_trip != -1 || (!answer_pings && pings > 0))
            return *round_trip;
    }
}

START_TEST(keepalive_sends_pings_and_keeps_the_round_trip) {
    struct harness harness;
    _Atomic long round_trip = 0;
    harness_start(&harness, 1, &round_trip_handler, (void *)&round_trip);
    harness.settings.ping_interval_ms = 100;
    harness.settings.ping_timeout_ms = 60000;
    int client = harness_connect(&harness);
    client_send(client, 0x8A, "unasked", 7);
    ck_assert_int_eq((int)ask_round_trip(client, &round_trip, false), -1);
    ck_assert_int_gt((int)ask_round_trip(client, &round_trip, true), 0);
    client_close(client);
    harness_stop(&harness);
}
END_TEST

START_TEST(keepalive_closes_a_client_that_answers_no_ping) {
    struct harness harness;
    harness_start(&harness, 1, &round_trip_handler, NULL);
    harness.settings.ping_interval_ms = 20;
    harness.settings.ping_timeout_ms = 30;
    ck_assert_uint_eq(client_expect_close(harness_connect(&harness)), 1011);
    harness_stop(&harness);
}
END_TEST

START_TEST(idle_timeout_closes_an_idle_client) {
    struct harness harness;
    harness_start(&harness, 1, &round_trip_handler, NULL);
    harness.settings.idle_timeout_ms = 30;
    ck_assert_uint_eq(client_expect_close(harness_connect(&harness)), 1001);
    harness_stop(&harness);
}
END_TEST

/* The handler blocks and messages wait for it: the client must not be closed for that. */
START_TEST(timeouts_spare_a_client_whose_handler_blocks) {
    struct harness harness;
    struct gate gate = {0};
    sem_init(&gate.entered, 0, 0);
    sem_init(&gate.may_go, 0, 0);
    harness_start(&harness, 1, &gate_handler, &gate);
    harness.settings.ping_interval_ms = 250;
    harness.settings.ping_timeout_ms = 250;
    harness.settings.idle_timeout_ms = 250;
    int client = harness_connect(&harness);
    for (int i = 0; i < 3; i++)
        client_send(client, 0x81, "x", 1);
    sem_wait(&gate.entered);
    nanosleep(&(struct timespec){.tv_sec = 1}, NULL); /* longer than any of the timeouts */
    struct weir_conn *conn = harness.route.first;
    ck_assert_ptr_nonnull(conn);
    ck_assert(weir_conn_is_open(conn));
    for (int i = 0; i < 3; i++)
        sem_post(&gate.may_go);
    client_expect_close(client);
    harness_stop(&harness);
    ck_assert_int_eq(gate.messages, 3);
}
END_TEST

/* --- weir_timer_start() ------------------------------------------------------------------------------------ */

struct alarm {
    sem_t rung;
    _Atomic int times;
    weir_timer *_Atomic timer;
};

static void ring(void *arg) {
    struct alarm *alarm = arg;
    alarm->times++;
    sem_post(&alarm->rung);
}

START_TEST(timer_calls_once_or_is_cancelled) {
    struct harness harness;
    struct alarm alarm = {0};
    sem_init(&alarm.rung, 0, 0);
    harness_start(&harness, 1, &gate_handler, NULL);
    uint64_t begin = pool_now();
    weir_timer *timer = user_timer_start(&harness.core, 20, 0, ring, &alarm);
    weir_timer *never = user_timer_start(&harness.core, 3600000, 0, ring, &alarm);
    sem_wait(&alarm.rung);
    ck_assert_uint_ge(pool_now() - begin, 20);
    ck_assert(!weir_timer_cancel(timer));
    ck_assert(weir_timer_cancel(never));
    ck_assert(!weir_timer_cancel(never));
    weir_timer_release(timer);
    weir_timer_release(never);
    for (int i = 0; i < 200; i++) { /* cancelled near its deadline: called or prevented, never both */
        alarm.times = 0;
        timer = user_timer_start(&harness.core, (uint64_t)i % 3, 0, ring, &alarm);
        if (i % 2 == 0)
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        bool prevented = weir_timer_cancel(timer);
        ck_assert_int_eq(alarm.times, prevented ? 0 : 1);
        weir_timer_release(timer);
    }
    harness_stop(&harness);
}
END_TEST

START_TEST(timer_repeats_until_cancelled) {
    struct harness harness;
    struct alarm alarm = {0};
    sem_init(&alarm.rung, 0, 0);
    harness_start(&harness, 1, &gate_handler, NULL);
    uint64_t begin = pool_now();
    weir_timer *timer = user_timer_start(&harness.core, 0, 5, ring, &alarm);
    for (int i = 0; i < 4; i++)
        sem_wait(&alarm.rung);
    ck_assert_uint_ge(pool_now() - begin, 15);
    weir_timer_cancel(timer);
    int times = alarm.times;
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    ck_assert_int_eq(alarm.times, times);
    ck_assert(!weir_timer_cancel(timer));
    weir_timer_release(timer);
    harness_stop(&harness);
}
END_TEST

static void ring_slowly(void *arg) {
    struct alarm *alarm = arg;
    nanosleep(&(struct timespec){.tv_nsec = 12000000}, NULL);
    ring(alarm);
    if (alarm->times == 3)
        weir_timer_cancel(alarm->timer);
}

/* Ticks that are due while a call runs are left out, and the callback itself may cancel. */
START_TEST(timer_slower_than_its_interval_leaves_ticks_out) {
    struct harness harness;
    struct alarm alarm = {0};
    sem_init(&alarm.rung, 0, 0);
    harness_start(&harness, 2, &gate_handler, NULL);
    uint64_t begin = pool_now();
    alarm.timer = user_timer_start(&harness.core, 10, 10, ring_slowly, &alarm);
    for (int i = 0; i < 3; i++)
        sem_wait(&alarm.rung);
    ck_assert_uint_ge(pool_now() - begin, 60); /* they begin at 10, 30 and 50 */
    weir_timer_cancel(alarm.timer);
    nanosleep(&(struct timespec){.tv_nsec = 30000000}, NULL);
    ck_assert_int_eq(alarm.times, 3);
    weir_timer_release(alarm.timer);
    harness_stop(&harness);
}
END_TEST

START_TEST(timer_released_at_once_is_still_called) {
    struct harness harness;
    struct alarm alarm = {0};
    sem_init(&alarm.rung, 0, 0);
    harness_start(&harness, 1, &gate_handler, NULL);
    weir_timer_release(user_timer_start(&harness.core, 1, 0, ring, &alarm));
    weir_timer_release(user_timer_start(&harness.core, 3600000, 0, ring, &alarm)); /* the stop frees it */
    weir_timer_release(user_timer_start(&harness.core, 1, 1, ring, &alarm));       /* and this one */
    for (int i = 0; i < 3; i++)
        sem_wait(&alarm.rung);
    harness_stop(&harness);
    ck_assert_ptr_null(user_timer_start(&harness.core, 1, 0, ring, &alarm));
}
END_TEST

Suite *conn_suite(void) {
    Suite *suite = suite_create("conn");
    TCase *tcase = tcase_create("conn");
    tcase_add_test(tcase, conn_delivers_each_message_once_and_in_order);
    tcase_add_test(tcase, conn_create_limits_its_strings_to_64_kib);
    tcase_add_test(tcase, blocked_handler_delays_only_its_own_messages);
    tcase_add_test(tcase, full_inbox_pauses_reading_until_it_drains);
    tcase_add_loop_test(tcase, conn_close_callback_runs_once_for_each_ending, 0, 2);
    tcase_add_test(tcase, close_timeout_cuts_a_silent_client);
    tcase_add_test(tcase, send_buffer_hard_disconnects_with_1013);
    tcase_add_test(tcase, drain_handles_accepted_messages_before_1001);
    tcase_add_test(tcase, keepalive_sends_pings_and_keeps_the_round_trip);
    tcase_add_test(tcase, keepalive_closes_a_client_that_answers_no_ping);
    tcase_add_test(tcase, idle_timeout_closes_an_idle_client);
    tcase_add_test(tcase, timeouts_spare_a_client_whose_handler_blocks);
    tcase_add_test(tcase, timer_calls_once_or_is_cancelled);
    tcase_add_test(tcase, timer_repeats_until_cancelled);
    tcase_add_test(tcase, timer_slower_than_its_interval_leaves_ticks_out);
    tcase_add_test(tcase, timer_released_at_once_is_still_called);
    suite_add_tcase(suite, tcase);
    return suite;
}
