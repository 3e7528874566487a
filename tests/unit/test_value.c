/* test_value.c - the types of configuration values, and the parts of their errors.
 *
 * SPDX-License-Identifier: MIT
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/config/value.h"
#include "tests/unit/suites.h"

/* What a text is as a duration, a size, a number; NOT where it is none. `printed` is what the duration or size is
 * printed as, where it is one. */
#define NOT    UINT64_MAX
#define NUMBER INT64_MAX

static const struct {
    const char *text;
    uint64_t duration, size, integer;
    const char *printed;
} quantities[] = {
    {"0", 0, 0, 0, "0"},
    {"500ms", 500, NOT, NOT, "500ms"},
    {"1500ms", 1500, NOT, NOT, "1500ms"},
    {"20s", 20000, NOT, NOT, "20s"},
    {"60s", 60000, NOT, NOT, "1m"},
    {"90m", 5400000, NOT, NOT, "90m"},
    {"2h", 7200000, NOT, NOT, "2h"},
    {"0s", 0, NOT, NOT, "0"},
    {"8", NOT, 8, 8, "8"},
    {"007", NOT, 7, 7, "7"},
    {"1025", NOT, 1025, 1025, "1025"},
    {"2048", NOT, 2048, 2048, "2KiB"},
    {"64KiB", NOT, 65536, NOT, "64KiB"},
    {"1MiB", NOT, 1048576, NOT, "1MiB"},
    {"3GiB", NOT, 3221225472, NOT, "3GiB"},
    {"9223372036854775807", NOT, NUMBER, NUMBER, "9223372036854775807"},
    {"9223372036854775808", NOT, NOT, NOT, NULL},
    {"18446744073709551616", NOT, NOT, NOT, NULL},
    {"99999999999999999999999999s", NOT, NOT, NOT, NULL},
    {"9223372036854775807ms", NUMBER, NOT, NOT, "9223372036854775807ms"},
    {"9223372036854775807s", NOT, NOT, NOT, NULL},
    {"8589934592GiB", NOT, NOT, NOT, NULL},
    {"", NOT, NOT, NOT, NULL},
    {"s", NOT, NOT, NOT, NULL},
    {"-1", NOT, NOT, NOT, NULL},
    {"+1", NOT, NOT, NOT, NULL},
    {"1.5s", NOT, NOT, NOT, NULL},
    {"20 s", NOT, NOT, NOT, NULL},
    {" 20s", NOT, NOT, NOT, NULL},
    {"20s ", NOT, NOT, NOT, NULL},
    {"20S", NOT, NOT, NOT, NULL},
    {"20sec", NOT, NOT, NOT, NULL},
    {"1MB", NOT, NOT, NOT, NULL},
    {"1mib", NOT, NOT, NOT, NULL},
    {"0x10", NOT, NOT, NOT, NULL},
};

/* A parser that fails does not touch its result. */
static void expect_number(const char *text, const char *error, uint64_t expected, uint64_t number) {
    ck_assert_msg((error == NULL) == (expected != NOT), "\"%s\": %s", text, error);
    ck_assert_msg(number == expected, "\"%s\"", text);
}

START_TEST(value_reads_numbers_with_and_without_units) {
    const char *text = quantities[_i].text;
    uint64_t duration = NOT, size = NOT, integer = NOT;
    const char *error = value_duration(text, &duration);
    expect_number(text, error, quantities[_i].duration, duration);
    error = value_size(text, &size);
    expect_number(text, error, quantities[_i].size, size);
    error = value_integer(text, &integer);
    expect_number(text, error, quantities[_i].integer, integer);
}
END_TEST

START_TEST(value_printed_reads_back) {
    char text[32];
    uint64_t back = NOT;
    if (quantities[_i].duration != NOT) {
        value_print_duration(quantities[_i].duration, text);
        ck_assert_str_eq(text, quantities[_i].printed);
        ck_assert_ptr_null(value_duration(text, &back));
        ck_assert_uint_eq(back, quantities[_i].duration);
    }
    if (quantities[_i].size != NOT) {
        value_print_size(quantities[_i].size, text);
        ck_assert_str_eq(text, quantities[_i].printed);
        ck_assert_ptr_null(value_size(text, &back));
        ck_assert_uint_eq(back, quantities[_i].size);
    }
}
END_TEST

