/* test_channels.c - channels: delivery in each form, limits, presence, and when channels disappear. Recovery and
 * races have their own files.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <weir/channel.h>

#include "base/json_writer.h"
#include "tests/unit/guest.h"
#include "tests/unit/late.h"
#include "tests/unit/suites.h"

static struct channel_statistics query(struct harness *harness, const char *channel) {
    struct channel_statistics statistics;
    ck_assert_int_eq(channels_query(&harness->channels, channel, &statistics), 0);
    return statistics;
}

static enum join_result join_raw(const struct guest *guest, const char *channel) {
    return guest_join(guest, channel, FORM_RAW);
}

/* --- Publishing -------------------------------------------------------------------------------------------- */

START_TEST(channel_delivers_every_form_in_order) {
    struct harness harness;
    harness_start(&harness, 2, &silent_handler, NULL);
    struct guest raw = guest_connect(&harness), wrapped = guest_connect(&harness);
    ck_assert_int_eq(guest_join(&raw, "a", FORM_RAW), JOIN_DONE);
    ck_assert_int_eq(publish(&harness, "a", PUBLICATION_TEXT, "for one").subscribers, 1);
    ck_assert_int_eq(guest_join(&wrapped, "a", FORM_WRAPPED), JOIN_DONE);
    struct published published = publish(&harness, "a", PUBLICATION_TEXT, "say \"hi\"\n");
    ck_assert_uint_eq(published.offset, 2);
    ck_assert_uint_eq(published.subscribers, 2);
    ck_assert_int_eq(published.receivers, 2);
    publish(&harness, "a", PUBLICATION_BINARY, "\x01\x02\xff");
    publish(&harness, "a", PUBLICATION_JSON, "{\"x\": [1, 2.50]}");
    guest_expect_text(&raw, "for one");
    guest_expect_text(&raw, "say \"hi\"\n");
    guest_expect(&raw, WEIR_BINARY, "\x01\x02\xff", 3);
    guest_expect_text(&raw, "{\"x\": [1, 2.50]}");
    guest_expect_text(&wrapped,
                      "{\"type\":\"message\",\"channel\":\"a\",\"offset\":2,\"data\":\"say \\\"hi\\\"\\n\"}");
    guest_expect_text(&wrapped, "{\"type\":\"message\",\"channel\":\"a\",\"offset\":3,\"base64\":\"AQL/\"}");
    guest_expect_text(&wrapped,
                      "{\"type\":\"message\",\"channel\":\"a\",\"offset\":4,\"data\":{\"x\": [1, 2.50]}}");
    ck_assert_uint_eq(query(&harness, "a").offset, 4);
    guest_leave(&raw);
    guest_leave(&wrapped);
    harness_stop(&harness);
}
END_TEST

START_TEST(publish_reaches_only_its_channel) {
    struct harness harness;
    harness_start(&harness, 2, &silent_handler, NULL);
    struct guest one = guest_connect(&harness), other = guest_connect(&harness);
    ck_assert_int_eq(join_raw(&one, "a"), JOIN_DONE);
    ck_assert_int_eq(join_raw(&other, "b"), JOIN_DONE);
    ck_assert_int_eq(join_raw(&other, "a:b"), JOIN_DONE);
    ck_assert_int_eq(publish(&harness, "a", PUBLICATION_TEXT, "x").receivers, 1);
    ck_assert_uint_eq(publish(&harness, "b", PUBLICATION_TEXT, "y").offset, 1);
    struct published published = publish(&harness, "nobody", PUBLICATION_TEXT, "z");
    ck_assert_uint_eq(published.offset, 0);
    ck_assert_uint_eq(published.subscribers, 0);
    ck_assert(!channel_exists(&harness, "nobody"));
    guest_expect_text(&one, "x");
    guest_expect_text(&other, "y");
    guest_expect_nothing(&one);
    guest_expect_nothing(&other);
    guest_leave(&one);
    guest_leave(&other);
    harness_stop(&harness);
}
END_TEST

struct seen {
    unsigned calls;
    uint64_t receivers, offset;
    char epoch[20];
    weir_conn *conn;
};

