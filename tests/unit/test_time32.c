/* test_time32.c - moments in four bytes, over the end of what these can count.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/time32.h"
#include "tests/unit/suites.h"

#define HOUR UINT64_C(3600000)
#define DAY  (24 * HOUR)
#define TURN (UINT64_C(1) << 32)

/* Around the beginning of the clock, the middle of a turn, and the end of the first and of a later one. */
static const uint64_t moments[] = {1,        5000,     TURN / 2 - 1, TURN / 2,     TURN - 2,
                                   TURN - 1, TURN + 1, TURN + 5000,  3 * TURN - 1, 3 * TURN + 1};
enum { MOMENTS = sizeof moments / sizeof *moments };

START_TEST(time32_means_its_moment) {
    const uint64_t moment = moments[_i], offsets[] = {0, 1, HOUR, DAY, 24 * DAY, 25 * DAY, 48 * DAY};
    for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++)
        ck_assert_uint_eq(time32_expand(time32_from(moment), moment + offsets[i]), moment);
    for (uint64_t ahead = 0; ahead <= 37 * HOUR && ahead < moment; ahead += HOUR)
        ck_assert_uint_eq(time32_expand(time32_from(moment), moment - ahead), moment);
}
END_TEST

START_TEST(time32_of_a_moment_is_never_none) {
    for (uint64_t turn = 1; turn < 4; turn++) {
        ck_assert_uint_ne(time32_from(turn * TURN), TIME32_NONE);
        ck_assert_uint_eq(time32_expand(time32_from(turn * TURN), turn * TURN), turn * TURN - 1);
    }
}
END_TEST

/* A timer is set to the moment itself, and fires once: who then asks must not be told to wait. */
START_TEST(time32_of_a_due_moment_is_due) {
    for (uint64_t turn = 1; turn < 4; turn++)
        for (uint64_t moment = turn * TURN - 3; moment < turn * TURN + 3; moment++)
            ck_assert_uint_le(time32_expand(time32_from(moment), moment), moment);
}
END_TEST

/* However old, a deadline that was reckoned from it comes. */
START_TEST(time32_that_is_too_old_is_never_far_ahead) {
    for (uint64_t age = 0; age < 3 * TURN; age += HOUR)
        ck_assert_uint_le(time32_expand(time32_from(moments[_i]), moments[_i] + age),
                          moments[_i] + age + 38 * HOUR);
}
END_TEST

Suite *time32_suite(void) {
    Suite *suite = suite_create("time32");
    TCase *tcase = tcase_create("time32");
    tcase_add_loop_test(tcase, time32_means_its_moment, 0, MOMENTS);
    tcase_add_test(tcase, time32_of_a_moment_is_never_none);
    tcase_add_test(tcase, time32_of_a_due_moment_is_due);
    tcase_add_loop_test(tcase, time32_that_is_too_old_is_never_far_ahead, 0, MOMENTS);
    suite_add_tcase(suite, tcase);
    return suite;
}
