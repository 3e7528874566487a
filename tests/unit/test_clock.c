/* test_clock.c - the units of the monotonic clock agree, and it never goes back.
 *
 * SPDX-License-Identifier: MIT
 */
#include <check.h>

#include "base/clock.h"
#include "tests/unit/suites.h"

START_TEST(clock_units_agree_and_never_go_back) {
    uint64_t ms = clock_ms(), us = clock_us(), ns = clock_ns(), us_after = clock_us(), ms_after = clock_ms();
    ck_assert_uint_le(ms, us / 1000);
    ck_assert_uint_le(us, ns / 1000);
    ck_assert_uint_le(ns / 1000, us_after);
    ck_assert_uint_le(us_after / 1000, ms_after);
}

Suite *clock_suite(void) {
    Suite *suite = suite_create("clock");
    TCase *tcase = tcase_create("clock");
    tcase_add_test(tcase, clock_units_agree_and_never_go_back);
    suite_add_tcase(suite, tcase);
    return suite;
}