static void see_published(const struct weir_publish_result *result, void *context) {
    struct seen *seen = context;
    ck_assert_int_eq(result->status, WEIR_OK);
    *seen = (struct seen){.calls = seen->calls + 1, .receivers = result->receivers, .offset = result->offset};
    snprintf(seen->epoch, sizeof seen->epoch, "%s", result->epoch);
}

static void see_subscribed(weir_conn *conn, const struct weir_subscribe_result *result, void *context) {
    struct seen *seen = context;
    ck_assert_int_eq(result->status, WEIR_OK);
    *seen = (struct seen){.calls = seen->calls + 1, .offset = result->offset, .conn = conn};
    snprintf(seen->epoch, sizeof seen->epoch, "%s", result->epoch);
}

START_TEST(publish_reports_receivers_offset_and_epoch) {
    struct harness harness;
    struct seen sent = {0}, joined = {0};
    harness_start(&harness, 2, &silent_handler, NULL);
    struct guest guest = guest_connect(&harness);
    ck_assert_int_eq(weir_conn_publish(guest.conn, "none", WEIR_TEXT, "x", 1, true, see_published, &sent), WEIR_OK);
    ck_assert_uint_eq(sent.calls, 1);
    ck_assert_uint_eq(sent.offset + sent.receivers, 0); /* the channel has no subscribers and no history */
    ck_assert_str_eq(sent.epoch, "");
    ck_assert_int_eq(weir_conn_subscribe(guest.conn, "a", see_subscribed, &joined), WEIR_OK);
    ck_assert_uint_eq(joined.calls, 1);
    ck_assert_uint_eq(joined.offset, 0);
    ck_assert_ptr_eq(joined.conn, guest.conn);
    ck_assert_int_eq(weir_conn_publish(guest.conn, "a", WEIR_TEXT, "x", 1, true, see_published, &sent), WEIR_OK);
    ck_assert_uint_eq(sent.calls, 2);
    ck_assert_uint_eq(sent.offset, 1);
    ck_assert_uint_eq(sent.receivers, 1);
    ck_assert_uint_eq(strlen(sent.epoch), 16);
    ck_assert_str_eq(joined.epoch, sent.epoch);
    ck_assert_int_eq(weir_conn_subscribe(guest.conn, "a", see_subscribed, &joined), WEIR_OK); /* is already */
    ck_assert_uint_eq(joined.calls, 2);
    ck_assert_uint_eq(joined.offset, 1);
    ck_assert_str_eq(joined.epoch, sent.epoch);
    ck_assert_int_eq(weir_conn_publish(guest.conn, "a b", WEIR_TEXT, "x", 1, true, see_published, &sent),
                     WEIR_INVALID);
    ck_assert_int_eq(weir_conn_subscribe(guest.conn, "a b", see_subscribed, &joined), WEIR_INVALID);
    ck_assert_uint_eq(sent.calls + joined.calls, 4); /* a refused call has no result */
    guest_expect_text(&guest, "x");
    guest_leave(&guest);
    harness_stop(&harness);
}
END_TEST

START_TEST(publish_names_or_skips_the_publisher) {
    struct harness harness;
    harness_start(&harness, 2, &silent_handler, NULL);
    struct channel_rule rule = {.pattern = "named", .options = usual_options()};
    rule.options.publisher = true;
    set_rules(&harness, &rule, 1);
    struct guest writer = guest_connect(&harness), reader = guest_connect(&harness);
    ck_assert_int_eq(join_raw(&writer, "named"), JOIN_DONE);
    ck_assert_int_eq(guest_join(&reader, "named", FORM_WRAPPED), JOIN_DONE);
    ck_assert_int_eq(publish_as(writer.conn, "named", WEIR_TEXT, "one", 3, false), 1);
    ck_assert_int_eq(publish_as(writer.conn, "named", WEIR_TEXT, "two", 3, true), 2);
    publish(&harness, "named", PUBLICATION_TEXT, "three");
    guest_expect_text(&writer, "two");
    guest_expect_text(&writer, "three");
    for (int i = 1; i <= 2; i++) {
        char text[200];
        snprintf(text, sizeof text,
                 "{\"type\":\"message\",\"channel\":\"named\",\"offset\":%d,\"data\":\"%s\","
                 "\"publisher\":{\"connection\":\"%llu\",\"user\":\"user\"}}",
                 i, i == 1 ? "one" : "two", (unsigned long long)weir_conn_id(writer.conn));
        guest_expect_text(&reader, text);
    }
    guest_expect_text(&reader, "{\"type\":\"message\",\"channel\":\"named\",\"offset\":3,\"data\":\"three\"}");
    ck_assert_int_eq(publish_as(writer.conn, "no such name", WEIR_TEXT, "x", 1, true), WEIR_INVALID);
    ck_assert_int_eq(publish_as(writer.conn, "named", (enum weir_opcode)8, "x", 1, true), WEIR_INVALID);
    ck_assert_int_eq(publish_json(&harness, "named", "[1", 2), WEIR_INVALID);
    ck_assert_int_eq(publish_json(&harness, "named", " [1] ", 5), 2);
    guest_expect_text(&writer, "[1]");
    guest_leave(&writer);
    guest_leave(&reader);
    harness_stop(&harness);
}
END_TEST

