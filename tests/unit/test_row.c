/* test_row.c - messages on their way to the subscribers of a channel: no thread waits for one that is being
 * compressed, or for a long fan-out, and still all get all in one order.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <weir/channel.h>

#include "tests/unit/guest.h"
#include "tests/unit/held_deflate.h"
#include "tests/unit/late.h"
#include "tests/unit/suites.h"

enum { TEXT_FRAME = 0x81, DEFLATED_FRAME = 0xC1, LARGE = 1 << 16 };

/* Compressed where it is published, and by a task. */
static const size_t sizes[] = {20000, LARGE};

static char *text_of(size_t size) {
    char *text = malloc(size + 1);
    ck_assert_ptr_nonnull(text);
    memset(text, 'a', size);
    text[size] = '\0';
    return text;
}

/* Publishes the first byte `p` says so, echoes anything else. */
static void publish_or_echo(weir_conn *conn, enum weir_opcode opcode, const void *data, size_t size,
                            void *context) {
    (void)context;
    if (size > 0 && *(const char *)data == 'p')
        weir_conn_publish(conn, "a", opcode, data, size, true, NULL, NULL);
    else
        weir_conn_send(conn, opcode, data, size);
}

static const struct weir_handler publishes_or_echoes = {.message = publish_or_echo, .flags = WEIR_NEVER_BLOCKS};

/* A subscriber of "a" that takes compressed messages. */
static struct guest subscriber(struct harness *harness) {
    struct guest guest = guest_connect(harness);
    guest.conn->deflate = (struct deflate_params){.enabled = true, .server_bits = 15, .client_bits = 15};
    ck_assert_int_eq(guest_join(&guest, "a", FORM_RAW), JOIN_DONE);
    return guest;
}

static int receive(const struct guest *guest, size_t *size) {
    static char payload[1 << 20];
    return client_receive(guest->client, payload, sizeof payload, size);
}

