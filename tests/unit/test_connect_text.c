/* test_connect_text.c - `weir connect`: escaping, hexadecimal digits, lines, and the position of the cursor.
 *
 * SPDX-License-Identifier: MIT
 */
#include <check.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "commands/connect/lines.h"
#include "commands/connect/screen.h"
#include "commands/connect/text.h"
#include "tests/unit/suites.h"

/* What a function prints, to be freed. */
static char *printed(void (*print)(FILE *, const char *, size_t), const char *text, size_t size) {
    char *memory = NULL;
    size_t memory_size;
    FILE *out = open_memstream(&memory, &memory_size);
    print(out, text, size);
    fclose(out);
    ck_assert_uint_eq(strlen(memory), memory_size);
    return memory;
}

static const struct {
    const char *text;
    size_t size;
    const char *shown;
} shown[] = {
    {"", 0, ""},
    {"plain \\ ~", 9, "plain \\ ~"},
    {"a\nb\rc\td", 7, "a\\nb\\rc\\td"},
    {"\0\x1b\x7f", 3, "\\x00\\x1b\\x7f"},
    {"\xc2\x9b"
     "2J",
     4, "\\u009b2J"},
    {"\xc3\xbc\xe4\xb8\x96\xf0\x9f\x8c\x8d", 9, "\xc3\xbc\xe4\xb8\x96\xf0\x9f\x8c\x8d"},
    {"\xe2\x80\xaex\xe2\x81\xa6", 7, "\\u202ex\\u2066"},
    {"\xe2\x80\xa8\xe2\x80\xa9", 6, "\\u2028\\u2029"},
    {"\xe2\x80\x8d", 3, "\xe2\x80\x8d"}, /* the joiner of emoji */
    {"\xef\xbb\xbf", 3, "\\ufeff"},
    {"\xf3\xa0\x81\x81", 4, "\\U000e0041"},
    {"\xff\xc3", 2, "\\xff\\xc3"},                   /* no UTF-8, and half a character */
    {"\xc0\xaf", 2, "\\xc0\\xaf"},                   /* overlong */
    {"\xed\xa0\x80", 3, "\\xed\\xa0\\x80"},          /* a surrogate */
    {"\xe2\x28\xa1", 3, "\\xe2(\\xa1"},              /* broken off */
    {"\xf4\x90\x80\x80", 4, "\\xf4\\x90\\x80\\x80"}, /* beyond U+10FFFF */
};

START_TEST(text_escapes_dangerous_bytes) {
    char *text = printed(text_show, shown[_i].text, shown[_i].size);
    ck_assert_str_eq(text, shown[_i].shown);
    free(text);
}
END_TEST

START_TEST(text_print_line_replaces_newlines_with_spaces) {
    static const char *const lines[][2] = {
        {"", ""}, {"a", "a"}, {"a\nb", "a b"}, {"\n\n", "  "}, {"\xff\x1b\r\n", "\xff\x1b\r "}};
    for (int i = 0; i < COUNT(lines); i++) {
        char *text = printed(text_print_line, lines[i][0], strlen(lines[i][0]));
        ck_assert_str_eq(text, lines[i][1]);
        free(text);
    }
}
END_TEST

static void print_hex(FILE *out, const char *text, size_t size) {
    text_print_hex(out, text, size);
}

START_TEST(text_reads_and_prints_hexadecimal_digits) {
    static const struct {
        const char *digits, *bytes;
        size_t size;
    } right[] = {{"", "", 0}, {"00fF", "\x00\xff", 2}, {" 01 2a\tB3 ", "\x01\x2a\xb3", 3}, {"  ", "", 0}};
    static const char *const wrong[] = {"0", "0g", "g0", "0 0", "0x00", "00,", "000"};
    size_t size;
    char text[32];
    for (int i = 0; i < COUNT(right); i++) {
        strcpy(text, right[i].digits);
        ck_assert(text_read_hex(text, strlen(text), &size));
        ck_assert_uint_eq(size, right[i].size);
        ck_assert_int_eq(memcmp(text, right[i].bytes, size), 0);
    }
    for (int i = 0; i < COUNT(wrong); i++) {
        strcpy(text, wrong[i]);
        ck_assert_msg(!text_read_hex(text, strlen(text), &size), "%s", wrong[i]);
    }
    char *digits = printed(print_hex, "\x00\x1f\xff", 3);
    ck_assert_str_eq(digits, "001fff");
    free(digits);
    free(printed(print_hex, NULL, 0));
}
END_TEST

/* --- Lines ------------------------------------------------------------------------------------------------- */

static void feed(struct lines *lines, const char *bytes, size_t size) {
    while (size > 0) {
        size_t space, part;
        char *to = lines_space(lines, &space);
        ck_assert_ptr_nonnull(to);
        ck_assert_uint_gt(space, 0);
        part = size < space ? size : space;
        memcpy(to, bytes, part);
        lines_filled(lines, part);
        bytes += part;
        size -= part;
    }
}

