/* test_connect_parts.c - `weir connect`: slash commands, quantities, names of close codes, pings.
 *
 * SPDX-License-Identifier: MIT
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/connect/closing.h"
#include "commands/connect/pings.h"
#include "commands/connect/quantity.h"
#include "commands/connect/slash.h"
#include "tests/unit/suites.h"

/* --- Slash commands ---------------------------------------------------------------------------------------- */

static const struct {
    const char *line;
    enum slash_kind kind;
    const char *data; /* NULL: does not matter */
    unsigned code;
} slashes[] = {
    {"", SLASH_MESSAGE, "", 0},
    {"hello", SLASH_MESSAGE, "hello", 0},
    {" /ping", SLASH_MESSAGE, " /ping", 0},
    {"//ping", SLASH_MESSAGE, "/ping", 0},
    {"///", SLASH_MESSAGE, "//", 0},
    {"/ping", SLASH_PING, "", 0},
    {"/ping  a b ", SLASH_PING, "a b ", 0},
    {"/binary", SLASH_BINARY, "", 0},
    {"/binary 61 62", SLASH_BINARY, "ab", 0},
    {"/binary 6", SLASH_WRONG, NULL, 0},
    {"/close", SLASH_CLOSE, "", 1000},
    {"/close 4999", SLASH_CLOSE, "", 4999},
    {"/close 1001 see you", SLASH_CLOSE, "see you", 1001},
    {"/close 1005", SLASH_WRONG, NULL, 0},
    {"/close 5000", SLASH_WRONG, NULL, 0},
    {"/close 10000", SLASH_WRONG, NULL, 0},
    {"/close 1000x", SLASH_WRONG, NULL, 0},
    {"/close bye", SLASH_WRONG, NULL, 0},
    {"/close 1000 \xff", SLASH_WRONG, NULL, 0},
    {"/help", SLASH_HELP, NULL, 0},
    {"/help me", SLASH_WRONG, NULL, 0},
    {"/", SLASH_WRONG, NULL, 0},
    {"/pin", SLASH_WRONG, NULL, 0},
    {"/pings", SLASH_WRONG, NULL, 0},
    {"/PING", SLASH_WRONG, NULL, 0},
};

START_TEST(slash_line_is_parsed_to_a_command) {
    char line[64];
    struct slash slash;
    strcpy(line, slashes[_i].line);
    slash_parse(line, strlen(line), &slash);
    ck_assert_msg(slash.kind == slashes[_i].kind, "%s", slashes[_i].line);
    ck_assert_msg((slash.kind == SLASH_WRONG) == (slash.wrong[0] != '\0'), "%s", slashes[_i].line);
    if (slashes[_i].data != NULL) {
        ck_assert_uint_eq(slash.size, strlen(slashes[_i].data));
        ck_assert_int_eq(memcmp(slash.data, slashes[_i].data, slash.size), 0);
    }
    if (slash.kind == SLASH_CLOSE)
        ck_assert_uint_eq(slash.code, slashes[_i].code);
}
END_TEST

/* A command followed by `rest` bytes: the largest allowed count and the one above it. */
static enum slash_kind parse_long(const char *command, size_t rest) {
    char line[256];
    struct slash slash;
    strcpy(line, command);
    memset(line + strlen(command), 'x', rest);
    line[strlen(command) + rest] = '\0';
    slash_parse(line, strlen(command) + rest, &slash);
    return slash.kind;
}

START_TEST(slash_command_payloads_are_limited) {
    ck_assert_int_eq(parse_long("/ping ", 125), SLASH_PING);
    ck_assert_int_eq(parse_long("/ping ", 126), SLASH_WRONG);
    ck_assert_int_eq(parse_long("/close 1000 ", 123), SLASH_CLOSE);
    ck_assert_int_eq(parse_long("/close 1000 ", 124), SLASH_WRONG);
    ck_assert_int_eq(parse_long("/nonsense", 200), SLASH_WRONG);
    ck_assert_int_eq(parse_long("//", 200), SLASH_MESSAGE);
}
END_TEST

/* --- Quantities -------------------------------------------------------------------------------------------- */

#define NOT UINT64_MAX

static const struct {
    const char *text;
    uint64_t milliseconds, bytes;
} quantities[] = {
    {"0", 0, NOT},
    {"2", 2000, 2},
    {"0.5", 500, NOT},
    {"0.0001", 1, NOT},
    {"10.25", 10250, NOT},
    {"31536000", 31536000000, 31536000},
    {"31536001", NOT, 31536001},
    {"64KiB", NOT, 65536},
    {"64K", NOT, 65536},
    {"1MiB", NOT, 1048576},
    {"1G", NOT, 1073741824},
    {"17179869183GiB", NOT, 18446744072635809792u},
    {"17179869184GiB", NOT, NOT},
    {"99999999999999999999", NOT, NOT},
    {"1MB", NOT, NOT},
    {"1k", NOT, NOT},
    {"1KiBs", NOT, NOT},
    {"K", NOT, NOT},
    {"", NOT, NOT},
    {"-1", NOT, NOT},
    {"+1", NOT, NOT},
    {" 1", NOT, NOT},
    {"1 ", NOT, NOT},
    {".5", NOT, NOT},
    {"1.", NOT, NOT},
    {"1.5.5", NOT, NOT},
    {"1e3", NOT, NOT},
    {"0x10", NOT, NOT},
    {"inf", NOT, NOT},
    {"nan", NOT, NOT},
};