START_TEST(value_errors_say_what_would_be_right) {
    uint64_t number;
    bool truth;
    ck_assert_str_eq(value_duration("20 sec", &number), "is not a duration; write it like 500ms, 20s or 5m");
    ck_assert_str_eq(value_size("1MB", &number), "is not a size; write it like 512, 64KiB or 1MiB");
    ck_assert_str_eq(value_integer("many", &number), "is not a number; write it in digits, like 8");
    ck_assert_str_eq(value_integer("99999999999999999999", &number), "is too large");
    ck_assert_str_eq(value_boolean("maybe", &truth), "is neither yes nor no");
}
END_TEST

START_TEST(value_boolean_takes_yes_no_and_synonyms) {
    static const char *const yes[] = {"yes", "true", "on"}, *const no[] = {"no", "false", "off"};
    static const char *const neither[] = {"", "Yes", "1", "yes ", "y"};
    bool truth = false;
    for (int i = 0; i < COUNT(yes); i++, truth = false)
        ck_assert(value_boolean(yes[i], &truth) == NULL && truth);
    truth = true;
    for (int i = 0; i < COUNT(no); i++, truth = true)
        ck_assert(value_boolean(no[i], &truth) == NULL && !truth);
    for (int i = 0; i < COUNT(neither); i++)
        ck_assert_ptr_nonnull(value_boolean(neither[i], &truth));
}
END_TEST

/* NULL as the second: no address. */
static const char *const addresses[][2] = {
    {"9000", "0.0.0.0:9000"},
    {"0", "0.0.0.0:0"},
    {"09000", "0.0.0.0:9000"},
    {"127.0.0.1:65535", "127.0.0.1:65535"},
    {"[::1]:9000", "[::1]:9000"},
    {"[::]:0", "[::]:0"},
    {"[0:0:0:0:0:0:0:1]:80", "[::1]:80"},
    {"[2001:DB8::1]:80", "[2001:db8::1]:80"},
    {"[::ffff:192.0.2.7]:80", "[::ffff:192.0.2.7]:80"},
    {"", NULL},
    {":", NULL},
    {":9000", NULL},
    {"127.0.0.1", NULL},
    {"127.0.0.1:", NULL},
    {"127.0.0.1:x", NULL},
    {"127.0.0.1:80x", NULL},
    {"127.0.0.1:-1", NULL},
    {"127.0.0.1:65536", NULL},
    {"127.0.0.1:18446744073709551696", NULL},
    {"127.0.0.1 :80", NULL},
    {"127.0.0:80", NULL},
    {"127.0.0.256:80", NULL},
    {"::1:80", NULL},
    {"::1", NULL},
    {"[::1]", NULL},
    {"[::1]80", NULL},
    {"[]:80", NULL},
    {"[:80", NULL},
    {"[127.0.0.1]:80", NULL},
    {"[fe80::1%eth0]:80", NULL},
    {"[1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc]:80", NULL},
    {"localhost:80", NULL},
    {"*:80", NULL},
};

START_TEST(value_address_is_made_canonical) {
    char address[VALUE_ADDRESS_SIZE] = "untouched";
    const char *error = value_address(addresses[_i][0], address);
    ck_assert_msg((error == NULL) == (addresses[_i][1] != NULL), "%s: %s", addresses[_i][0], error);
    ck_assert_str_eq(address, error == NULL ? addresses[_i][1] : "untouched");
}
END_TEST

START_TEST(value_list_splits_at_commas) {
    char **list = NULL;
    ck_assert_ptr_null(value_list("a", &list));
    ck_assert_str_eq(list[0], "a");
    ck_assert_ptr_null(list[1]);
    value_list_free(list);

    ck_assert_ptr_null(value_list(" a b ,\tc,d ", &list));
    ck_assert_str_eq(list[0], "a b");
    ck_assert_str_eq(list[1], "c");
    ck_assert_str_eq(list[2], "d");
    ck_assert_ptr_null(list[3]);
    value_list_free(list);
    value_list_free(NULL);
}
END_TEST

START_TEST(value_list_refuses_empty_items) {
    static const char *const wrong[] = {"", " ", ",", "a,", ",a", "a,,b", "a, ,b"};
    for (int i = 0; i < COUNT(wrong); i++) {
        char **list = NULL;
        ck_assert_str_eq(value_list(wrong[i], &list), "has an empty item; write it like a, b, c");
        ck_assert_ptr_null(list);
    }
}
END_TEST

