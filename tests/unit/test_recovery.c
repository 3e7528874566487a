/* test_recovery.c - a client that comes back to a channel gets all missed messages before any new one, or learns
 * that it cannot. A client that asks for the last messages gets those before any new one, too.
 *
 * SPDX-License-Identifier: MIT
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/guest.h"
#include "tests/unit/late.h"
#include "tests/unit/suites.h"
#include "ws/decoder.h"

/* The answer that a guest gets first. */
static struct message *answer(const struct joined *joined, void *context) {
    char text[100];
    (void)context;
    int size = snprintf(text, sizeof text, "%s at %llu, %s", joined->name, (unsigned long long)joined->offset,
                        joined->recovered ? "recovered" : "not recovered");
    return message_create(OPCODE_TEXT, text, (size_t)size);
}

static void come(const struct guest *guest, struct join join) {
    join.form = FORM_WRAPPED;
    join.answer = answer;
    ck_assert_int_eq(channels_join(conn_core(guest->conn)->channels, guest->conn, "a", &join), JOIN_DONE);
}

static void come_back(const struct guest *guest, uint64_t since, const char *epoch) {
    come(guest, (struct join){.recover = true, .since = since, .epoch = epoch});
}

static void go_away(const struct guest *guest) {
    ck_assert(channels_leave(conn_core(guest->conn)->channels, guest->conn, "a"));
}

static void start(struct harness *harness, uint32_t history) {
    struct channel_rule rule = {.pattern = "a", .options = usual_options()};
    harness_start(harness, 2, &silent_handler, NULL);
    rule.options.history = history;
    set_rules(harness, &rule, 1);
}

static void publish_numbers(struct harness *harness, int first, int last) {
    for (int i = first; i <= last; i++) {
        char number[16];
        snprintf(number, sizeof number, "%d", i);
        ck_assert_uint_eq(publish(harness, "a", PUBLICATION_JSON, number).offset, (uint64_t)i);
    }
}

static void expect_numbers(const struct guest *guest, int first, int last) {
    for (int i = first; i <= last; i++) {
        char text[100];
        snprintf(text, sizeof text, "{\"type\":\"message\",\"channel\":\"a\",\"offset\":%d,\"data\":%d}", i, i);
        guest_expect_text(guest, text);
    }
}

static const struct channel_counters *counters_of(struct harness *harness) {
    return &harness->channels.counters;
}

START_TEST(recovery_delivers_missed_messages_before_new_ones) {
    struct harness harness;
    start(&harness, 5);
    struct guest guest = guest_connect(&harness);
    publish_numbers(&harness, 1, 10);
    for (int since = 5; since <= 10; since++) {
        come_back(&guest, (uint64_t)since, NULL);
        guest_expect_text(&guest, "a at 10, recovered");
        expect_numbers(&guest, since + 1, 10);
        guest_expect_nothing(&guest);
        go_away(&guest);
    }
    come_back(&guest, 8, NULL);
    publish_numbers(&harness, 11, 12);
    guest_expect_text(&guest, "a at 10, recovered");
    expect_numbers(&guest, 9, 12);
    guest_expect_nothing(&guest);
    ck_assert_uint_eq(counters_of(&harness)->recovered, 7);
    ck_assert_uint_eq(counters_of(&harness)->not_recovered, 0);
    guest_leave(&guest);
    harness_stop(&harness);
}
END_TEST

/* Then only new messages come: the client knows that it has missed some. */
START_TEST(recovery_is_refused_if_there_is_a_gap) {
    struct harness harness;
    start(&harness, 5);
    struct guest guest = guest_connect(&harness);
    publish_numbers(&harness, 1, 10);
    static const uint64_t wrong[] = {0, 3, 4, 11, 1000, UINT64_MAX};
    int offset = 10;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong && offset < 16; i++) {
        char text[100];
        uint64_t since = wrong[i] > 4 ? wrong[i] + (wrong[i] < 1000 ? (uint64_t)offset - 10 : 0) : wrong[i];
        come_back(&guest, since, NULL);
        snprintf(text, sizeof text, "a at %d, not recovered", offset);
        guest_expect_text(&guest, text);
        guest_expect_nothing(&guest);
        offset++;
        publish_numbers(&harness, offset, offset);
        expect_numbers(&guest, offset, offset);
        go_away(&guest);
    }
    ck_assert_uint_eq(counters_of(&harness)->recovered, 0);
    ck_assert_uint_eq(counters_of(&harness)->not_recovered, 6);
    guest_leave(&guest);
    harness_stop(&harness);
}
END_TEST

