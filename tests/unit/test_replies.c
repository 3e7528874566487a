/* test_replies.c - replies of a handler that never blocks: not overtaken, lost or counted twice, whatever else is
 * sent meanwhile and however little the socket takes at once.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <weir/weir.h>

#include "tests/unit/late.h"
#include "tests/unit/suites.h"

enum { LARGE = 20000, SCRIPT_MAX = 400, SCRIPTS = 60 };

/* What the handler has sent: a number in each message, the next one in the next. */
struct said {
    weir_conn *conn;
    bool may_leave; /* the client, before it has all */
    _Atomic unsigned count;
    _Atomic uint64_t bytes;
};

static void say(struct said *said, size_t size) {
    char *text = calloc(1, size + 1);
    ck_assert_ptr_nonnull(text);
    memset(text, '.', size);
    snprintf(text, size + 1, "%08u", said->count++); /* the client may have it before weir_conn_send() returns */
    if (size > 8)
        text[8] = '.';
    enum weir_status result = weir_conn_send(said->conn, WEIR_TEXT, text, size);
    ck_assert(result == WEIR_OK || said->may_leave);
    said->bytes += size;
    free(text);
}

static void *say_elsewhere(void *arg) {
    say(arg, 8);
    return NULL;
}

static void say_to_all(struct said *said) {
    char text[9];
    snprintf(text, sizeof text, "%08u", said->count++);
    long receivers = weir_conn_broadcast(said->conn, WEIR_TEXT, text, 8, true);
    ck_assert(receivers == 1 || said->may_leave);
    said->bytes += 8;
}

/* The message is a script: a letter for each thing to be sent. */
static void follow(weir_conn *conn, enum weir_opcode opcode, const void *data, size_t size, void *context) {
    struct said *said = context;
    const char *script = data;
    pthread_t thread;
    (void)opcode;
    said->conn = conn;
    for (size_t i = 0; i < size; i++) {
        if (script[i] == 's')
            say(said, 8);
        else if (script[i] == 'm')
            say(said, 1000);
        else if (script[i] == 'l')
            say(said, LARGE);
        else if (script[i] == 'b')
            say_to_all(said);
        else if (script[i] == 'c')
            weir_conn_close(conn, 4000, "as told");
        else if (pthread_create(&thread, NULL, say_elsewhere, said) == 0)
            pthread_join(thread, NULL);
    }
}

static const struct weir_handler obedient = {.flags = WEIR_NEVER_BLOCKS, .message = follow};

/* Reads the numbered messages in order; counts the pongs in between in `pongs`. */
static void expect(int client, unsigned first, unsigned count, unsigned *pongs) {
    static char payload[1 << 16];
    size_t size;
    while (count > 0) {
        int head = client_receive(client, payload, sizeof payload, &size);
        if (head == 0x8A) {
            (*pongs)++;
            continue;
        }
        ck_assert_int_eq(head, 0x81);
        ck_assert_uint_ge(size, 8);
        ck_assert_uint_eq(strtoul((char[9]){payload[0], payload[1], payload[2], payload[3], payload[4], payload[5],
                                            payload[6], payload[7], '\0'},
                                  NULL, 10),
                          first++);
        count--;
    }
}

static bool all_counted(struct weir_conn *conn, unsigned count, uint64_t bytes) {
    small_mutex_lock(&conn->mutex);
    bool all = conn->outbox.sent_messages == count && conn->outbox.sent_payload == bytes &&
               outbox_is_empty(&conn->outbox) && conn->outbox.bytes == 0 && conn->outbox.reply_bytes == 0;
    small_mutex_unlock(&conn->mutex);
    return all;
}

/* The client may have a message before it is counted. */
static void check_counts(struct late *late, const struct said *said) {
    UNTIL(all_counted(late->conn, said->count, said->bytes));
}