START_TEST(value_nearest_finds_the_misspelt_name) {
    static const char *const names[] = {"ping_interval", "ping_timeout", "workers", "level", NULL};
    static const char *const none[] = {NULL};
    static const char *const slips[][2] = {
        {"worker", "workers"},         {"wrokers", "workers"}, {"WORKERS", "workers"},
        {"ping_time", "ping_timeout"}, {"levle", "level"},     {"ping-timeout", "ping_timeout"},
        {"workers", "workers"},
    };
    for (int i = 0; i < COUNT(slips); i++)
        ck_assert_pstr_eq(value_nearest(slips[i][0], names), slips[i][1]);
    ck_assert_ptr_null(value_nearest("compression", names));
    ck_assert_ptr_null(value_nearest("", names));
    ck_assert_ptr_null(value_nearest("workers", none));
    char longer[5000];
    memset(longer, 'w', sizeof longer);
    longer[sizeof longer - 1] = '\0';
    ck_assert_ptr_null(value_nearest(longer, names));
}
END_TEST

START_TEST(value_refuses_control_characters_and_invalid_utf8) {
    ck_assert_ptr_null(value_text_error("", 0));
    ck_assert_ptr_null(value_text_error("a\tb caf\xc3\xa9", 9));
    ck_assert_str_eq(value_text_error("a\0b", 3), "contains a control character");
    ck_assert_str_eq(value_text_error("a\nb", 3), "contains a control character");
    ck_assert_str_eq(value_text_error("\x1b[2J", 4), "contains a control character");
    ck_assert_str_eq(value_text_error("\x7f", 1), "contains a control character");
    ck_assert_str_eq(value_text_error("caf\xe9", 4), "is not UTF-8 text");
}
END_TEST

START_TEST(value_quote_cuts_between_characters) {
    char quoted[VALUE_QUOTED_SIZE], text[80], expected[100];
    ck_assert_str_eq(value_quote("", quoted), "\"\"");
    ck_assert_str_eq(value_quote("20 sec", quoted), "\"20 sec\"");
    memset(text, 'x', sizeof text);
    text[60] = '\0';
    snprintf(expected, sizeof expected, "\"%s\"", text);
    ck_assert_str_eq(value_quote(text, quoted), expected);
    memcpy(text + 59, "\xc3\xa9", 3);
    snprintf(expected, sizeof expected, "\"%.59s...\"", text);
    ck_assert_str_eq(value_quote(text, quoted), expected);
}
END_TEST

static const struct {
    const char *text;
    bool right;
} origins[] = {
    {"same-host", true},
    {"*", true},
    {"null", true},
    {"https://*.example.com:8443", true},
    {"file://", true},
    {"app://x", true},
    {"\"device\"", true},
    {"\"a b;c\"", true},
    {"example.com", false},
    {"same-hots", false},
    {"none", false},
    {"https://", false},
    {"://x", false},
    {"https://a/b", false},
    {"\"", false},
    {"\"\"", false},
    {"\"a", false},
    {"\"a\"b\"", false},
    {"a\"b\"", false},
    {"\"\x7f\"", false},
    {"", false},
};

START_TEST(value_origin_accepts_valid_origins) {
    ck_assert_msg((value_origin(origins[_i].text) == NULL) == origins[_i].right, "%s", origins[_i].text);
}
END_TEST

Suite *value_suite(void) {
    Suite *suite = suite_create("value");
    TCase *numbers = tcase_create("numbers");
    tcase_add_loop_test(numbers, value_reads_numbers_with_and_without_units, 0, COUNT(quantities));
    tcase_add_loop_test(numbers, value_printed_reads_back, 0, COUNT(quantities));
    tcase_add_test(numbers, value_errors_say_what_would_be_right);
    suite_add_tcase(suite, numbers);
    TCase *texts = tcase_create("texts");
    tcase_add_test(texts, value_boolean_takes_yes_no_and_synonyms);
    tcase_add_loop_test(texts, value_address_is_made_canonical, 0, COUNT(addresses));
    tcase_add_test(texts, value_list_splits_at_commas);
    tcase_add_test(texts, value_list_refuses_empty_items);
    tcase_add_loop_test(texts, value_origin_accepts_valid_origins, 0, COUNT(origins));
    suite_add_tcase(suite, texts);
    TCase *errors = tcase_create("errors");
    tcase_add_test(errors, value_nearest_finds_the_misspelt_name);
    tcase_add_test(errors, value_refuses_control_characters_and_invalid_utf8);
    tcase_add_test(errors, value_quote_cuts_between_characters);
    suite_add_tcase(suite, errors);
    return suite;
}