/* --- Coming and going -------------------------------------------------------------------------------------- */

START_TEST(recreated_channel_has_a_new_epoch) {
    struct harness harness;
    harness_start(&harness, 2, &silent_handler, NULL);
    struct guest guest = guest_connect(&harness);
    ck_assert_int_eq(join_raw(&guest, "a"), JOIN_DONE);
    publish(&harness, "a", PUBLICATION_TEXT, "x");
    struct channel_statistics before = query(&harness, "a");
    ck_assert_uint_eq(before.offset, 1);
    ck_assert_uint_eq(before.subscribers, 1);
    ck_assert_str_eq(before.name, "a");
    ck_assert_str_eq(query(&harness, "a").epoch, before.epoch);
    ck_assert(guest_unsubscribe(&guest, "a"));
    ck_assert(!channel_exists(&harness, "a"));
    ck_assert_uint_eq(count_channels(&harness), 0);
    ck_assert(!guest_unsubscribe(&guest, "a"));
    ck_assert_int_eq(join_raw(&guest, "a"), JOIN_DONE);
    struct channel_statistics after = query(&harness, "a");
    ck_assert_uint_eq(after.offset, 0);
    ck_assert_str_ne(after.epoch, before.epoch);
    guest_leave(&guest);
    harness_stop(&harness);
}
END_TEST

START_TEST(subscriber_that_left_receives_nothing_more) {
    struct harness harness;
    harness_start(&harness, 2, &silent_handler, NULL);
    struct guest goes = guest_connect(&harness), stays = guest_connect(&harness);
    for (int i = 0; i < 3; i++) {
        char name[] = {'a', (char)('0' + i), '\0'};
        ck_assert_int_eq(join_raw(&goes, name), JOIN_DONE);
        ck_assert_int_eq(join_raw(&stays, name), JOIN_DONE);
    }
    ck_assert_uint_eq(count_subscriptions(&harness), 6);
    ck_assert(guest_unsubscribe(&goes, "a1")); /* from the middle of its list */
    ck_assert(!channels_is_member(&harness.channels, goes.conn, "a1"));
    ck_assert(channels_is_member(&harness.channels, goes.conn, "a2"));
    ck_assert_int_eq(publish(&harness, "a1", PUBLICATION_TEXT, "x").receivers, 1);
    ck_assert_int_eq(publish(&harness, "a2", PUBLICATION_TEXT, "y").receivers, 2);
    guest_expect_text(&goes, "y");
    channels_leave_all(goes.conn);
    ck_assert_uint_eq(count_subscriptions(&harness), 3);
    ck_assert_uint_eq(goes.conn->subscription_count, 0);
    ck_assert_int_eq(publish(&harness, "a2", PUBLICATION_TEXT, "z").receivers, 1);
    guest_expect_nothing(&goes);
    ck_assert_int_eq(join_raw(&goes, "a0"), JOIN_GONE); /* for ever */
    ck_assert_int_eq(join_raw(&goes, "new"), JOIN_GONE);
    ck_assert(!channel_exists(&harness, "new"));
    ck_assert(!guest_unsubscribe(&goes, "a0"));
    guest_leave(&goes);
    guest_leave(&stays);
    harness_stop(&harness);
}
END_TEST

