/* test_timers.c - the set of deadlines, against a sorted array.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>

#include "pool/timers.h"
#include "tests/unit/suites.h"

START_TEST(timers_expire_in_order) {
    struct timers timers = {0};
    struct timer late = {0}, early = {0}, middle = {0};
    ck_assert_uint_eq(timers_next(&timers), UINT64_MAX);
    ck_assert_int_eq(timers_set(&timers, &late, 30), 0);
    ck_assert_int_eq(timers_set(&timers, &early, 10), 0);
    ck_assert_int_eq(timers_set(&timers, &middle, 20), 0);
    ck_assert_uint_eq(timers_next(&timers), 10);
    ck_assert_ptr_null(timers_expire(&timers, 9));
    ck_assert_ptr_eq(timers_expire(&timers, 25), &early);
    ck_assert_ptr_eq(timers_expire(&timers, 25), &middle);
    ck_assert_ptr_null(timers_expire(&timers, 25));
    ck_assert_ptr_eq(timers_expire(&timers, UINT64_MAX), &late);
    ck_assert_uint_eq(timers_next(&timers), UINT64_MAX);
    timers_release(&timers);
}
END_TEST

START_TEST(timers_can_be_moved_and_cancelled) {
    struct timers timers = {0};
    struct timer a = {0}, b = {0};
    timers_set(&timers, &a, 10);
    timers_set(&timers, &b, 20);
    timers_set(&timers, &a, 30);
    ck_assert_uint_eq(timers_next(&timers), 20);
    timers_set(&timers, &a, 5);
    ck_assert_uint_eq(timers_next(&timers), 5);
    ck_assert(timers_cancel(&timers, &a));
    ck_assert(!timers_cancel(&timers, &a));
    ck_assert_ptr_eq(timers_expire(&timers, 20), &b);
    ck_assert(!timers_cancel(&timers, &b));
    timers_release(&timers);
}
END_TEST

enum { MANY = 500 };

static size_t count_due(const struct timer *timers, uint64_t now) {
    size_t count = 0;
    for (int i = 0; i < MANY; i++)
        count += timers[i].place != TIMERS_NONE && timers[i].deadline <= now;
    return count;
}

/* Random sets, moves, cancels and expiries: an expired timer is due and the earliest one, and none that is due
 * remains. */
START_TEST(timers_agree_with_a_plain_search) {
    struct timers timers = {0};
    struct timer many[MANY] = {0};
    srand(1);
    for (uint64_t now = 0; now < 3000; now++) {
        struct timer *timer = &many[rand() % MANY];
        if (rand() % 4 == 0)
            timers_cancel(&timers, timer);
        else
            ck_assert_int_eq(timers_set(&timers, timer, now + (uint64_t)rand() % 100), 0);
        size_t due = count_due(many, now);
        uint64_t last = 0;
        for (struct timer *expired; (expired = timers_expire(&timers, now)) != NULL; due--) {
            ck_assert_uint_le(expired->deadline, now);
            ck_assert_uint_ge(expired->deadline, last);
            last = expired->deadline;
        }
        ck_assert_uint_eq(due, 0);
    }
    timers_release(&timers);
}
END_TEST

Suite *timers_suite(void) {
    Suite *suite = suite_create("timers");
    TCase *tcase = tcase_create("timers");
    tcase_add_test(tcase, timers_expire_in_order);
    tcase_add_test(tcase, timers_can_be_moved_and_cancelled);
    tcase_add_test(tcase, timers_agree_with_a_plain_search);
    suite_add_tcase(suite, tcase);
    return suite;
}
