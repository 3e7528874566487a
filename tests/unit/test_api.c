/* test_api.c - what the whole public API shares: status texts and the version.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>

#include <weir/weir.h>

#include "tests/unit/assertions.h"
#include "tests/unit/suites.h"

START_TEST(each_status_has_a_text_of_its_own) {
    for (int a = WEIR_FAILED; a <= WEIR_OK; a++) {
        ck_assert_str_ne(weir_status_text((enum weir_status)a), "unknown status");
        for (int b = WEIR_FAILED; b < a; b++)
            ck_assert_str_ne(weir_status_text((enum weir_status)a), weir_status_text((enum weir_status)b));
    }
}
END_TEST

START_TEST(other_numbers_have_a_text_too) {
    ck_assert_str_eq(weir_status_text((enum weir_status)1), "unknown status");
    ck_assert_str_eq(weir_status_text((enum weir_status)(WEIR_FAILED - 1)), "unknown status");
}
END_TEST

START_TEST(versions_agree) {
    char numbers[32];
    snprintf(numbers, sizeof numbers, "%d.%d.%d", WEIR_VERSION_MAJOR, WEIR_VERSION_MINOR, WEIR_VERSION_PATCH);
    ck_assert_str_eq(WEIR_VERSION, numbers);
    ck_assert_str_eq(weir_version(), WEIR_VERSION);
}
END_TEST

Suite *api_suite(void) {
    Suite *suite = suite_create("api");
    TCase *test = tcase_create("api");
    tcase_add_test(test, each_status_has_a_text_of_its_own);
    tcase_add_test(test, other_numbers_have_a_text_too);
    tcase_add_test(test, versions_agree);
    suite_add_tcase(suite, test);
    return suite;
}