START_TEST(recovery_is_refused_in_another_epoch) {
    struct harness harness;
    struct channel_statistics statistics;
    start(&harness, 5);
    struct guest guest = guest_connect(&harness);
    publish_numbers(&harness, 1, 3);
    ck_assert_int_eq(channels_query(&harness.channels, "a", &statistics), 0);
    come_back(&guest, 1, statistics.epoch);
    guest_expect_text(&guest, "a at 3, recovered");
    expect_numbers(&guest, 2, 3);
    go_away(&guest);
    come_back(&guest, 1, "0123456789abcdef");
    guest_expect_text(&guest, "a at 3, not recovered");
    go_away(&guest);
    ck_assert_int_eq(channels_close(&harness.channels, "a"), 0);
    publish_numbers(&harness, 1, 3);
    come_back(&guest, 1, statistics.epoch);
    guest_expect_text(&guest, "a at 3, not recovered");
    guest_expect_nothing(&guest);
    guest_leave(&guest);
    harness_stop(&harness);
}
END_TEST

START_TEST(recovery_without_history_needs_the_current_offset) {
    struct harness harness;
    start(&harness, 0);
    struct guest guest = guest_connect(&harness), stays = guest_connect(&harness);
    ck_assert_int_eq(guest_join(&stays, "a", FORM_RAW), JOIN_DONE);
    come_back(&guest, 0, NULL);
    guest_expect_text(&guest, "a at 0, recovered");
    go_away(&guest);
    publish_numbers(&harness, 1, 2);
    come_back(&guest, 1, NULL);
    guest_expect_text(&guest, "a at 2, not recovered");
    go_away(&guest);
    come_back(&guest, 2, NULL);
    guest_expect_text(&guest, "a at 2, recovered");
    guest_expect_nothing(&guest);
    guest_leave(&guest);
    guest_leave(&stays);
    harness_stop(&harness);
}
END_TEST

/* Messages that are too old do not count, although expiry has not run yet. */
START_TEST(recovery_is_refused_if_messages_are_too_old) {
    struct harness harness;
    start(&harness, 5);
    struct channel_rule rule = {.pattern = "a", .options = usual_options()};
    struct guest guest = guest_connect(&harness);
    publish_numbers(&harness, 1, 3);
    rule.options.history = 5;
    rule.options.history_age_ms = 1;
    uint64_t then = pool_now();
    UNTIL(pool_now() > then + 1);
    set_rules(&harness, &rule, 1);
    come_back(&guest, 2, NULL);
    guest_expect_text(&guest, "a at 3, not recovered");
    guest_expect_nothing(&guest);
    guest_leave(&guest);
    harness_stop(&harness);
}
END_TEST

START_TEST(last_messages_come_before_new_ones) {
    struct harness harness;
    start(&harness, 5);
    struct guest guest = guest_connect(&harness);
    come(&guest, (struct join){.last = 5});
    guest_expect_text(&guest, "a at 0, not recovered");
    guest_expect_nothing(&guest);
    go_away(&guest);
    publish_numbers(&harness, 1, 10);
    for (int last = 1; last <= 7; last++) {
        come(&guest, (struct join){.last = (uint32_t)last});
        guest_expect_text(&guest, "a at 10, not recovered");
        expect_numbers(&guest, last < 5 ? 11 - last : 6, 10);
        guest_expect_nothing(&guest);
        go_away(&guest);
    }
    come(&guest, (struct join){.last = 2});
    publish_numbers(&harness, 11, 12);
    guest_expect_text(&guest, "a at 10, not recovered");
    expect_numbers(&guest, 9, 12);
    guest_expect_nothing(&guest);
    ck_assert_uint_eq(counters_of(&harness)->recovered + counters_of(&harness)->not_recovered, 0);
    guest_leave(&guest);
    harness_stop(&harness);
}
END_TEST