START_TEST(ended_connection_has_left_its_channels) {
    struct harness harness;
    harness_start(&harness, 2, &silent_handler, NULL);
    struct guest polite = guest_connect(&harness), lost = guest_connect(&harness), stays = guest_connect(&harness);
    const struct guest *guests[] = {&polite, &lost, &stays};
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(join_raw(guests[i], "a"), JOIN_DONE);
        ck_assert_int_eq(join_raw(guests[i], "b"), JOIN_DONE);
    }
    client_close(polite.client);
    close(lost.client);
    UNTIL(registry_count(&harness.core.registry) == 1);
    ck_assert_uint_eq(count_subscriptions(&harness), 2);
    ck_assert_uint_eq(query(&harness, "a").subscribers, 1);
    ck_assert_int_eq(join_raw(&polite, "a"), JOIN_GONE);
    ck_assert_int_eq(weir_conn_subscribe(lost.conn, "a", NULL, NULL), WEIR_CLOSED);
    ck_assert_int_eq(weir_conn_unsubscribe(lost.conn, "a"), WEIR_CLOSED);
    guest_leave(&stays);
    UNTIL(count_channels(&harness) == 0);
    ck_assert_uint_eq(count_subscriptions(&harness), 0);
    weir_conn_release(polite.conn);
    weir_conn_release(lost.conn);
    harness_stop(&harness);
}
END_TEST

/* --- Limits ------------------------------------------------------------------------------------------------ */

START_TEST(channel_limits_refuse_without_side_effects) {
    struct harness harness;
    harness_start(&harness, 2, &silent_handler, NULL);
    struct channel_rule rules[] = {{.pattern = "two", .options = usual_options()},
                                   {.pattern = "past:*", .options = usual_options()}};
    rules[0].options.max_subscribers = 2;
    rules[1].options.history = 1;
    const struct channels_limits limits = {
        .channels = 3, .per_connection = 2, .history_memory = 10000, .idle_memory = SIZE_MAX};
    ck_assert_int_eq(channels_configure(&harness.channels, rules, 2, &limits), 0);
    struct guest guests[4];
    for (int i = 0; i < 4; i++)
        guests[i] = guest_connect(&harness);
    ck_assert_int_eq(weir_conn_subscribe(guests[0].conn, "two", NULL, NULL), WEIR_OK);
    ck_assert_int_eq(weir_conn_subscribe(guests[0].conn, "two", NULL, NULL), WEIR_OK);
    ck_assert_int_eq(join_raw(&guests[0], "two"), JOIN_ALREADY);
    ck_assert_int_eq(join_raw(&guests[1], "two"), JOIN_DONE);
    ck_assert_int_eq(join_raw(&guests[2], "two"), JOIN_SUBSCRIBERS_LIMIT);
    ck_assert_int_eq(weir_conn_subscribe(guests[2].conn, "two", NULL, NULL), WEIR_LIMIT);
    ck_assert_int_eq(join_raw(&guests[0], "b"), JOIN_DONE);
    ck_assert_int_eq(join_raw(&guests[0], "c"), JOIN_CONNECTION_LIMIT);
    ck_assert(!channel_exists(&harness, "c"));
    ck_assert_int_eq(join_raw(&guests[1], "c"), JOIN_DONE);
    ck_assert_int_eq(join_raw(&guests[2], "d"), JOIN_CHANNELS_LIMIT);
    ck_assert_int_eq(publish_json(&harness, "past:x", "1", 1), WEIR_LIMIT);
    ck_assert_int_eq(publish_json(&harness, "d", "1", 1), 0); /* it need not be made */
    ck_assert_int_eq(join_raw(&guests[2], "c"), JOIN_DONE);
    ck_assert_int_eq(weir_conn_subscribe(guests[3].conn, "no name", NULL, NULL), WEIR_INVALID);
    ck_assert_uint_eq(count_channels(&harness), 3);
    ck_assert_uint_eq(count_subscriptions(&harness), 5);
    ck_assert(guest_unsubscribe(&guests[0], "two"));
    ck_assert_int_eq(join_raw(&guests[3], "two"), JOIN_DONE);
    ck_assert(guest_unsubscribe(&guests[0], "b"));
    ck_assert_int_eq(join_raw(&guests[3], "d"), JOIN_DONE);
    for (int i = 0; i < 4; i++)
        guest_leave(&guests[i]);
    harness_stop(&harness);
}
END_TEST

