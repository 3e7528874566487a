/* test_draining.c - a connection in a stop: messages already read are handled and answered before its 1001,
 * whatever delayed them.
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <weir/weir.h>

#include "server/core/conn_private.h"
#include "tests/unit/guest.h"
#include "tests/unit/late.h"
#include "tests/unit/suites.h"

enum { MESSAGES = 30, MEMBERS = 20 };

static void echo(weir_conn *conn, enum weir_opcode opcode, const void *data, size_t size, void *context) {
    _Atomic unsigned *handled = context;
    weir_conn_send(conn, opcode, data, size);
    ++*handled;
}

static const struct weir_handler echoes[] = {{.message = echo}, {.message = echo, .flags = WEIR_NEVER_BLOCKS}};

static void drain(struct weir_conn *conn) {
    struct task_list ready = {0};
    conn_drain(conn, &ready);
    pool_submit_list(conn_core(conn)->pool, &ready);
}

/* So many small messages, in one piece. */
static void send_together(int client, unsigned count) {
    uint8_t bytes[MESSAGES * 7];
    for (unsigned i = 0; i < count; i++)
        memcpy(bytes + i * 7, "\x81\x81\0\0\0\0x", 7);
    ck_assert_int_eq((int)send(client, bytes, count * 7, 0), (int)(count * 7));
}

static void expect_answers(const struct guest *guest, unsigned count) {
    for (unsigned i = 0; i < count; i++)
        guest_expect_text(guest, "x");
}

static void end(struct harness *harness, struct guest *guest) {
    ck_assert_uint_eq(client_expect_close(guest->client), 1001);
    weir_conn_release(guest->conn);
    harness_stop(harness);
}

/* --- The limits on what may come --------------------------------------------------------------------------- */

static struct guest start_limited(struct harness *harness, const struct weir_handler *handler,
                                  _Atomic unsigned *handled) {
    harness_start(harness, 2, handler, (void *)handled);
    harness->settings.message_rate = 5;
    return guest_connect(harness);
}

START_TEST(drain_ignores_the_message_rate_for_read_messages) {
    struct harness harness;
    _Atomic unsigned handled = 0;
    struct guest guest = start_limited(&harness, &echoes[_i], &handled);
    send_together(guest.client, MESSAGES);
    UNTIL(handled >= 5);
    drain(guest.conn);
    expect_answers(&guest, MESSAGES);
    end(&harness, &guest);
}
END_TEST

START_TEST(drain_reads_once_more_and_answers) {
    struct harness harness;
    _Atomic unsigned handled = 0;
    struct guest guest = start_limited(&harness, &echoes[_i], &handled);
    for (unsigned sent = 0; sent < MESSAGES; sent += 10) {
        send_together(guest.client, 10);
        UNTIL(handled >= 5);
    }
    drain(guest.conn);
    expect_answers(&guest, MESSAGES);
    end(&harness, &guest);
}
END_TEST

START_TEST(drain_ignores_the_byte_rate) {
    struct harness harness;
    _Atomic unsigned handled = 0;
    harness_start(&harness, 2, &echoes[_i], (void *)&handled);
    harness.settings.byte_rate = 100;
    struct guest guest = guest_connect(&harness);
    send_together(guest.client, MESSAGES); /* more than a second's worth */
    UNTIL(handled == MESSAGES);
    send_together(guest.client, MESSAGES);
    drain(guest.conn);
    expect_answers(&guest, 2 * MESSAGES);
    end(&harness, &guest);
}
END_TEST

/* --- A client that does not read --------------------------------------------------------------------------- */

