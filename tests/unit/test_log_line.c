/* test_log_line.c - texts as values, and lines in both formats: whole, escaped, cut.
 *
 * SPDX-License-Identifier: MIT
 */
#include <check.h>
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "server/log/log_escape.h"
#include "server/log/log_line.h"
#include "tests/unit/suites.h"

/* --- Texts --------------------------------------------------------------------------------------------------- */

static const struct {
    const char *text, *logfmt, *json;
    bool bare;
} texts[] = {
    {"", "", "", false},
    {"plain", "plain", "plain", true},
    {"[2001:db8::1]:50124", "[2001:db8::1]:50124", "[2001:db8::1]:50124", true},
    {"/light/{status}", "/light/{status}", "/light/{status}", true},
    {"two words", "two words", "two words", false},
    {"a=b", "a=b", "a=b", false},
    {"say \"hi\"", "say \\\"hi\\\"", "say \\\"hi\\\"", false},
    {"back\\slash", "back\\\\slash", "back\\\\slash", false},
    {"a\nlevel=error", "a\\nlevel=error", "a\\nlevel=error", false},
    {"\r\t", "\\r\\t", "\\r\\t", false},
    {"\x01\x1b[2J\x7f", "\\x01\\x1b[2J\\x7f", "\\u0001\\u001b[2J\\u007f", false},
    {"caf\xc3\xa9\xe2\x82\xac\xf0\x9f\x9a\xaa", "caf\xc3\xa9\xe2\x82\xac\xf0\x9f\x9a\xaa",
     "caf\xc3\xa9\xe2\x82\xac\xf0\x9f\x9a\xaa", true},
    {"caf\xe9", "caf\\xe9", "caf\\ufffd", false},
    {"\xc3(", "\\xc3(", "\\ufffd(", false},
    {"\xe2\x82", "\\xe2\\x82", "\\ufffd\\ufffd", false},
    {"\xf0\x9f\x9a", "\\xf0\\x9f\\x9a", "\\ufffd\\ufffd\\ufffd", false},
    {"\x80\xbf\xff\xc0\x80", "\\x80\\xbf\\xff\\xc0\\x80", "\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd", false},
    {"\xed\xa0\x80", "\\xed\\xa0\\x80", "\\ufffd\\ufffd\\ufffd", false},
    {"\xc2\x9b"
     "2J",
     "\\xc2\\x9b"
     "2J",
     "\\u009b"
     "2J",
     false},
    {"\xc2\xa0", "\xc2\xa0", "\xc2\xa0", true},
};

START_TEST(log_escape_escapes_for_both_formats) {
    const char *const wanted[] = {[LOG_LOGFMT] = texts[_i].logfmt, [LOG_JSON] = texts[_i].json};
    ck_assert_int_eq(log_is_bare(texts[_i].text), texts[_i].bare);
    for (int format = LOG_LOGFMT; format <= LOG_JSON; format++) {
        char out[100] = "";
        bool cut = false;
        ck_assert_uint_eq(log_escape((enum log_format)format, texts[_i].text, out, sizeof out, &cut),
                          strlen(wanted[format]));
        ck_assert_str_eq(out, wanted[format]);
        ck_assert(!cut);
    }
}
END_TEST

/* In a buffer of exactly each size, so that a sanitizer sees a byte too many. */
START_TEST(log_escape_cuts_to_fit) {
    const char *const wanted[] = {[LOG_LOGFMT] = texts[_i].logfmt, [LOG_JSON] = texts[_i].json};
    for (int format = LOG_LOGFMT; format <= LOG_JSON; format++)
        for (size_t size = 0, full = strlen(wanted[format]); size <= full; size++) {
            char *out = malloc(size + (size == 0));
            bool cut = false;
            size_t got = log_escape((enum log_format)format, texts[_i].text, out, size, &cut);
            ck_assert_uint_le(got, size);
            ck_assert_int_eq(cut, size < full);
            ck_assert_int_eq(memcmp(out, wanted[format], got), 0);
            ck_assert(utf8_valid((uint8_t *)out, got));
            free(out);
        }
}
END_TEST