static unsigned expected_from(const char *script, size_t size) {
    unsigned count = 0;
    for (size_t i = 0; i < size; i++)
        count += script[i] != 'c';
    return count;
}

START_TEST(replies_are_sent_in_the_order_of_the_calls) {
    static const char *const scripts[] = {"s",    "ss",    "sbs",   "sos",   "ooo", "slsls",  "bbb",
                                          "mmmm", "sosbs", "lslss", "sslbo", "",    "sssssss"};
    struct late late;
    struct said said = {0};
    unsigned pongs = 0, before = 0; /* the client may have a message before it is counted as said */
    late_start(&late, SLOW_CONSUMER_DISCONNECT, &obedient, &said);
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        unsigned expected = expected_from(scripts[i], strlen(scripts[i]));
        client_send(late.client, 0x81, scripts[i], strlen(scripts[i]));
        expect(late.client, before, expected, &pongs);
        before += expected;
    }
    check_counts(&late, &said);
    ck_assert_uint_eq(pongs, 0);
    late_stop(&late);
}
END_TEST

/* --- A socket that takes little --------------------------------------------------------------------------------
 */

static const struct transport_kind *generous;
static unsigned writes;

static ssize_t write_little(struct transport *transport, struct iovec *vectors, int count) {
    (void)count;
    if (writes++ % 3 == 2) {
        errno = EAGAIN;
        return -1;
    }
    size_t most = writes * 7919 % 700 + 1;
    struct iovec first = {vectors->iov_base, vectors->iov_len < most ? vectors->iov_len : most};
    return generous->write(transport, &first, 1);
}

static void make_stingy(struct weir_conn *conn) {
    static struct transport_kind stingy;
    small_mutex_lock(&conn->mutex);
    generous = conn->transport.kind;
    stingy = *generous;
    stingy.write = write_little;
    conn->transport.kind = &stingy;
    small_mutex_unlock(&conn->mutex);
}

START_TEST(replies_survive_a_socket_that_takes_little) {
    static const char letters[] = "ssssmmsob";
    struct late late;
    struct said said = {0};
    unsigned pongs = 0, seed = (unsigned)_i + 1, expected = 0;
    late_start(&late, SLOW_CONSUMER_DISCONNECT, &obedient, &said);
    late.harness.settings.send_buffer_hard = 1 << 24;
    make_stingy(late.conn);
    for (unsigned i = 0; i < SCRIPTS; i++) {
        char script[SCRIPT_MAX];
        size_t size = (size_t)rand_r(&seed) % 12;
        for (size_t j = 0; j < size; j++)
            script[j] = letters[(size_t)rand_r(&seed) % (sizeof letters - 1)];
        client_send(late.client, 0x81, script, size);
        if (i % 5 == 0)
            client_send(late.client, 0x89, "ping", 4);
        expected += (unsigned)size;
    }
    expect(late.client, 0, expected, &pongs);
    check_counts(&late, &said);
    late_stop(&late);
}
END_TEST

START_TEST(close_leaves_after_the_corked_replies) {
    struct late late;
    struct said said = {0};
    unsigned pongs = 0;
    late_start(&late, SLOW_CONSUMER_DISCONNECT, &obedient, &said);
    if (_i == 1)
        make_stingy(late.conn);
    client_send(late.client, 0x81, "ssmsc", 5);
    client_send(late.client, 0x81, "s", 1); /* crosses the Close */
    expect(late.client, 0, 4, &pongs);
    ck_assert_uint_eq(client_expect_close(late.client), 4000);
    ck_assert_uint_eq(said.count, 4);
    weir_conn_release(late.conn);
    harness_stop(&late.harness);
}
END_TEST

/* --- A turn that could not flush -------------------------------------------------------------------------------
 */

static void say_drained(weir_conn *conn, void *context) {
    struct said *said = context;
    said->conn = conn;
    say(said, 8);
}