/* All missed messages; or, if those are gone, the last ones. */
START_TEST(last_messages_replace_a_refused_recovery) {
    struct harness harness;
    start(&harness, 5);
    struct guest guest = guest_connect(&harness);
    publish_numbers(&harness, 1, 10);
    static const struct {
        const char *epoch;
        int since, first;
    } cases[] = {{NULL, 5, 6}, {NULL, 9, 10}, {NULL, 10, 11}, {NULL, 4, 8}, {NULL, 11, 8}, {"another", 9, 8}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool recovered = cases[i].first == cases[i].since + 1;
        come(&guest,
             (struct join){.recover = true, .since = (uint64_t)cases[i].since, .epoch = cases[i].epoch, .last = 3});
        guest_expect_text(&guest, recovered ? "a at 10, recovered" : "a at 10, not recovered");
        expect_numbers(&guest, cases[i].first, 10);
        guest_expect_nothing(&guest);
        go_away(&guest);
    }
    ck_assert_uint_eq(counters_of(&harness)->recovered, 3);
    ck_assert_uint_eq(counters_of(&harness)->not_recovered, 3);
    guest_leave(&guest);
    harness_stop(&harness);
}
END_TEST

/* --- More than a client may have waiting ------------------------------------------------------------------- */

/* The cost of the missed messages in the outbox of a client that reads nothing and whose socket is full. */
static size_t cost_of_missed(struct late *late, uint64_t since, bool *recovered) {
    const struct guest guest = {.client = late->client, .conn = late->conn};
    uint64_t before = counters_of(&late->harness)->recovered;
    size_t waiting = weir_conn_buffered(late->conn);
    come_back(&guest, since, NULL);
    *recovered = counters_of(&late->harness)->recovered > before;
    size_t cost = weir_conn_buffered(late->conn) - waiting;
    go_away(&guest);
    read_all(late);
    return cost;
}

/* Small messages, each of which costs more than its bytes. A client that gets them must not exceed the soft limit.
 */
START_TEST(recovery_beyond_the_soft_limit_is_refused) {
    enum { MESSAGES = 2000, ROOM = SOFT / 2 };
    struct late late;
    late_start(&late, SLOW_CONSUMER_DISCONNECT, &silent_handler, NULL);
    struct channel_rule rule = {.pattern = "a", .options = usual_options()};
    rule.options.history = MESSAGES;
    set_rules(&late.harness, &rule, 1);
    publish_numbers(&late.harness, 1, MESSAGES);
    int recoveries = 0, refusals = 0;
    for (uint64_t missed = 10; missed <= MESSAGES; missed = missed * 5 / 4) {
        bool recovered;
        send_until(late.conn, ROOM);
        size_t room = SOFT - weir_conn_buffered(late.conn);
        size_t cost = cost_of_missed(&late, MESSAGES - missed, &recovered);
        ck_assert_uint_le(cost, room + 200); /* and the answer */
        if (recovered)
            ck_assert_uint_gt(cost, missed * 40);
        else
            ck_assert_uint_lt(cost, 200);
        ck_assert(recovered || refusals > 0 || recoveries > 0);
        ck_assert(!recovered ||
                  refusals == 0); /* a longer gap is never recovered after a shorter one was refused */
        recoveries += recovered;
        refusals += !recovered;
    }
    ck_assert_int_gt(recoveries, 3);
    ck_assert_int_gt(refusals, 3);
    late_stop(&late);
}
END_TEST

/* As many of the last messages as fit. */
START_TEST(last_messages_fill_no_more_than_the_soft_limit) {
    enum { MESSAGES = 2000 };
    struct late late;
    late_start(&late, SLOW_CONSUMER_DISCONNECT, &silent_handler, NULL);
    struct channel_rule rule = {.pattern = "a", .options = usual_options()};
    rule.options.history = MESSAGES;
    set_rules(&late.harness, &rule, 1);
    publish_numbers(&late.harness, 1, MESSAGES);
    const struct guest guest = {.client = late.client, .conn = late.conn};
    for (size_t waiting = SOFT / 8; waiting < SOFT - SIZE; waiting += SOFT / 8) {
        send_until(late.conn, waiting);
        size_t before = weir_conn_buffered(late.conn);
        come(&guest, (struct join){.last = MESSAGES});
        size_t cost = weir_conn_buffered(late.conn) - before;
        ck_assert_uint_le(cost, SOFT - before + 200); /* and the answer */
        ck_assert_uint_ge(cost + 200, SOFT - before); /* one more would not fit */
        go_away(&guest);
        read_all(&late);
    }
    late_stop(&late);
}
END_TEST