/* --- Lines --------------------------------------------------------------------------------------------------- */

/* The line as a string; in the heap, and exactly as long as it is. */
static char *make(enum log_format format, const char *event, const struct log_field *fields) {
    static const struct timespec moment = {.tv_sec = 1772366400, .tv_nsec = 7999999};
    struct log_line line;
    log_line_begin(&line, format, &moment, LOG_WARNING, event);
    for (; fields->name != NULL; fields++)
        log_line_add(&line, fields);
    log_line_end(&line);
    ck_assert_uint_le(line.size, LOG_LINE_MAX);
    ck_assert_ptr_eq(memchr(line.bytes, '\n', line.size), line.bytes + line.size - 1);
    return strndup(line.bytes, line.size);
}

static void assert_line(enum log_format format, const struct log_field *fields, const char *wanted) {
    char *line = make(format, "try", fields);
    ck_assert_str_eq(line, wanted);
    free(line);
}

#define LOGFMT_HEAD "time=2026-03-01T12:00:00.007Z level=warning event=try"
#define JSON_HEAD   "{\"time\":\"2026-03-01T12:00:00.007Z\",\"level\":\"warning\",\"event\":\"try\""

START_TEST(log_line_has_all_fields_in_both_formats) {
    const struct log_field *fields =
        LOG_FIELDS(LOG_NUMBER("conn", UINT64_MAX), LOG_TEXT("peer", "192.0.2.7:50124"), LOG_TEXT("none", NULL),
                   LOG_COUNT("dropped", 0), LOG_COUNT("lost", 3), LOG_BOOLEAN("clean", true),
                   LOG_BOOLEAN("timer", false), LOG_TEXT("reason", ""), LOG_TEXT("code", "1000"));
    assert_line(LOG_LOGFMT, fields,
                LOGFMT_HEAD " conn=18446744073709551615 peer=192.0.2.7:50124 lost=3 clean=yes timer=no reason=\"\" "
                            "code=1000\n");
    assert_line(LOG_JSON, fields,
                JSON_HEAD ",\"conn\":18446744073709551615,\"peer\":\"192.0.2.7:50124\",\"lost\":3,\"clean\":true,"
                          "\"timer\":false,\"reason\":\"\",\"code\":\"1000\"}\n");
}
END_TEST

START_TEST(log_line_may_have_no_fields) {
    const struct log_field none = {.name = NULL};
    assert_line(LOG_LOGFMT, &none, LOGFMT_HEAD "\n");
    assert_line(LOG_JSON, &none, JSON_HEAD "}\n");
}
END_TEST

/* Each day of three hundred years, at a time that changes. */
START_TEST(log_line_time_agrees_with_the_c_library) {
    for (long day = 0; day < 300 * 366; day++) {
        const struct timespec moment = {.tv_sec = day * 86400 + day * 4799 % 86400, .tv_nsec = day * 1000003};
        char wanted[64], date[32];
        struct log_line line;
        struct tm utc;
        strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", gmtime_r(&moment.tv_sec, &utc));
        size_t size =
            (size_t)snprintf(wanted, sizeof wanted, "time=%s.%03ldZ level=", date, moment.tv_nsec / 1000000);
        log_line_begin(&line, LOG_LOGFMT, &moment, LOG_WARNING, "try");
        ck_assert_mem_eq(line.bytes, wanted, size);
    }
}
END_TEST

START_TEST(log_line_text_adds_no_line_and_no_field) {
    const struct log_field *fields = LOG_FIELDS(LOG_TEXT("a", "1\ntime=x"), LOG_TEXT("b", "\",\"c\":\"2"));
    assert_line(LOG_LOGFMT, fields, LOGFMT_HEAD " a=\"1\\ntime=x\" b=\"\\\",\\\"c\\\":\\\"2\"\n");
    assert_line(LOG_JSON, fields, JSON_HEAD ",\"a\":\"1\\ntime=x\",\"b\":\"\\\",\\\"c\\\":\\\"2\"}\n");
}
END_TEST