static bool is_idle(const struct task *task) {
    return atomic_load(&task->state) == task_in_state(task, TASK_IDLE);
}

/* Another thread has the flush task while the client sends something that needs no answer. What the connection's
 * next turn sends first, perhaps on the same thread, is not a reply of the earlier turn. */
START_TEST(turn_that_could_not_flush_leaves_no_reply_corked) {
    static const struct weir_handler drained = {
        .flags = WEIR_NEVER_BLOCKS, .message = follow, .drained = say_drained};
    enum { ROUNDS = 100 };
    struct late late;
    struct said said = {0};
    unsigned pongs = 0;
    late_start(&late, SLOW_CONSUMER_DISCONNECT, &drained, &said);
    struct source *source = &late.conn->source;
    struct pool *pool = late.harness.core.pool;
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t handled = (uint64_t)thread_counter_sum(&late.harness.core.counters.handled);
        UNTIL(is_idle(&source->flush));
        ck_assert(task_borrow(&source->flush));
        client_send(late.client, 0x81, "", 0);
        UNTIL((uint64_t)thread_counter_sum(&late.harness.core.counters.handled) > handled &&
              is_idle(&source->input));
        small_mutex_lock(&late.conn->mutex);
        late.conn->drained_due = true;
        small_mutex_unlock(&late.conn->mutex);
        task_take(&source->flush); /* the turn has asked for it; there is nothing to send */
        pool_finish_borrowed(pool, &source->flush);
        client_send(late.client, 0x81, "", 0);
        expect(late.client, i, 1, &pongs);
    }
    check_counts(&late, &said);
    late_stop(&late);
}
END_TEST

/* The soft limit holds for replies that have not been written yet, too. */
static void measure(weir_conn *conn, enum weir_opcode opcode, const void *data, size_t size, void *context) {
    size_t before = weir_conn_buffered(conn);
    ck_assert_int_eq(weir_conn_send(conn, opcode, data, size), WEIR_OK);
    size_t *buffered = context;
    *buffered = weir_conn_buffered(conn) - before;
}

START_TEST(corked_reply_counts_as_buffered) {
    static const struct weir_handler measuring = {.flags = WEIR_NEVER_BLOCKS, .message = measure};
    struct late late;
    char payload[1024];
    size_t buffered = 0, size;
    late_start(&late, SLOW_CONSUMER_DISCONNECT, &measuring, &buffered);
    client_send(late.client, 0x82, payload, 200);
    ck_assert_int_eq(client_receive(late.client, payload, sizeof payload, &size), 0x82);
    ck_assert_uint_ge(buffered, 200);
    late_stop(&late);
}
END_TEST

START_TEST(replies_survive_a_client_that_leaves_without_reading) {
    struct late late;
    struct said said = {.may_leave = true};
    late_start(&late, SLOW_CONSUMER_DISCONNECT, &obedient, &said);
    for (int i = 0; i < 100; i++)
        client_send(late.client, 0x81, "smsmssobs", 9);
    if (_i == 1)
        shutdown(late.client, SHUT_RDWR);
    close(late.client);
    weir_conn_release(late.conn);
    harness_stop(&late.harness);
}
END_TEST

Suite *replies_suite(void) {
    Suite *suite = suite_create("replies");
    TCase *tcase = tcase_create("replies");
    tcase_add_test(tcase, replies_are_sent_in_the_order_of_the_calls);
    tcase_add_loop_test(tcase, replies_survive_a_socket_that_takes_little, 0, 8);
    tcase_add_loop_test(tcase, close_leaves_after_the_corked_replies, 0, 2);
    tcase_add_test(tcase, turn_that_could_not_flush_leaves_no_reply_corked);
    tcase_add_test(tcase, corked_reply_counts_as_buffered);
    tcase_add_loop_test(tcase, replies_survive_a_client_that_leaves_without_reading, 0, 2);
    suite_add_tcase(suite, tcase);
    return suite;
}