/* --- While others publish ---------------------------------------------------------------------------------- */

enum { WRITERS = 2, NUMBERS = 10000, PORTION = 20 };

struct writing {
    struct harness *harness;
    _Atomic int visits, wrong;
};

/* A portion with each visit: so they write just when the guest comes. */
static void *write_numbers(void *arg) {
    struct writing *writing = arg;
    const struct publication publication = {
        .channel = "a", .kind = PUBLICATION_JSON, .data = "1", .size = 1, .published_by = PUBLISHED_BY_API};
    struct published published;
    for (int i = 0; i < NUMBERS; i++) {
        while (i / PORTION > writing->visits)
            sched_yield();
        writing->wrong += channels_publish(&writing->harness->channels, &publication, &published) != WEIR_OK;
    }
    return NULL;
}

/* Of the next message, which is to be one of the channel. */
static uint64_t next_offset(const struct guest *guest) {
    static const char begin[] = "{\"type\":\"message\",\"channel\":\"a\",\"offset\":";
    char text[200];
    guest_receive(guest, text, sizeof text);
    if (strcmp(text, "stop") == 0)
        return 0;
    ck_assert_mem_eq(text, begin, sizeof begin - 1);
    return strtoull(text + sizeof begin - 1, NULL, 10);
}

/* Comes back, reads some, goes away, and reads the rest. Returns the last number. */
static uint64_t visit(const struct guest *guest, uint64_t last) {
    char text[100], expected[100];
    unsigned long long offset;
    come_back(guest, last, NULL);
    guest_receive(guest, text, sizeof text);
    ck_assert_int_eq(sscanf(text, "a at %llu", &offset), 1);
    snprintf(expected, sizeof expected, "a at %llu, recovered", offset);
    ck_assert_str_eq(text, expected);
    ck_assert_uint_ge(offset, last);
    for (int some = rand() % PORTION; some > 0 && last < WRITERS * NUMBERS; some--)
        ck_assert_uint_eq(next_offset(guest), ++last);
    go_away(guest);
    ck_assert_int_eq(weir_conn_send(guest->conn, WEIR_TEXT, "stop", 4), WEIR_OK);
    for (uint64_t got; (got = next_offset(guest)) != 0;)
        ck_assert_uint_eq(got, ++last);
    return last;
}

START_TEST(recovery_delivers_each_message_once_and_in_order) {
    struct harness harness;
    pthread_t threads[WRITERS];
    start(&harness, WRITERS * NUMBERS);
    harness.settings.send_buffer_soft = 1 << 24;
    harness.settings.send_buffer_hard = 1 << 25;
    struct guest guest = guest_connect(&harness);
    struct writing writing = {.harness = &harness};
    for (int i = 0; i < WRITERS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, write_numbers, &writing), 0);
    uint64_t last = 0;
    while (last < WRITERS * NUMBERS) {
        writing.visits++;
        last = visit(&guest, last);
    }
    for (int i = 0; i < WRITERS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_eq(writing.wrong, 0);
    ck_assert_uint_eq(last, WRITERS * NUMBERS);
    guest_leave(&guest);
    harness_stop(&harness);
}
END_TEST

Suite *recovery_suite(void) {
    Suite *suite = suite_create("recovery");
    TCase *tcase = tcase_create("recovery");
    tcase_add_test(tcase, recovery_delivers_missed_messages_before_new_ones);
    tcase_add_test(tcase, recovery_is_refused_if_there_is_a_gap);
    tcase_add_test(tcase, recovery_is_refused_in_another_epoch);
    tcase_add_test(tcase, recovery_without_history_needs_the_current_offset);
    tcase_add_test(tcase, recovery_is_refused_if_messages_are_too_old);
    tcase_add_test(tcase, last_messages_come_before_new_ones);
    tcase_add_test(tcase, last_messages_replace_a_refused_recovery);
    tcase_add_test(tcase, recovery_beyond_the_soft_limit_is_refused);
    tcase_add_test(tcase, last_messages_fill_no_more_than_the_soft_limit);
    tcase_add_test(tcase, recovery_delivers_each_message_once_and_in_order);
    suite_add_tcase(suite, tcase);
    return suite;
}