/* --- Options ----------------------------------------------------------------------------------------------- */

START_TEST(channel_options_come_from_the_most_specific_rule) {
    struct harness harness;
    harness_start(&harness, 2, &silent_handler, NULL);
    struct channel_rule rules[] = {{.pattern = "*", .options = usual_options()},
                                   {.pattern = "news:local", .options = usual_options()},
                                   {.pattern = "news:*", .options = usual_options()}};
    rules[0].options.history = 1;
    rules[1].options.history = 2;
    rules[2].options.history = 3;
    ck_assert_uint_eq(channels_options(&harness.channels, "any").history, 0);
    ck_assert(channels_options(&harness.channels, "any").may_publish);
    ck_assert(channels_options(&harness.channels, "any").may_subscribe);
    set_rules(&harness, rules, 3);
    static const char *const names[] = {"any", "news:local", "news:world"};
    for (int i = 0; i < 3; i++) {
        ck_assert_uint_eq(channels_options(&harness.channels, names[i]).history, (unsigned)i + 1);
        for (int message = 0; message < 5; message++)
            publish(&harness, names[i], PUBLICATION_TEXT, "x");
        ck_assert_uint_eq(query(&harness, names[i]).history, (unsigned)i + 1);
    }
    harness_stop(&harness);
}
END_TEST

START_TEST(new_channel_rules_apply_to_existing_channels) {
    struct harness harness;
    harness_start(&harness, 2, &silent_handler, NULL);
    struct channel_rule rule = {.pattern = "*", .options = usual_options()};
    struct guest one = guest_connect(&harness), other = guest_connect(&harness);
    ck_assert_int_eq(join_raw(&one, "a"), JOIN_DONE);
    publish(&harness, "a", PUBLICATION_TEXT, "x");
    ck_assert_uint_eq(query(&harness, "a").history, 0);
    rule.options.history = 10;
    rule.options.max_subscribers = 1;
    set_rules(&harness, &rule, 1);
    publish(&harness, "a", PUBLICATION_TEXT, "x");
    publish(&harness, "a", PUBLICATION_TEXT, "x");
    publish(&harness, "b", PUBLICATION_TEXT, "x");
    ck_assert_uint_eq(query(&harness, "a").history, 2);
    ck_assert_uint_eq(query(&harness, "a").offset, 3);
    ck_assert_int_eq(join_raw(&other, "a"), JOIN_SUBSCRIBERS_LIMIT);
    set_rules(&harness, NULL, 0);
    ck_assert_int_eq(join_raw(&other, "a"), JOIN_DONE);
    publish(&harness, "a", PUBLICATION_TEXT, "x");
    ck_assert_uint_eq(harness.channels.store.messages, 1); /* of b */
    run_expiry(&harness);
    UNTIL(!channel_exists(&harness, "b"));
    ck_assert(channel_exists(&harness, "a"));
    ck_assert_uint_eq(harness.channels.store.messages, 0);
    guest_leave(&one);
    guest_leave(&other);
    harness_stop(&harness);
}
END_TEST

/* A channel with history needs no subscriber until its messages are too old. */
START_TEST(channel_with_history_exists_without_subscribers) {
    struct harness harness;
    harness_start(&harness, 2, &silent_handler, NULL);
    struct channel_rule rules[] = {{.pattern = "old", .options = usual_options()},
                                   {.pattern = "kept", .options = usual_options()}};
    rules[0].options.history = rules[1].options.history = 10;
    rules[0].options.history_age_ms = 60000;
    set_rules(&harness, rules, 2);
    struct guest guest = guest_connect(&harness);
    for (int i = 0; i < 2; i++) {
        ck_assert_uint_eq(publish(&harness, rules[i].pattern, PUBLICATION_TEXT, "x").offset, 1);
        ck_assert_int_eq(join_raw(&guest, rules[i].pattern), JOIN_DONE);
        ck_assert(guest_unsubscribe(&guest, rules[i].pattern));
        ck_assert(channel_exists(&harness, rules[i].pattern));
    }
    ck_assert_uint_eq(publish(&harness, "kept", PUBLICATION_TEXT, "x").offset, 2);
    rules[0].options.history_age_ms = 1;
    set_rules(&harness, rules, 2);
    uint64_t then = pool_now();
    UNTIL(pool_now() > then + 1);
    run_expiry(&harness);
    UNTIL(count_channels(&harness) == 1);
    ck_assert_uint_eq(query(&harness, "kept").history, 2);
    ck_assert_uint_eq(harness.channels.store.messages, 2);
    guest_leave(&guest);
    harness_stop(&harness);
}
END_TEST

