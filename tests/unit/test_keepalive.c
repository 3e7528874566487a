/* test_keepalive.c - what is due at a given time: decided from the settings and the state, without waiting.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/core/keepalive.h"
#include "tests/unit/suites.h"

enum { NOW = 1000000, INTERVAL = 20000, PATIENCE = 5000, IDLE = 60000, SENDING = 30000 };

static const struct settings all = {
    .ping_interval_ms = INTERVAL, .ping_timeout_ms = PATIENCE, .idle_timeout_ms = IDLE, .send_timeout_ms = SENDING};
static const struct settings none = {.ping_timeout_ms = PATIENCE};

/* A client that has just opened. */
static const struct keepalive fresh = {.ping_due_at = NOW + INTERVAL, .message_at = NOW};

static enum keepalive_due due(struct keepalive state, uint64_t now) {
    return keepalive_due(&state, &all, now);
}

START_TEST(keepalive_pings_at_the_interval) {
    ck_assert_int_eq(due(fresh, NOW), KEEPALIVE_NOTHING);
    ck_assert_int_eq(due(fresh, NOW + INTERVAL - 1), KEEPALIVE_NOTHING);
    ck_assert_int_eq(due(fresh, NOW + INTERVAL), KEEPALIVE_PING);
}
END_TEST

START_TEST(keepalive_awaits_the_pong_for_ping_timeout) {
    struct keepalive pinged = fresh;
    pinged.pinged_at = NOW + INTERVAL;
    pinged.ping_due_at = NOW + 2 * INTERVAL;
    ck_assert_int_eq(due(pinged, NOW + INTERVAL), KEEPALIVE_NOTHING);
    ck_assert_int_eq(due(pinged, NOW + INTERVAL + PATIENCE - 1), KEEPALIVE_NOTHING);
    ck_assert_int_eq(due(pinged, NOW + INTERVAL + PATIENCE), KEEPALIVE_PING_TIMEOUT);
    pinged.pinged_at = KEEPALIVE_NEVER; /* something has come */
    ck_assert_int_eq(due(pinged, NOW + INTERVAL + PATIENCE), KEEPALIVE_NOTHING);
    ck_assert_int_eq(due(pinged, NOW + 2 * INTERVAL), KEEPALIVE_PING);
}
END_TEST

START_TEST(keepalive_sends_no_second_ping_while_one_waits) {
    struct keepalive pinged = fresh;
    struct settings patient = all;
    pinged.pinged_at = NOW;
    patient.ping_timeout_ms = 3 * INTERVAL;
    patient.idle_timeout_ms = 0;
    ck_assert_int_eq(keepalive_due(&pinged, &patient, NOW + 2 * INTERVAL), KEEPALIVE_NOTHING);
    ck_assert_int_eq(keepalive_due(&pinged, &patient, NOW + 3 * INTERVAL), KEEPALIVE_PING_TIMEOUT);
}
END_TEST

START_TEST(keepalive_ends_an_idle_client) {
    struct keepalive idle = fresh;
    idle.ping_due_at = NOW + 2 * IDLE;
    ck_assert_int_eq(due(idle, NOW + IDLE - 1), KEEPALIVE_NOTHING);
    ck_assert_int_eq(due(idle, NOW + IDLE), KEEPALIVE_IDLE);
    idle.message_at = NOW + 1;
    ck_assert_int_eq(due(idle, NOW + IDLE), KEEPALIVE_NOTHING);
}
END_TEST