START_TEST(drain_answers_after_a_backlog_pause) {
    struct harness harness;
    _Atomic unsigned handled = 0;
    struct guest guest = start_limited(&harness, &echoes[_i], &handled);
    char payload[1 << 16];
    size_t size, blocks = 0;
    harness.settings.send_buffer_soft = SOFT;
    send_until(guest.conn, SOFT);
    send_together(guest.client, MESSAGES);
    drain(guest.conn);
    unsigned answers = 0;
    for (int first; (first = client_receive(guest.client, payload, sizeof payload, &size)) != 0x88;)
        first == 0x81 ? answers++ : blocks++;
    ck_assert_uint_gt(blocks, 0);
    ck_assert_uint_eq(answers, MESSAGES);
    client_send(guest.client, 0x88, payload, 2);
    close(guest.client);
    weir_conn_release(guest.conn);
    harness_stop(&harness);
}
END_TEST

/* --- Channels ---------------------------------------------------------------------------------------------- */

/* Publishes to its own channel. The last message of a turn meets a stop. */
static void publish_and_drain(weir_conn *conn, enum weir_opcode opcode, const void *data, size_t size,
                              void *context) {
    unsigned *published = context;
    ck_assert_int_eq((int)publish_as(conn, "all", opcode, data, size, true), MEMBERS);
    if (++*published == MESSAGES)
        drain(conn);
}

static const struct weir_handler publisher = {.message = publish_and_drain, .flags = WEIR_NEVER_BLOCKS};

START_TEST(drain_delivers_published_messages) {
    struct harness harness;
    unsigned published = 0;
    struct guest guests[MEMBERS];
    harness_start(&harness, 2, &publisher, &published);
    for (unsigned i = 0; i < MEMBERS; i++) {
        guests[i] = guest_connect(&harness);
        ck_assert_int_eq(guest_join(&guests[i], "all", FORM_RAW), JOIN_DONE);
    }
    send_together(guests[0].client, MESSAGES);
    for (unsigned i = 0; i < MEMBERS; i++)
        expect_answers(&guests[i], MESSAGES);
    ck_assert_uint_eq(client_expect_close(guests[0].client), 1001);
    weir_conn_release(guests[0].conn);
    for (unsigned i = 1; i < MEMBERS; i++)
        guest_leave(&guests[i]);
    harness_stop(&harness);
}
END_TEST

/* --- A handler that closes --------------------------------------------------------------------------------- */

static bool has_waiting(struct weir_conn *conn) {
    small_mutex_lock(&conn->mutex);
    bool waits = !inbox_is_empty(&conn->inbox);
    small_mutex_unlock(&conn->mutex);
    return waits;
}

/* Closes when others wait. */
static void close_first(weir_conn *conn, enum weir_opcode opcode, const void *data, size_t size, void *context) {
    _Atomic unsigned *handled = context;
    (void)opcode, (void)data, (void)size;
    if (++*handled > 1)
        return;
    UNTIL(has_waiting(conn));
    weir_conn_close(conn, 1001, "no more");
}

static const struct weir_handler closer = {.message = close_first};

START_TEST(close_by_a_handler_drops_waiting_messages) {
    struct harness harness;
    _Atomic unsigned handled = 0;
    harness_start(&harness, 2, &closer, (void *)&handled);
    struct guest guest = guest_connect(&harness);
    send_together(guest.client, MESSAGES);
    end(&harness, &guest);
    ck_assert_uint_eq(handled, 1);
}
END_TEST

Suite *draining_suite(void) {
    Suite *suite = suite_create("draining");
    TCase *tcase = tcase_create("draining");
    tcase_add_loop_test(tcase, drain_ignores_the_message_rate_for_read_messages, 0, 2);
    tcase_add_loop_test(tcase, drain_reads_once_more_and_answers, 0, 2);
    tcase_add_loop_test(tcase, drain_ignores_the_byte_rate, 0, 2);
    tcase_add_loop_test(tcase, drain_answers_after_a_backlog_pause, 0, 2);
    tcase_add_test(tcase, drain_delivers_published_messages);
    tcase_add_test(tcase, close_by_a_handler_drops_waiting_messages);
    suite_add_tcase(suite, tcase);
    return suite;
}
