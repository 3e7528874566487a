/* test_sending_on.c - a handler that sends the message it has received, whole or in part.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>

#include <weir/weir.h>

#include "server/core/conn_private.h"
#include "tests/unit/harness.h"
#include "tests/unit/suites.h"

enum { SENT_ON = 40000 };

/* What may be text, too. */
static uint8_t sent_on_byte(size_t at) {
    return (uint8_t)(at * 7 >> 2) & 0x7F;
}

/* Sends the message itself twice, then with another opcode, then parts of it. The message stays unchanged. */
static void send_on(weir_conn *conn, enum weir_opcode opcode, const void *data, size_t size, void *context) {
    _Atomic int *wrong = context;
    const uint8_t *bytes = data;
    for (int i = 0; i < 2; i++)
        *wrong += weir_conn_send(conn, opcode, data, size) != WEIR_OK;
    *wrong += weir_conn_send(conn, WEIR_TEXT, data, size) != WEIR_OK;
    *wrong += weir_conn_send(conn, opcode, bytes, size - 1) != WEIR_OK;
    *wrong += weir_conn_send(conn, opcode, bytes + 1, size - 1) != WEIR_OK;
    for (size_t at = 0; at < size; at++)
        *wrong += bytes[at] != sent_on_byte(at);
}

static const struct weir_handler send_on_handlers[] = {
    {.message = send_on},
    {.message = send_on, .flags = WEIR_NEVER_BLOCKS},
};

static void expect_sent_on(int client, int first, size_t from, size_t to) {
    char *payload = malloc(SENT_ON + 1);
    size_t size;
    ck_assert_int_eq(client_receive(client, payload, SENT_ON + 1, &size), first);
    ck_assert_uint_eq(size, to - from);
    size_t same = 0;
    while (same < size && (uint8_t)payload[same] == sent_on_byte(from + same))
        same++;
    ck_assert_uint_eq(same, size); /* an assertion for each byte would take long */
    free(payload);
}

/* In fragments, which are assembled in a buffer; in one frame, which is not. Some wait in the inbox. */
START_TEST(current_message_can_be_sent_repeatedly) {
    enum { MESSAGES = 8 };
    struct harness harness;
    _Atomic int wrong = 0;
    uint8_t data[SENT_ON];
    for (size_t at = 0; at < sizeof data; at++)
        data[at] = sent_on_byte(at);
    harness_start(&harness, 2, &send_on_handlers[_i], &wrong);
    int client = harness_connect(&harness);
    for (int round = 0; round < MESSAGES; round++) {
        client_send(client, 0x82, data, 10);
        client_send(client, 0x02, data, 30000);
        client_send(client, 0x80, data + 30000, SENT_ON - 30000);
        for (size_t size = 10; size <= SENT_ON; size += SENT_ON - 10) {
            expect_sent_on(client, 0x82, 0, size);
            expect_sent_on(client, 0x82, 0, size);
            expect_sent_on(client, 0x81, 0, size);
            expect_sent_on(client, 0x82, 0, size - 1);
            expect_sent_on(client, 0x82, 1, size);
        }
    }
    client_close(client);
    harness_stop(&harness);
    ck_assert_int_eq(wrong, 0);
}
END_TEST

static void note_wrapped(weir_conn *conn, enum weir_opcode opcode, const void *data, size_t size, void *context) {
    struct message *message = conn_wrap_current((uint8_t)opcode, data, size);
    bool *wrapped = context;
    *wrapped = message != NULL;
    message_release(message);
    weir_conn_send(conn, opcode, "", 0);
}

/* The buffer of two bytes has room for a hundred, which no limit would count while a reply waits in it. */
START_TEST(current_message_is_copied_if_its_buffer_is_too_large) {
    static const struct weir_handler noting[] = {{.message = note_wrapped},
                                                 {.message = note_wrapped, .flags = WEIR_NEVER_BLOCKS}};
    static const uint8_t data[SENT_ON];
    struct harness harness;
    bool wrapped = false;
    char payload[8];
    size_t received;
    harness_start(&harness, 2, &noting[_i], &wrapped);
    int client = harness_connect(&harness);
    for (size_t size = 2; size <= SENT_ON; size += SENT_ON - 2) {
        client_send(client, 0x02, data, 1);
        client_send(client, 0x80, data, size - 1);
        ck_assert_int_eq(client_receive(client, payload, sizeof payload, &received), 0x82);
        ck_assert_int_eq(wrapped, size == SENT_ON);
    }
    client_close(client);
    harness_stop(&harness);
}
END_TEST

Suite *sending_on_suite(void) {
    Suite *suite = suite_create("sending_on");
    TCase *tcase = tcase_create("sending_on");
    tcase_add_loop_test(tcase, current_message_can_be_sent_repeatedly, 0, 2);
    tcase_add_loop_test(tcase, current_message_is_copied_if_its_buffer_is_too_large, 0, 2);
    suite_add_tcase(suite, tcase);
    return suite;
}
