/* test_idle_channels.c - channels without subscribers: how long they keep their position, how many one creator may
 * have, and which are evicted first.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <string.h>

#include <weir/channel.h>

#include "tests/unit/guest.h"
#include "tests/unit/late.h"
#include "tests/unit/suites.h"

static struct channel_rule rule_with_history(uint64_t position_ttl_ms) {
    struct channel_rule rule = {.pattern = "*", .options = usual_options()};
    rule.options.history = 30;
    rule.options.position_ttl_ms = position_ttl_ms;
    return rule;
}

static void start(struct harness *harness, uint32_t channels, uint32_t per_connection) {
    const struct channel_rule rule = rule_with_history(3600000);
    const struct channels_limits limits = {
        .channels = channels, .per_connection = per_connection, .history_memory = 1 << 20, .idle_memory = SIZE_MAX};
    harness_start(harness, 2, &silent_handler, NULL);
    ck_assert_int_eq(channels_configure(&harness->channels, &rule, 1, &limits), 0);
}

/* As one of clients, unlike publish(). */
static long say(const struct guest *guest, const char *channel) {
    return publish_as(guest->conn, channel, WEIR_TEXT, "x", 1, true);
}

static long say_to_many(const struct guest *guest, const char *prefix, int count) {
    char name[32];
    long result = 0;
    for (int i = 0; i < count && result >= 0; i++) {
        snprintf(name, sizeof name, "%s%d", prefix, i);
        result = say(guest, name);
    }
    return result;
}

/* --- Positions --------------------------------------------------------------------------------------------- */

struct told {
    char epoch[20];
    uint64_t offset;
    bool recovered;
};

static struct message *note(const struct joined *joined, void *context) {
    struct told *told = context;
    snprintf(told->epoch, sizeof told->epoch, "%s", joined->epoch);
    told->offset = joined->offset;
    told->recovered = joined->recovered;
    return NULL;
}

static struct told come(const struct guest *guest, const struct told *before) {
    struct told told;
    struct join join = {.form = FORM_WRAPPED, .answer = note, .context = &told};
    if (before != NULL) {
        join.recover = true;
        join.since = before->offset;
        join.epoch = before->epoch;
    }
    ck_assert_int_eq(channels_join(conn_core(guest->conn)->channels, guest->conn, "a", &join), JOIN_DONE);
    return told;
}

static void publish_many(struct harness *harness, int first, int last) {
    for (int i = first; i <= last; i++)
        ck_assert_uint_eq(publish(harness, "a", PUBLICATION_JSON, "1").offset, (uint64_t)i);
}

static void expect_messages(const struct guest *guest, int first, int last) {
    for (int i = first; i <= last; i++) {
        char text[100];
        snprintf(text, sizeof text, "{\"type\":\"message\",\"channel\":\"a\",\"offset\":%d,\"data\":1}", i);
        guest_expect_text(guest, text);
    }
}

/* The last subscriber leaves before there is a message, and comes back after 20. */
START_TEST(idle_channel_keeps_its_position_without_subscribers) {
    struct harness harness;
    start(&harness, 100, 10);
    struct guest guest = guest_connect(&harness);
    struct told first = come(&guest, NULL);
    ck_assert_uint_eq(first.offset, 0);
    ck_assert(guest_unsubscribe(&guest, "a"));
    run_expiry(&harness);
    publish_many(&harness, 1, 20);
    struct told again = come(&guest, &first);
    ck_assert(again.recovered);
    ck_assert_uint_eq(again.offset, 20);
    ck_assert_str_eq(again.epoch, first.epoch);
    expect_messages(&guest, 1, 20);
    ck_assert(guest_unsubscribe(&guest, "a"));
    publish_many(&harness, 21, 51); /* one more than the history has */
    ck_assert(!come(&guest, &again).recovered);
    guest_expect_nothing(&guest);
    guest_leave(&guest);
    harness_stop(&harness);
}
END_TEST

/* When all messages are too old, a client that missed none recovers, and one that missed some does not. */
START_TEST(idle_channel_keeps_its_position_without_messages) {
    struct harness harness;
    start(&harness, 100, 10);
    struct guest guest = guest_connect(&harness);
    struct told first = come(&guest, NULL);
    publish_many(&harness, 1, 3);
    expect_messages(&guest, 1, 3);
    ck_assert(guest_unsubscribe(&guest, "a"));
    struct channel_rule rule = rule_with_history(3600000);
    rule.options.history_age_ms = 1;
    set_rules(&harness, &rule, 1);
    uint64_t then = pool_now();
    UNTIL(pool_now() > then + 1);
    run_expiry(&harness);
    UNTIL(history_store_statistics(&harness.channels.store).messages == 0);
    struct told missed_one = first, missed_none = first;
    missed_one.offset = 2;
    missed_none.offset = 3;
    ck_assert(!come(&guest, &missed_one).recovered);
    ck_assert(guest_unsubscribe(&guest, "a"));
    ck_assert(come(&guest, &missed_none).recovered);
    guest_expect_nothing(&guest);
    guest_leave(&guest);
    harness_stop(&harness);
}
END_TEST