static void expect_line(struct lines *lines, bool last, const char *expected) {
    char *line;
    size_t size;
    ck_assert(lines_next(lines, last, &line, &size) == (expected != NULL));
    if (expected != NULL) {
        ck_assert_uint_eq(size, strlen(expected));
        ck_assert_str_eq(line, expected);
    }
}

START_TEST(lines_are_found_at_every_split) {
    static const char text[] = "one\n\nthree\nrest";
    static const char *const expected[] = {"one", "", "three"};
    for (size_t split = 0; split < sizeof text; split++) {
        struct lines lines = {0};
        char *line;
        size_t size;
        int count = 0;
        for (int part = 0; part < 2; part++) {
            feed(&lines, part == 0 ? text : text + split, part == 0 ? split : sizeof text - 1 - split);
            while (lines_next(&lines, false, &line, &size))
                ck_assert_str_eq(line, expected[count++]);
        }
        ck_assert_int_eq(count, 3);
        expect_line(&lines, true, "rest");
        expect_line(&lines, true, NULL);
        lines_release(&lines);
    }
}
END_TEST

START_TEST(lines_yields_no_line_for_empty_input) {
    struct lines lines = {0};
    expect_line(&lines, false, NULL);
    expect_line(&lines, true, NULL);
    feed(&lines, "\n", 1);
    expect_line(&lines, true, "");
    expect_line(&lines, true, NULL);
    lines_release(&lines);
}
END_TEST

START_TEST(lines_takes_a_line_of_a_megabyte) {
    enum { LENGTH = 1000000 };
    struct lines lines = {0};
    char *text = malloc(LENGTH + 1);
    memset(text, 'x', LENGTH);
    text[LENGTH] = '\0';
    for (int times = 0; times < 3; times++) {
        feed(&lines, text, LENGTH);
        expect_line(&lines, false, NULL);
        feed(&lines, "\n", 1);
        expect_line(&lines, false, text);
    }
    lines_release(&lines);
    free(text);
}
END_TEST

/* --- The cursor -------------------------------------------------------------------------------------------- */

/* On ten columns, after a prompt of two. */
static const struct {
    const wchar_t *text;
    size_t cursor;
    unsigned row;
} cursors[] = {
    {L"", 0, 0},
    {L"1234567", 7, 0},
    {L"12345678", 8, 1}, /* the row is full: the cursor is on the next */
    {L"12345678", 7, 0},
    {L"123456781234567890", 17, 1},
    {L"123456781234567890", 18, 2},
    {L"\u4e16\u4e16\u4e16\u4e16", 4, 1},  /* eight columns */
    {L"1\u4e16\u4e16\u4e16\u4e16", 4, 1}, /* before one that does not fit */
    {L"1\u4e16\u4e16\u4e16\u4e16", 5, 1}, /* behind it */
    {L"1\u4e16\u4e16\u4e16\u4e16\u4e16\u4e16\u4e16\u4e16", 9, 2},
    {L"e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301", 14, 0}, /* combining: no width */
    {L"\x01\x02\x03\x04", 4, 1},                                   /* ^A^B^C^D */
    {L"\t1", 1, 0},
    {L"\t12", 3, 1},
    {L"\ue000\u200b", 1, 0},
};

START_TEST(screen_row_follows_the_cursor) {
    setlocale(LC_CTYPE, "C.UTF-8");
    ck_assert_uint_eq(screen_row(cursors[_i].text, wcslen(cursors[_i].text), cursors[_i].cursor, 2, 10),
                      cursors[_i].row);
    setlocale(LC_CTYPE, "C");
}
END_TEST

START_TEST(screen_row_is_0_without_columns) {
    ck_assert_uint_eq(screen_row(L"text", 4, 4, 2, 0), 0);
    ck_assert_uint_eq(screen_row(L"text", 4, 4, 2, 1), 0);
}
END_TEST

Suite *connect_text_suite(void) {
    Suite *suite = suite_create("connect_text");
    TCase *texts = tcase_create("texts");
    tcase_add_loop_test(texts, text_escapes_dangerous_bytes, 0, COUNT(shown));
    tcase_add_test(texts, text_print_line_replaces_newlines_with_spaces);
    tcase_add_test(texts, text_reads_and_prints_hexadecimal_digits);
    suite_add_tcase(suite, texts);
    TCase *lines = tcase_create("lines");
    tcase_add_test(lines, lines_are_found_at_every_split);
    tcase_add_test(lines, lines_yields_no_line_for_empty_input);
    tcase_add_test(lines, lines_takes_a_line_of_a_megabyte);
    suite_add_tcase(suite, lines);
    TCase *screen = tcase_create("screen");
    tcase_add_loop_test(screen, screen_row_follows_the_cursor, 0, COUNT(cursors));
    tcase_add_test(screen, screen_row_is_0_without_columns);
    suite_add_tcase(suite, screen);
    return suite;
}