static char *repeat(const char *unit, size_t count) {
    char *text = calloc(count, strlen(unit) + 1);
    for (size_t i = 0; i < count; i++)
        strcat(text, unit);
    return text;
}

/* A text of the maximum size is whole, a longer one is cut and the line says so; in both cases the next fields
 * follow. */
START_TEST(log_line_cuts_a_long_text) {
    char *text = repeat("x", LOG_TEXT_MAX + 1), *less = repeat("x", LOG_TEXT_MAX), wanted[LOG_TEXT_MAX + 200];
    snprintf(wanted, sizeof wanted, "%s a=%s b=1\n", LOGFMT_HEAD, less);
    assert_line(LOG_LOGFMT, LOG_FIELDS(LOG_TEXT("a", less), LOG_NUMBER("b", 1)), wanted);
    snprintf(wanted, sizeof wanted, "%s a=%s b=1 truncated=yes\n", LOGFMT_HEAD, less);
    assert_line(LOG_LOGFMT, LOG_FIELDS(LOG_TEXT("a", text), LOG_NUMBER("b", 1)), wanted);
    snprintf(wanted, sizeof wanted, "%s,\"a\":\"%s\",\"b\":1,\"truncated\":true}\n", JSON_HEAD, less);
    assert_line(LOG_JSON, LOG_FIELDS(LOG_TEXT("a", text), LOG_NUMBER("b", 1)), wanted);
    free(text);
    free(less);
}
END_TEST

/* So many that the line is full, wherever its end falls: in a name, in an escape, in a character. */
START_TEST(log_line_that_is_full_is_well_formed) {
    static const char *const units[] = {"x", "\x1b", "\"", "\xf0\x9f\x9a\xaa", "\xff", " "};
    for (int unit = 0; unit < COUNT(units); unit++)
        for (size_t length = 1; length <= 60; length++) {
            char *value = repeat(units[unit], length);
            struct log_field fields[601] = {{.name = NULL}};
            for (int i = 0; i < 600; i++)
                fields[i] = (struct log_field)LOG_TEXT("field", value);
            char *logfmt = make(LOG_LOGFMT, "full", fields), *json = make(LOG_JSON, "full", fields);
            ck_assert(utf8_valid((uint8_t *)logfmt, strlen(logfmt)));
            ck_assert_ptr_nonnull(strstr(logfmt, " truncated=yes\n"));
            ck_assert_uint_gt(strlen(logfmt), LOG_LINE_MAX - 40);
            json_t *object = json_loads(json, 0, NULL);
            ck_assert_ptr_nonnull(object);
            ck_assert(json_is_true(json_object_get(object, "truncated")));
            json_decref(object);
            free(logfmt);
            free(json);
            free(value);
        }
}
END_TEST

Suite *log_line_suite(void) {
    Suite *suite = suite_create("log_line");
    TCase *escape = tcase_create("escape");
    tcase_add_loop_test(escape, log_escape_escapes_for_both_formats, 0, COUNT(texts));
    tcase_add_loop_test(escape, log_escape_cuts_to_fit, 0, COUNT(texts));
    suite_add_tcase(suite, escape);
    TCase *lines = tcase_create("lines");
    tcase_add_test(lines, log_line_has_all_fields_in_both_formats);
    tcase_add_test(lines, log_line_may_have_no_fields);
    tcase_add_test(lines, log_line_time_agrees_with_the_c_library);
    tcase_add_test(lines, log_line_text_adds_no_line_and_no_field);
    tcase_add_test(lines, log_line_cuts_a_long_text);
    tcase_add_test(lines, log_line_that_is_full_is_well_formed);
    suite_add_tcase(suite, lines);
    return suite;
}