START_TEST(idle_channel_loses_its_position_in_the_end) {
    struct harness harness;
    start(&harness, 100, 10);
    struct guest guest = guest_connect(&harness);
    struct told first = come(&guest, NULL);
    ck_assert(guest_unsubscribe(&guest, "a"));
    const struct channel_rule rule = rule_with_history(1);
    set_rules(&harness, &rule, 1);
    uint64_t then = pool_now();
    UNTIL(pool_now() > then + 1);
    run_expiry(&harness);
    UNTIL(count_channels(&harness) == 0);
    struct told again = come(&guest, &first);
    ck_assert(!again.recovered);
    ck_assert_str_ne(again.epoch, first.epoch);
    guest_leave(&guest);
    harness_stop(&harness);
}
END_TEST

/* A join that fails has told no client the position of the channel. */
START_TEST(failed_join_leaves_no_idle_channel) {
    struct harness harness;
    start(&harness, 100, 1);
    struct guest guest = guest_connect(&harness);
    ck_assert_int_eq(guest_join(&guest, "a", FORM_RAW), JOIN_DONE);
    ck_assert_int_eq(guest_join(&guest, "b", FORM_RAW), JOIN_CONNECTION_LIMIT);
    ck_assert(!channel_exists(&harness, "b"));
    guest_leave(&guest);
    harness_stop(&harness);
}
END_TEST

/* --- What one client leaves behind ------------------------------------------------------------------------- */

START_TEST(idle_channels_of_one_creator_are_limited) {
    struct harness harness;
    start(&harness, 100, 5);
    struct guest other = guest_connect_as(&harness, "other", "192.0.2.1:2");
    struct guest greedy = guest_connect_as(&harness, "greedy", "192.0.2.1:3");
    ck_assert_int_eq(say(&other, "other"), 0);
    publish(&harness, "server", PUBLICATION_TEXT, "x");
    ck_assert_int_eq(say_to_many(&greedy, "g", 50), 0);
    ck_assert_uint_eq(count_channels(&harness), 7);
    ck_assert(channel_exists(&harness, "g49") && channel_exists(&harness, "g45") &&
              !channel_exists(&harness, "g44"));
    guest_leave(&greedy);
    struct guest again = guest_connect_as(&harness, "greedy", "198.51.100.7:1");
    ck_assert_int_eq(say(&again, "h"), 0);
    ck_assert_uint_eq(count_channels(&harness), 7);
    ck_assert(!channel_exists(&harness, "g45") && channel_exists(&harness, "g46"));
    ck_assert_int_eq(say(&again, "g46"), 0); /* is used: it is not the next to go */
    ck_assert_int_eq(say(&again, "i"), 0);
    ck_assert(channel_exists(&harness, "g46") && !channel_exists(&harness, "g47"));
    ck_assert(channel_exists(&harness, "other") && channel_exists(&harness, "server"));
    ck_assert_uint_eq(harness.channels.counters.evicted_own, 47);
    guest_leave(&again);
    guest_leave(&other);
    harness_stop(&harness);
}
END_TEST

/* Channels that a client leaves by unsubscribing count as well. */
START_TEST(idle_channels_count_for_the_creator_after_a_leave) {
    struct harness harness;
    start(&harness, 100, 5);
    for (int round = 0; round < 4; round++) {
        struct guest guest = guest_connect(&harness);
        for (int i = 0; i < 5; i++) {
            char name[16];
            snprintf(name, sizeof name, "r%d.%d", round, i);
            ck_assert_int_eq(guest_join(&guest, name, FORM_RAW), JOIN_DONE);
        }
        ck_assert_int_le((int)count_channels(&harness), 10);
        guest_leave(&guest);
        UNTIL(count_subscriptions(&harness) == 0);
    }
    UNTIL(count_channels(&harness) == 5);
    harness_stop(&harness);
}
END_TEST

/* Without a user the address counts, or its network where one customer has a whole network. */
START_TEST(idle_channel_creators_differ_by_address_or_network) {
    static const struct {
        const char *first, *second;
        bool same;
    } pairs[] = {
        {"192.0.2.1:1", "192.0.2.1:2", true},           {"192.0.2.1:1", "192.0.2.2:1", false},
        {"[2001:db8::1]:1", "[2001:db8::2]:2", true},   {"[2001:db8::1]:1", "[2001:db8:0:1::1]:1", false},
        {"[fe80::1%eth0]:1", "[fe80::2%eth0]:1", true},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct harness harness;
        start(&harness, 100, 5);
        struct guest first = guest_connect_as(&harness, NULL, pairs[i].first);
        struct guest second = guest_connect_as(&harness, NULL, pairs[i].second);
        ck_assert_int_eq(say_to_many(&first, "first", 5), 0);
        ck_assert_int_eq(say_to_many(&second, "second", 5), 0);
        ck_assert_uint_eq(count_channels(&harness), pairs[i].same ? 5 : 10);
        guest_leave(&first);
        guest_leave(&second);
        harness_stop(&harness);
    }
}
END_TEST