/* --- Who is there ------------------------------------------------------------------------------------------ */

/* As long as `joined_at` has three digits behind its point. */
static void expect_announcement(const struct guest *reader, const char *type, const struct guest *who) {
    char text[400], expected[200];
    int size = snprintf(expected, sizeof expected,
                        "{\"type\":\"%s\",\"channel\":\"a\",\"client\":{\"connection\":\"%llu\",\"user\":\"user\","
                        "\"joined_at\":",
                        type, (unsigned long long)weir_conn_id(who->conn));
    guest_receive(reader, text, sizeof text);
    ck_assert_mem_eq(text, expected, (size_t)size);
    ck_assert_uint_eq(strspn(text + size, "0123456789."), strlen(text + size) - 2);
    ck_assert_str_eq(text + strlen(text) - 2, "}}");
}

START_TEST(channel_announces_join_and_leave) {
    struct harness harness;
    harness_start(&harness, 2, &silent_handler, NULL);
    struct channel_rule rule = {.pattern = "a", .options = usual_options()};
    rule.options.announce = true;
    set_rules(&harness, &rule, 1);
    struct guest observer = guest_connect(&harness), raw = guest_connect(&harness), other = guest_connect(&harness);
    ck_assert_int_eq(guest_join(&observer, "a", FORM_WRAPPED), JOIN_DONE);
    ck_assert_int_eq(guest_join(&raw, "a", FORM_RAW), JOIN_DONE);
    ck_assert_int_eq(guest_join(&other, "a", FORM_WRAPPED), JOIN_DONE);
    expect_announcement(&observer, "join", &raw);
    expect_announcement(&observer, "join", &other);
    ck_assert(guest_unsubscribe(&raw, "a"));
    expect_announcement(&observer, "leave", &raw);
    expect_announcement(&other, "leave", &raw);
    ck_assert_int_eq(guest_join(&other, "a", FORM_WRAPPED), JOIN_ALREADY);
    guest_expect_nothing(&observer);
    guest_expect_nothing(&raw);
    client_close(other.client);
    expect_announcement(&observer, "leave", &other);
    rule.options.announce = false;
    set_rules(&harness, &rule, 1);
    ck_assert_int_eq(guest_join(&raw, "a", FORM_WRAPPED), JOIN_DONE);
    ck_assert(guest_unsubscribe(&raw, "a"));
    guest_expect_nothing(&observer);
    weir_conn_release(other.conn);
    guest_leave(&raw);
    guest_leave(&observer);
    harness_stop(&harness);
}
END_TEST

/* Each subscriber is listed once, up to the maximum asked for; the count is that of all. */
static void check_presence(struct harness *harness, const struct guest *guests, unsigned count, unsigned max) {
    struct json_writer writer = {0};
    char begin[40], connection[60];
    ck_assert_int_eq(channels_write_presence(&harness->channels, "a", max, &writer), 0);
    json_write(&writer, "", 1); /* its end */
    ck_assert(!writer.failed);
    const char *text = (const char *)writer.bytes;
    int size = snprintf(begin, sizeof begin, "\"count\":%u,\"clients\":[", count);
    ck_assert_mem_eq(text, begin, (size_t)size);
    ck_assert_int_eq(text[strlen(text) - 1], ']');
    unsigned listed = 0;
    for (unsigned i = 0; i < count; i++) {
        snprintf(connection, sizeof connection, "{\"connection\":\"%llu\",\"user\":\"user\",\"joined_at\":",
                 (unsigned long long)weir_conn_id(guests[i].conn));
        const char *first = strstr(text, connection);
        listed += first != NULL;
        ck_assert(first == NULL || strstr(first + 1, connection) == NULL);
    }
    ck_assert_uint_eq(listed, count < max ? count : max);
    json_writer_release(&writer);
}

