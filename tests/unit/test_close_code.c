/* test_close_code.c - which codes may be sent; the payload of a Close.
 *
 * SPDX-License-Identifier: MIT
 */
#include <check.h>
#include <string.h>

#include "base/utf8.h"
#include "tests/unit/suites.h"
#include "ws/close_code.h"
#include "ws/decoder.h"

/* Ranges of codes, in order and without a gap. */
static const struct {
    unsigned first, last;
    bool sendable;
} ranges[] = {
    {0, 999, false},     {1000, 1003, true}, {1004, 1006, false},  {1007, 1014, true},
    {1015, 2999, false}, {3000, 4999, true}, {5000, 70000, false},
};

START_TEST(close_code_is_sendable_in_listed_ranges_only) {
    for (unsigned code = ranges[_i].first; code <= ranges[_i].last; code++)
        ck_assert_msg(close_code_sendable(code) == ranges[_i].sendable, "%u", code);
}
END_TEST

START_TEST(close_payload_has_code_and_reason) {
    uint8_t payload[CONTROL_PAYLOAD_MAX];
    ck_assert_uint_eq(close_payload(payload, 1000, NULL, 0), 2);
    ck_assert_mem_eq(payload, "\x03\xe8", 2);
    ck_assert_uint_eq(close_payload(payload, 4040, "no route", 8), 10);
    ck_assert_mem_eq(payload, "\x0f\xc8no route", 10);
    ck_assert_uint_eq(close_payload(payload, CLOSE_NONE, "ignored", 7), 0);
}
END_TEST

/* The cut falls on every byte of characters of every size. */
START_TEST(close_payload_cuts_long_reasons_between_characters) {
    static const char *const characters[] = {"a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x9a\xaa"};
    size_t character_size = strlen(characters[_i]);
    for (size_t shift = 0; shift < 4; shift++) {
        char reason[200] = "aaaa";
        size_t size = shift;
        for (; size < CLOSE_REASON_MAX + 20; size += character_size)
            memcpy(reason + size, characters[_i], character_size);
        uint8_t payload[CONTROL_PAYLOAD_MAX];
        size_t payload_size = close_payload(payload, 1001, reason, size);
        ck_assert_uint_le(payload_size, CONTROL_PAYLOAD_MAX);
        ck_assert_uint_gt(payload_size + character_size, CONTROL_PAYLOAD_MAX);
        ck_assert_mem_eq(payload + 2, reason, payload_size - 2);
        ck_assert(utf8_valid(payload + 2, payload_size - 2));
    }
}
END_TEST

START_TEST(close_payload_keeps_the_longest_reason) {
    char reason[CLOSE_REASON_MAX];
    uint8_t payload[CONTROL_PAYLOAD_MAX];
    memset(reason, 'r', sizeof reason);
    ck_assert_uint_eq(close_payload(payload, 3000, reason, sizeof reason), CONTROL_PAYLOAD_MAX);
    ck_assert_mem_eq(payload + 2, reason, sizeof reason);
}
END_TEST

Suite *close_code_suite(void) {
    Suite *suite = suite_create("close_code");
    TCase *tcase = tcase_create("close_code");
    tcase_add_loop_test(tcase, close_code_is_sendable_in_listed_ranges_only, 0, sizeof ranges / sizeof *ranges);
    tcase_add_test(tcase, close_payload_has_code_and_reason);
    tcase_add_loop_test(tcase, close_payload_cuts_long_reasons_between_characters, 0, 4);
    tcase_add_test(tcase, close_payload_keeps_the_longest_reason);
    suite_add_tcase(suite, tcase);
    return suite;
}