START_TEST(quantity_parses_seconds_and_sizes) {
    const char *text = quantities[_i].text;
    uint64_t milliseconds = NOT;
    size_t bytes = SIZE_MAX;
    ck_assert_msg(quantity_seconds(text, &milliseconds) == (quantities[_i].milliseconds != NOT), "\"%s\"", text);
    ck_assert_msg(milliseconds == quantities[_i].milliseconds, "\"%s\"", text);
    ck_assert_msg(quantity_size(text, &bytes) == (quantities[_i].bytes != NOT), "\"%s\"", text);
    ck_assert_msg(bytes == quantities[_i].bytes, "\"%s\"", text);
}
END_TEST

/* --- Ends -------------------------------------------------------------------------------------------------- */

static const struct {
    unsigned code;
    const char *reason, *printed;
    bool clean;
} ends[] = {
    {1000, "", "1000 (OK)", true},
    {1000, "bye", "1000 (OK) bye", true},
    {1001, "", "1001 (going away)", true},
    {1002, "", "1002 (protocol error)", false},
    {1004, "", "1004 (unknown)", false},
    {1005, "", "1005 (no status received [internal])", true},
    {1006, "", "1006 (abnormal closure [internal])", false},
    {1013, "too slow\x1b", "1013 (try again later) too slow\\x1b", false},
    {3000, "", "3000 (registered)", false},
    {4999, "", "4999 (private use)", false},
    {5000, "", "5000 (unknown)", false},
};

START_TEST(closing_is_printed_with_its_name) {
    char text[100] = "";
    FILE *out = fmemopen(text, sizeof text, "w");
    closing_print(out, ends[_i].code, ends[_i].reason);
    fclose(out);
    ck_assert_str_eq(text, ends[_i].printed);
    ck_assert(closing_is_clean(ends[_i].code) == ends[_i].clean);
}
END_TEST

/* --- Pings ------------------------------------------------------------------------------------------------- */

START_TEST(pong_is_matched_with_its_ping) {
    struct pings pings;
    uint64_t took = 0;
    pings_init(&pings);
    ck_assert(!pings_answered(&pings, "a", 1, 5, &took));
    pings_sent(&pings, "a", 1, 10);
    pings_sent(&pings, "", 0, 20);
    pings_sent(&pings, "b", 1, 30);
    pings_sent(&pings, "a", 1, 40);
    ck_assert(!pings_answered(&pings, "c", 1, 50, &took));
    ck_assert(pings_answered(&pings, "a", 1, 50, &took) && took == 40);
    ck_assert(pings_answered(&pings, "b", 1, 60, &took) &&
              took == 30); /* the ping before it is no longer expected */
    ck_assert(!pings_answered(&pings, NULL, 0, 60, &took));
    ck_assert(pings_answered(&pings, "a", 1, 70, &took) && took == 30);
    ck_assert(!pings_answered(&pings, "a", 1, 70, &took));
    pings_destroy(&pings);
}
END_TEST

START_TEST(pings_beyond_the_maximum_forget_the_oldest) {
    struct pings pings;
    uint64_t took = 0;
    char payload = 0;
    pings_init(&pings);
    for (payload = 0; payload < PINGS_MAX + 1; payload++)
        pings_sent(&pings, &payload, 1, 1);
    payload = 0;
    ck_assert(!pings_answered(&pings, &payload, 1, 2, &took));
    payload = 1;
    ck_assert(pings_answered(&pings, &payload, 1, 2, &took) && took == 1);
    pings_destroy(&pings);
}
END_TEST

Suite *connect_parts_suite(void) {
    Suite *suite = suite_create("connect_parts");
    TCase *typed = tcase_create("typed");
    tcase_add_loop_test(typed, slash_line_is_parsed_to_a_command, 0, COUNT(slashes));
    tcase_add_test(typed, slash_command_payloads_are_limited);
    tcase_add_loop_test(typed, quantity_parses_seconds_and_sizes, 0, COUNT(quantities));
    suite_add_tcase(suite, typed);
    TCase *said = tcase_create("said");
    tcase_add_loop_test(said, closing_is_printed_with_its_name, 0, COUNT(ends));
    tcase_add_test(said, pong_is_matched_with_its_ping);
    tcase_add_test(said, pings_beyond_the_maximum_forget_the_oldest);
    suite_add_tcase(suite, said);
    return suite;
}