START_TEST(presence_lists_subscribers_up_to_a_maximum) {
    enum { MANY = 20 };
    struct harness harness;
    struct guest guests[MANY];
    struct json_writer writer = {0};
    harness_start(&harness, 2, &silent_handler, NULL);
    ck_assert_int_eq(channels_write_presence(&harness.channels, "a", 1, &writer), -1);
    for (unsigned i = 0; i < MANY; i++) {
        guests[i] = guest_connect(&harness);
        ck_assert_int_eq(guest_join(&guests[i], "a", i % 2 == 0 ? FORM_RAW : FORM_WRAPPED), JOIN_DONE);
        for (unsigned max = 0; max < MANY + 2; max += 3)
            check_presence(&harness, guests, i + 1, max);
    }
    for (int i = 0; i < MANY; i++)
        guest_leave(&guests[i]);
    harness_stop(&harness);
}
END_TEST

/* --- Closing ----------------------------------------------------------------------------------------------- */

START_TEST(channel_close_disconnects_all_subscribers) {
    struct harness harness;
    harness_start(&harness, 2, &silent_handler, NULL);
    struct channel_rule rule = {.pattern = "a", .options = usual_options()};
    rule.options.history = 10;
    rule.options.announce = true;
    set_rules(&harness, &rule, 1);
    struct guest away[3], stays = guest_connect(&harness);
    ck_assert_int_eq(join_raw(&stays, "b"), JOIN_DONE);
    for (int i = 0; i < 3; i++) {
        away[i] = guest_connect(&harness);
        ck_assert_int_eq(join_raw(&away[i], "a"), JOIN_DONE);
        ck_assert_int_eq(join_raw(&away[i], "b"), JOIN_DONE);
    }
    publish(&harness, "a", PUBLICATION_TEXT, "x");
    struct channel_statistics before = query(&harness, "a");
    ck_assert_int_eq(channels_close(&harness.channels, "a"), 3);
    ck_assert_int_eq(channels_close(&harness.channels, "a"), -1);
    ck_assert(!channel_exists(&harness, "a"));
    ck_assert_uint_eq(harness.channels.store.messages, 0);
    ck_assert_int_eq(join_raw(&stays, "a"), JOIN_DONE); /* while the others are on their way out */
    ck_assert_uint_eq(publish(&harness, "a", PUBLICATION_TEXT, "y").offset, 1);
    ck_assert_str_ne(query(&harness, "a").epoch, before.epoch);
    for (int i = 0; i < 3; i++) {
        guest_expect_text(&away[i], "x");
        ck_assert_uint_eq(client_expect_close(away[i].client), 1001);
        weir_conn_release(away[i].conn);
    }
    guest_expect_text(&stays, "y");
    UNTIL(count_subscriptions(&harness) == 2);
    ck_assert_uint_eq(query(&harness, "a").subscribers, 1);
    guest_leave(&stays);
    harness_stop(&harness);
}
END_TEST

/* --- Looking ----------------------------------------------------------------------------------------------- */

enum { MANY_CHANNELS = 100 };

static void collect(const struct channel_statistics *statistics, void *arg) {
    unsigned *seen = arg;
    unsigned number = 0;
    ck_assert_int_eq(sscanf(statistics->name, "c%u", &number), 1);
    ck_assert_uint_lt(number, MANY_CHANNELS);
    ck_assert_uint_eq(statistics->offset, number % 3);
    ck_assert_uint_eq(statistics->history, number % 3);
    seen[number]++;
}