/* --- When the table is full -------------------------------------------------------------------------------- */

START_TEST(idle_channels_make_room_for_new_ones) {
    struct harness harness;
    start(&harness, 4, 3);
    struct guest stays = guest_connect_as(&harness, "stays", "192.0.2.1:1");
    struct guest comes = guest_connect_as(&harness, "comes", "192.0.2.1:1");
    ck_assert_int_eq(guest_join(&stays, "kept", FORM_RAW), JOIN_DONE);
    for (int i = 0; i < 3; i++) {
        const char name[] = {'o', (char)('0' + i), '\0'};
        publish(&harness, name, PUBLICATION_TEXT, "x");
    }
    publish(&harness, "o0", PUBLICATION_TEXT, "x"); /* is used: o1 is the oldest now */
    ck_assert_int_eq(guest_join(&comes, "new", FORM_RAW), JOIN_DONE);
    ck_assert(channel_exists(&harness, "kept") && channel_exists(&harness, "o0") &&
              !channel_exists(&harness, "o1"));
    ck_assert_int_eq(say(&comes, "mine"), 0);
    ck_assert(!channel_exists(&harness, "o2"));
    ck_assert_int_eq(say(&comes, "mine too"), WEIR_INVALID);
    ck_assert_int_eq(say(&comes, "mine.too"), 0); /* its own go first */
    ck_assert(!channel_exists(&harness, "mine") && channel_exists(&harness, "o0"));
    ck_assert_uint_eq(count_channels(&harness), 4);
    ck_assert_int_eq(guest_join(&stays, "mine.too", FORM_RAW), JOIN_DONE);
    ck_assert_int_eq(guest_join(&stays, "o0", FORM_RAW), JOIN_DONE);
    ck_assert_int_eq(guest_join(&comes, "no.room", FORM_RAW), JOIN_CHANNELS_LIMIT); /* all have subscribers */
    ck_assert_int_eq(say(&comes, "no.room"), WEIR_LIMIT);
    ck_assert_uint_eq(harness.channels.counters.evicted_full, 3);
    guest_leave(&stays);
    guest_leave(&comes);
    harness_stop(&harness);
}
END_TEST

/* No client is refused while idle channels can be evicted, and their number falls. */
START_TEST(idle_channels_shrink_to_a_smaller_limit) {
    struct harness harness;
    start(&harness, 100, 100);
    struct guest guest = guest_connect(&harness);
    ck_assert_int_eq(say_to_many(&guest, "many", 100), 0);
    harness.channels.limits.channels = 50;
    for (int i = 0; i < 50; i++) {
        char name[16];
        snprintf(name, sizeof name, "new%d", i);
        publish(&harness, name, PUBLICATION_TEXT, "x");
    }
    ck_assert_uint_eq(count_channels(&harness), 50);
    guest_leave(&guest);
    harness_stop(&harness);
}
END_TEST

/* More than one turn of the expiry task. */
START_TEST(idle_channel_expiry_visits_all) {
    enum { MANY = 5000 };
    struct harness harness;
    start(&harness, MANY, 10);
    for (int i = 0; i < MANY; i++) {
        char name[16];
        snprintf(name, sizeof name, "n%d", i);
        publish(&harness, name, PUBLICATION_TEXT, "x");
    }
    ck_assert_uint_eq(count_channels(&harness), MANY);
    struct channel_rule rule = rule_with_history(0);
    rule.options.history = 0;
    set_rules(&harness, &rule, 1);
    run_expiry(&harness);
    UNTIL(count_channels(&harness) == 0);
    ck_assert_uint_eq(history_store_statistics(&harness.channels.store).messages, 0);
    harness_stop(&harness);
}
END_TEST

Suite *idle_channels_suite(void) {
    Suite *suite = suite_create("idle_channels");
    TCase *tcase = tcase_create("idle_channels");
    tcase_set_timeout(tcase, 300);
    tcase_add_test(tcase, idle_channel_keeps_its_position_without_subscribers);
    tcase_add_test(tcase, idle_channel_keeps_its_position_without_messages);
    tcase_add_test(tcase, idle_channel_loses_its_position_in_the_end);
    tcase_add_test(tcase, failed_join_leaves_no_idle_channel);
    tcase_add_test(tcase, idle_channels_of_one_creator_are_limited);
    tcase_add_test(tcase, idle_channels_count_for_the_creator_after_a_leave);
    tcase_add_test(tcase, idle_channel_creators_differ_by_address_or_network);
    tcase_add_test(tcase, idle_channels_make_room_for_new_ones);
    tcase_add_test(tcase, idle_channels_shrink_to_a_smaller_limit);
    tcase_add_test(tcase, idle_channel_expiry_visits_all);
    suite_add_tcase(suite, tcase);
    return suite;
}