START_TEST(keepalive_ends_a_client_that_takes_nothing) {
    struct keepalive stuck = fresh;
    stuck.stuck_at = stuck.message_at = NOW;
    stuck.ping_due_at = NOW + 2 * SENDING;
    ck_assert_int_eq(due(stuck, NOW + SENDING - 1), KEEPALIVE_NOTHING);
    ck_assert_int_eq(due(stuck, NOW + SENDING), KEEPALIVE_SEND_TIMEOUT);
    stuck.pinged_at = NOW; /* the more urgent comes first */
    ck_assert_int_eq(due(stuck, NOW + SENDING), KEEPALIVE_SEND_TIMEOUT);
    ck_assert(keepalive_is_stuck(&stuck, PATIENCE, NOW + PATIENCE));
    ck_assert(!keepalive_is_stuck(&stuck, PATIENCE, NOW + PATIENCE - 1));
    ck_assert(!keepalive_is_stuck(&stuck, 0, NOW + SENDING));
    ck_assert(!keepalive_is_stuck(&fresh, PATIENCE, NOW + SENDING));
}
END_TEST

START_TEST(keepalive_without_timeouts_does_nothing) {
    const uint64_t later = NOW + UINT64_C(100) * 24 * 3600 * 1000;
    struct keepalive state = fresh;
    state.stuck_at = NOW;
    ck_assert_int_eq(keepalive_due(&state, &none, later), KEEPALIVE_NOTHING);
    ck_assert_uint_eq(keepalive_next(&state, &none, later), UINT64_MAX);
}
END_TEST

START_TEST(keepalive_looks_again_at_the_next_deadline) {
    struct keepalive state = fresh;
    ck_assert_uint_eq(keepalive_next(&state, &all, NOW), NOW + INTERVAL);
    state.pinged_at = NOW;
    ck_assert_uint_eq(keepalive_next(&state, &all, NOW), NOW + PATIENCE);
    state.pinged_at = KEEPALIVE_NEVER;
    state.ping_due_at = NOW + 2 * IDLE;
    ck_assert_uint_eq(keepalive_next(&state, &all, NOW), NOW + SENDING);
    state.stuck_at = NOW - 1;
    ck_assert_uint_eq(keepalive_next(&state, &all, NOW), NOW + SENDING - 1);
    state.throttled_until = NOW + 3;
    ck_assert_uint_eq(keepalive_next(&state, &all, NOW), NOW + 3);
    ck_assert_uint_eq(keepalive_next(&state, &none, NOW), NOW + 3);
    state.throttled_until = NOW;
    ck_assert_uint_eq(keepalive_next(&state, &none, NOW), UINT64_MAX);
}
END_TEST

/* Walks from deadline to deadline, as the timer does, and does what is due. */
START_TEST(keepalive_leaves_no_deadline_out) {
    struct keepalive state = fresh;
    uint64_t now = NOW, until = NOW + IDLE;
    unsigned pings = 0;
    for (enum keepalive_due what; (what = keepalive_due(&state, &all, now)) != KEEPALIVE_IDLE;) {
        ck_assert(what == KEEPALIVE_NOTHING || what == KEEPALIVE_PING);
        if (what == KEEPALIVE_PING) {
            state.ping_due_at = now + INTERVAL; /* answered at once */
            pings++;
            continue;
        }
        uint64_t next = keepalive_next(&state, &all, now);
        ck_assert_uint_gt(next, now);
        ck_assert_uint_le(next, until);
        now = next;
    }
    ck_assert_uint_eq(now, until);
    ck_assert_uint_eq(pings, IDLE / INTERVAL);
}
END_TEST

Suite *keepalive_suite(void) {
    Suite *suite = suite_create("keepalive");
    TCase *tcase = tcase_create("keepalive");
    tcase_add_test(tcase, keepalive_pings_at_the_interval);
    tcase_add_test(tcase, keepalive_awaits_the_pong_for_ping_timeout);
    tcase_add_test(tcase, keepalive_sends_no_second_ping_while_one_waits);
    tcase_add_test(tcase, keepalive_ends_an_idle_client);
    tcase_add_test(tcase, keepalive_ends_a_client_that_takes_nothing);
    tcase_add_test(tcase, keepalive_without_timeouts_does_nothing);
    tcase_add_test(tcase, keepalive_looks_again_at_the_next_deadline);
    tcase_add_test(tcase, keepalive_leaves_no_deadline_out);
    suite_add_tcase(suite, tcase);
    return suite;
}