START_TEST(channels_each_visits_each_channel_once) {
    struct harness harness;
    harness_start(&harness, 2, &silent_handler, NULL);
    struct channel_rule rule = {.pattern = "*", .options = usual_options()};
    rule.options.history = 10;
    set_rules(&harness, &rule, 1);
    struct guest guest = guest_connect(&harness);
    unsigned expected = 0;
    for (unsigned i = 0; i < MANY_CHANNELS; i++) {
        char name[16];
        snprintf(name, sizeof name, "c%u", i);
        ck_assert_int_eq(join_raw(&guest, name), JOIN_DONE);
        for (unsigned message = 0; message < i % 3; message++)
            publish(&harness, name, PUBLICATION_TEXT, "x");
        ck_assert(guest_unsubscribe(&guest, name));
        expected += i % 3 > 0;
    }
    ck_assert_uint_eq(count_channels(&harness), expected);
    for (uint32_t portion = 1; portion <= MANY_CHANNELS + 1; portion += 10) {
        unsigned seen[MANY_CHANNELS] = {0}, met = 0;
        uint32_t position = 0, count;
        do {
            count = channels_each(&harness.channels, &position, portion, collect, seen);
            met += count;
            ck_assert_uint_le(count, portion);
        } while (count == portion);
        ck_assert_uint_eq(met, expected);
        for (unsigned i = 0; i < MANY_CHANNELS; i++)
            ck_assert_uint_eq(seen[i], i % 3 > 0);
    }
    guest_leave(&guest);
    harness_stop(&harness);
}
END_TEST

START_TEST(channel_history_can_be_read_in_pages) {
    struct harness harness;
    struct history_page past;
    harness_start(&harness, 2, &silent_handler, NULL);
    struct channel_rule rule = {.pattern = "*", .options = usual_options()};
    rule.options.history = 3;
    set_rules(&harness, &rule, 1);
    errno = ENOMEM;
    ck_assert_int_eq(channels_read_history(&harness.channels, "a", 0, 10, 1000, &past), -1);
    ck_assert_int_ne(errno, ENOMEM);
    for (int i = 0; i < 5; i++)
        publish(&harness, "a", PUBLICATION_JSON, "7");
    ck_assert_int_eq(channels_read_history(&harness.channels, "a", 2, 2, 1000, &past), 0);
    ck_assert_str_eq(past.epoch, query(&harness, "a").epoch);
    ck_assert_uint_eq(past.offset, 5);
    ck_assert(past.complete);
    ck_assert(past.more);
    ck_assert_uint_eq(past.count, 2);
    static const char expected[] = "{\"type\":\"message\",\"channel\":\"a\",\"offset\":3,\"data\":7}";
    ck_assert_uint_eq(message_payload_size(past.messages[0]), sizeof expected - 1);
    ck_assert_mem_eq(message_payload(past.messages[0]), expected, sizeof expected - 1);
    history_page_release(&past);
    ck_assert_int_eq(channels_read_history(&harness.channels, "a", 1, 10, 1000, &past), 0);
    ck_assert(!past.complete);
    ck_assert(!past.more);
    ck_assert_uint_eq(past.count, 3);
    history_page_release(&past);
    harness_stop(&harness);
}
END_TEST

Suite *channels_suite(void) {
    Suite *suite = suite_create("channels");
    TCase *tcase = tcase_create("channels");
    tcase_add_test(tcase, channel_delivers_every_form_in_order);
    tcase_add_test(tcase, publish_reaches_only_its_channel);
    tcase_add_test(tcase, publish_names_or_skips_the_publisher);
    tcase_add_test(tcase, publish_reports_receivers_offset_and_epoch);
    tcase_add_test(tcase, recreated_channel_has_a_new_epoch);
    tcase_add_test(tcase, subscriber_that_left_receives_nothing_more);
    tcase_add_test(tcase, ended_connection_has_left_its_channels);
    tcase_add_test(tcase, channel_limits_refuse_without_side_effects);
    tcase_add_test(tcase, channel_options_come_from_the_most_specific_rule);
    tcase_add_test(tcase, new_channel_rules_apply_to_existing_channels);
    tcase_add_test(tcase, channel_with_history_exists_without_subscribers);
    tcase_add_test(tcase, channel_announces_join_and_leave);
    tcase_add_test(tcase, presence_lists_subscribers_up_to_a_maximum);
    tcase_add_test(tcase, channel_close_disconnects_all_subscribers);
    tcase_add_test(tcase, channels_each_visits_each_channel_once);
    tcase_add_test(tcase, channel_history_can_be_read_in_pages);
    suite_add_tcase(suite, tcase);
    return suite;
}