static bool has_something_to_read(const struct guest *guest) {
    char byte;
    return recv(guest->client, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

/* --- While one is compressed ------------------------------------------------------------------------------- */

struct publisher {
    struct harness *harness;
    char *text;
    pthread_t thread;
    _Atomic bool done;
};

static void *publish_it(void *arg) {
    struct publisher *publisher = arg;
    publish(publisher->harness, "a", PUBLICATION_TEXT, publisher->text);
    publisher->done = true;
    return NULL;
}

static void start_publisher(struct publisher *publisher) {
    ck_assert_int_eq(pthread_create(&publisher->thread, NULL, publish_it, publisher), 0);
}

START_TEST(publish_does_not_wait_for_a_compressing_publisher) {
    struct harness harness;
    size_t size;
    harness_start(&harness, 2, &silent_handler, NULL);
    struct guest guest = subscriber(&harness);
    struct publisher large = {.harness = &harness, .text = text_of(sizes[_i])};
    struct publisher small = {.harness = &harness, .text = text_of(1)};
    hold_deflate();
    start_publisher(&large);
    UNTIL(held_deflates() == 1);
    start_publisher(&small);
    UNTIL(small.done);
    ck_assert(!has_something_to_read(&guest)); /* it has its turn after the large one */
    let_go_deflate();
    ck_assert_int_eq(receive(&guest, &size), DEFLATED_FRAME);
    ck_assert_int_eq(receive(&guest, &size), TEXT_FRAME);
    ck_assert_uint_eq(size, 1);
    pthread_join(large.thread, NULL);
    pthread_join(small.thread, NULL);
    free(large.text);
    free(small.text);
    guest_leave(&guest);
    harness_stop(&harness);
}
END_TEST

/* More publishers than threads, and one client that only wants an echo. */
START_TEST(pool_handles_messages_while_publishers_compress) {
    enum { WORKERS = 2, PUBLISHERS = WORKERS + 2 };
    struct harness harness;
    struct guest publishers[PUBLISHERS];
    char *text = text_of(LARGE);
    size_t size;
    text[0] = 'p';
    harness_start(&harness, WORKERS, &publishes_or_echoes, NULL);
    struct guest guest = subscriber(&harness), other = guest_connect(&harness);
    hold_deflate();
    for (int i = 0; i < PUBLISHERS; i++) {
        publishers[i] = guest_connect(&harness);
        client_send(publishers[i].client, TEXT_FRAME, text, LARGE);
    }
    UNTIL(thread_counter_sum(&harness.core.counters.handled) > WORKERS);
    client_send(other.client, TEXT_FRAME, "echo", 4);
    guest_expect_text(&other, "echo");
    let_go_deflate();
    for (int i = 0; i < PUBLISHERS; i++)
        ck_assert_int_eq(receive(&guest, &size), DEFLATED_FRAME);
    for (int i = 0; i < PUBLISHERS; i++)
        guest_leave(&publishers[i]);
    guest_leave(&other);
    guest_leave(&guest);
    harness_stop(&harness);
    free(text);
}
END_TEST

START_TEST(delivery_is_plain_if_compression_is_late) {
    enum { MANY = 1100 };
    struct harness harness;
    size_t size;
    char *text = text_of(LARGE);
    harness_start(&harness, 2, &silent_handler, NULL);
    struct guest guest = subscriber(&harness);
    hold_deflate();
    publish(&harness, "a", PUBLICATION_TEXT, text);
    UNTIL(held_deflates() == 1);
    for (int i = 0; i < MANY; i++)
        publish(&harness, "a", PUBLICATION_TEXT, "x");
    ck_assert_int_eq(receive(&guest, &size), TEXT_FRAME);
    ck_assert_uint_eq(size, LARGE);
    for (int i = 0; i < MANY; i++)
        guest_expect_text(&guest, "x");
    ck_assert_int_eq(held_deflates(), 1);
    let_go_deflate();
    publish(&harness, "a", PUBLICATION_TEXT, text);
    ck_assert_int_eq(receive(&guest, &size), DEFLATED_FRAME);
    guest_leave(&guest);
    harness_stop(&harness);
    free(text);
}
END_TEST

/* Handlers have all permits: it would have to wait for them. */
static void hold_permit(weir_conn *conn, enum weir_opcode opcode, const void *data, size_t size, void *context) {
    _Atomic bool *held = context;
    (void)conn, (void)opcode, (void)data, (void)size;
    for (*held = true; *held;)
        sleep_ms(1);
}

START_TEST(delivery_is_plain_if_no_permit_is_free) {
    static const struct weir_handler holds_permit = {.message = hold_permit};
    struct harness harness;
    _Atomic bool held = false;
    size_t size;
    char *text = text_of(LARGE);
    harness_start(&harness, 1, &holds_permit, &held);
    struct guest guest = subscriber(&harness), other = guest_connect(&harness);
    client_send(other.client, TEXT_FRAME, "x", 1);
    UNTIL(held);
    publish(&harness, "a", PUBLICATION_TEXT, text);
    ck_assert_int_eq(receive(&guest, &size), TEXT_FRAME);
    held = false;
    guest_leave(&other);
    guest_leave(&guest);
    harness_stop(&harness);
    free(text);
}
END_TEST

static uint64_t offset_of(struct harness *harness) {
    struct channel_statistics statistics;
    ck_assert_int_eq(channels_query(&harness->channels, "a", &statistics), 0);
    return statistics.offset;
}

START_TEST(publisher_that_is_too_fast_is_paused) {
    enum { MANY = 200, FEW = 100 }; /* the socket has room for all */
    struct harness harness;
    size_t size;
    char *text = text_of(LARGE);
    harness_start(&harness, 2, &publishes_or_echoes, NULL);
    struct guest guest = subscriber(&harness), fast = guest_connect(&harness);
    hold_deflate();
    publish(&harness, "a", PUBLICATION_TEXT, text);
    for (int i = 0; i < MANY; i++)
        client_send(fast.client, TEXT_FRAME, "p", 1);
    UNTIL((fast.conn->pauses & CONN_PAUSE_CHANNEL) != 0);
    ck_assert_uint_lt(offset_of(&harness), FEW);
    let_go_deflate();
    ck_assert_int_eq(receive(&guest, &size), DEFLATED_FRAME);
    for (int i = 0; i < MANY; i++)
        guest_expect_text(&guest, "p");
    ck_assert_uint_eq(offset_of(&harness), MANY + 1);
    guest_leave(&fast);
    guest_leave(&guest);
    harness_stop(&harness);
    free(text);
}
END_TEST

/* --- A fan-out of several steps ---------------------------------------------------------------------------- */

enum { MEMBERS = 450, MESSAGES = 100 }; /* two steps of a fan-out, within 1,024 descriptors */

struct crowd {
    struct harness harness;
    struct guest members[MEMBERS];
    _Atomic bool over;
};

/* Every other subscriber leaves and joins, at random. */
static void *come_and_go(void *arg) {
    struct crowd *crowd = arg;
    unsigned seed = 1;
    while (!crowd->over) {
        const struct guest *guest = &crowd->members[(unsigned)rand_r(&seed) % (MEMBERS / 2) * 2 + 1];
        channels_leave(&crowd->harness.channels, guest->conn, "a");
        ck_assert_int_eq(guest_join(guest, "a", FORM_RAW), JOIN_DONE);
    }
    return NULL;
}

static int receive_number(const struct guest *guest) {
    char text[32];
    guest_receive(guest, text, sizeof text);
    return atoi(text);
}

START_TEST(delivery_is_complete_while_subscribers_come_and_go) {
    static struct crowd crowd;
    pthread_t thread;
    char text[32];
    harness_start(&crowd.harness, 4, &silent_handler, NULL);
    for (int i = 0; i < MEMBERS; i++) {
        crowd.members[i] = guest_connect(&crowd.harness);
        ck_assert_int_eq(guest_join(&crowd.members[i], "a", FORM_RAW), JOIN_DONE);
    }
    ck_assert_int_eq(pthread_create(&thread, NULL, come_and_go, &crowd), 0);
    for (int i = 1; i <= MESSAGES; i++) {
        snprintf(text, sizeof text, "%d", i);
        publish(&crowd.harness, "a", PUBLICATION_TEXT, text);
    }
    for (int i = 0; i < MEMBERS; i += 2)
        for (int number = 1; number <= MESSAGES; number++)
            ck_assert_int_eq(receive_number(&crowd.members[i]), number);
    crowd.over = true;
    pthread_join(thread, NULL);
    publish(&crowd.harness, "a", PUBLICATION_TEXT, "1000");
    for (int i = 1; i < MEMBERS; i += 2)
        for (int last = 0, number; last != 1000; last = number)
            ck_assert_int_gt(number = receive_number(&crowd.members[i]), last);
    for (int i = 0; i < MEMBERS; i++)
        guest_leave(&crowd.members[i]);
    harness_stop(&crowd.harness);
}
END_TEST

START_TEST(channel_close_comes_after_waiting_deliveries) {
    static struct guest members[MEMBERS];
    struct harness harness;
    size_t size;
    harness_start(&harness, 2, &silent_handler, NULL);
    for (int i = 0; i < MEMBERS; i++) {
        members[i] = guest_connect(&harness);
        ck_assert_int_eq(guest_join(&members[i], "a", FORM_RAW), JOIN_DONE);
    }
    publish(&harness, "a", PUBLICATION_TEXT, "x");
    ck_assert_int_eq(channels_close(&harness.channels, "a"), MEMBERS);
    for (int i = 0; i < MEMBERS; i++) {
        ck_assert_int_eq(receive(&members[i], &size), TEXT_FRAME);
        ck_assert_uint_eq(client_expect_close(members[i].client), 1001);
        weir_conn_release(members[i].conn);
    }
    harness_stop(&harness);
}
END_TEST

Suite *row_suite(void) {
    Suite *suite = suite_create("row");
    TCase *tcase = tcase_create("row");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, publish_does_not_wait_for_a_compressing_publisher, 0, sizeof sizes / sizeof *sizes);
    tcase_add_test(tcase, pool_handles_messages_while_publishers_compress);
    tcase_add_test(tcase, delivery_is_plain_if_compression_is_late);
    tcase_add_test(tcase, delivery_is_plain_if_no_permit_is_free);
    tcase_add_test(tcase, publisher_that_is_too_fast_is_paused);
    tcase_add_test(tcase, delivery_is_complete_while_subscribers_come_and_go);
    tcase_add_test(tcase, channel_close_comes_after_waiting_deliveries);
    suite_add_tcase(suite, tcase);
    return suite;
}
