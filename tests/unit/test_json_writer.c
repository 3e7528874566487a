/* test_json_writer.c - the output is JSON, and reads back as what was written.
 *
 * SPDX-License-Identifier: MIT
 */
#include <check.h>
#include <fcntl.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/json_writer.h"
#include "tests/unit/suites.h"

static void expect(struct json_writer *writer, const char *expected) {
    ck_assert(!writer->failed);
    ck_assert_uint_le(writer->size, writer->capacity);
    ck_assert_uint_eq(writer->size, strlen(expected));
    ck_assert_mem_eq(writer->bytes, expected, writer->size);
    json_writer_release(writer);
    ck_assert(writer->bytes == NULL && writer->size == 0 && writer->capacity == 0 && !writer->failed);
}

static struct json_value checked(const struct json_writer *writer) {
    struct json_value value;
    struct json_error error;
    ck_assert(!writer->failed);
    if (json_check(writer->bytes, writer->size, &value, &error) != 0)
        ck_abort_msg("%.*s: %s at %zu", (int)writer->size, (char *)writer->bytes, error.what, error.offset);
    ck_assert_uint_eq(value.size, writer->size);
    return value;
}

START_TEST(json_writer_is_empty_without_writes) {
    struct json_writer writer = {0};
    json_write(&writer, "", 0);
    json_write(&writer, NULL, 0);
    json_write_literal(&writer, "");
    ck_assert(writer.size == 0 && !writer.failed);
    json_writer_release(&writer);
    json_writer_release(&writer);
}
END_TEST

START_TEST(json_writer_writes_a_message) {
    struct json_writer writer = {0};
    json_write_literal(&writer, "{\"type\":");
    json_write_string(&writer, "message");
    json_write_literal(&writer, ",\"offset\":");
    json_write_number(&writer, 7);
    json_write_literal(&writer, ",\"data\":");
    json_write(&writer, "[1, 2]and more", 6);
    json_write_literal(&writer, ",\"text\":");
    json_write_text(&writer, "a\0b\"and more", 3);
    json_write_literal(&writer, ",\"base64\":");
    json_write_base64(&writer, "\0\1\2", 3);
    json_write_literal(&writer, ",\"joined_at\":");
    json_write_seconds(&writer, 1790000000.123);
    json_write_literal(&writer, "}");
    checked(&writer);
    expect(&writer, "{\"type\":\"message\",\"offset\":7,\"data\":[1, 2],\"text\":\"a\\u0000b\",\"base64\":\"AAEC\","
                    "\"joined_at\":1790000000.123}");
}
END_TEST

START_TEST(json_writer_separates_keys_and_elements) {
    struct json_writer writer = {0};
    json_begin_object(&writer);
    json_key(&writer, "type");
    json_write_plain(&writer, "message");
    json_key(&writer, "empty");
    json_begin_object(&writer);
    json_end_object(&writer);
    json_key(&writer, "list");
    json_begin_array(&writer);
    for (int i = 0; i < 2; i++) {
        json_begin_object(&writer);
        json_key(&writer, "id");
        json_write_quoted_number(&writer, UINT64_MAX);
        json_end_object(&writer);
    }
    json_separate(&writer);
    json_write_bool(&writer, true);
    json_separate(&writer);
    json_begin_array(&writer);
    json_separate(&writer);
    json_write_number(&writer, 0);
    json_end_array(&writer);
    json_end_array(&writer);
    json_key(&writer, "last");
    json_write_bool(&writer, false);
    json_end_object(&writer);
    checked(&writer);
    expect(&writer, "{\"type\":\"message\",\"empty\":{},\"list\":[{\"id\":\"18446744073709551615\"},"
                    "{\"id\":\"18446744073709551615\"},true,[0]],\"last\":false}");
}
END_TEST

/* --- Strings ----------------------------------------------------------------------------------------------- */

START_TEST(json_writer_escapes_strings) {
    static const struct {
        const char *text, *written;
    } cases[] = {
        {"", "\"\""},
        {"a", "\"a\""},
        {"\"", "\"\\\"\""},
        {"\\", "\"\\\\\""},
        {"/<>&'", "\"/<>&'\""},
        {"\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\""},
        {"\x01\x0b\x1f", "\"\\u0001\\u000b\\u001f\""},
        {" \x7f", "\" \x7f\""},
        {"\n\na\n", "\"\\n\\na\\n\""},
        {"\xc3\xa9\xe2\x80\xa8\xf0\x9f\x98\x80", "\"\xc3\xa9\xe2\x80\xa8\xf0\x9f\x98\x80\""},
        {"\\u0041", "\"\\\\u0041\""},
    };
    for (int i = 0; i < COUNT(cases); i++) {
        struct json_writer writer = {0};
        json_write_string(&writer, cases[i].text);
        expect(&writer, cases[i].written);
    }
}
END_TEST

START_TEST(json_writer_round_trips_every_ascii_character) {
    for (char character = 1; character > 0; character++) {
        char text[] = {'a', character, character, 'b', '\0'}, read[sizeof text];
        struct json_writer writer = {0};
        json_write_string(&writer, text);
        struct json_value string = checked(&writer);
        ck_assert_int_eq(json_text(&string, read, sizeof read), 4);
        ck_assert_str_eq(read, text);
        ck_assert(json_text_is(&string, text));
        json_writer_release(&writer);
        if (character == 0x7F)
            break;
    }
}
END_TEST

/* --- Base64 ------------------------------------------------------------------------------------------------ */

/* RFC 4648, 10, and every character of the alphabet. */
START_TEST(json_writer_writes_base64) {
    static const struct {
        const char *bytes, *written;
        size_t size;
    } cases[] = {
        {"", "\"\"", 0},
        {"f", "\"Zg==\"", 1},
        {"fo", "\"Zm8=\"", 2},
        {"foo", "\"Zm9v\"", 3},
        {"foob", "\"Zm9vYg==\"", 4},
        {"fooba", "\"Zm9vYmE=\"", 5},
        {"foobar", "\"Zm9vYmFy\"", 6},
        {"\0", "\"AA==\"", 1},
        {"\0\0\0\0", "\"AAAAAA==\"", 4},
        {"\xff", "\"/w==\"", 1},
        {"\xff\xfe", "\"//4=\"", 2},
        {"\xfb\xef\xbe\xff", "\"++++/w==\"", 4},
        {"\x00\x10\x83\x10\x51\x87\x20\x92\x8b\x30\xd3\x8f\x41\x14\x93\x51\x55\x97\x61\x96\x9b\x71\xd7\x9f"
         "\x82\x18\xa3\x92\x59\xa7\xa2\x9a\xab\xb2\xdb\xaf\xc3\x1c\xb3\xd3\x5d\xb7\xe3\x9e\xbb\xf3\xdf\xbf",
         "\"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/\"", 48},
    };
    for (int i = 0; i < COUNT(cases); i++) {
        struct json_writer writer = {0};
        uint8_t *exact = malloc(cases[i].size); /* so that a sanitizer sees a read of one too many */
        memcpy(exact, cases[i].bytes, cases[i].size);
        json_write_base64(&writer, exact, cases[i].size);
        free(exact);
        expect(&writer, cases[i].written);
    }
}
END_TEST

/* --- Growth ------------------------------------------------------------------------------------------------ */

/* A terminator that is never written would be one byte too many at some size. */
START_TEST(json_writer_grows_at_every_size) {
    enum { SIZE_MAX_TRIED = 1100 };
    char text[SIZE_MAX_TRIED + 1];
    memset(text, 'x', sizeof text);
    for (size_t size = 0; size <= SIZE_MAX_TRIED; size++) {
        struct json_writer writer = {0};
        json_write(&writer, "[", 1);
        json_write_text(&writer, text, size);
        json_write(&writer, ",", 1);
        json_write_base64(&writer, text, size);
        json_write(&writer, ",", 1);
        json_write_number(&writer, UINT64_MAX);
        json_write(&writer, "]", 1);
        checked(&writer);
        ck_assert_uint_eq(writer.size, 1 + (size + 2) + 1 + ((size + 2) / 3 * 4 + 2) + 1 + 20 + 1);
        json_writer_release(&writer);
    }
}
END_TEST

START_TEST(json_writer_grows_piece_by_piece) {
    enum { PIECES = 100000 };
    struct json_writer writer = {0};
    json_write_literal(&writer, "[0");
    for (uint64_t i = 1; i < PIECES; i++) {
        json_write_literal(&writer, ",");
        json_write_number(&writer, i);
    }
    json_write_literal(&writer, "]");
    checked(&writer);
    const char *at = (const char *)writer.bytes + 1;
    for (uint64_t i = 0; i < PIECES; i++) {
        char *behind;
        ck_assert_uint_eq(strtoull(at, &behind, 10), i);
        at = behind + 1;
    }
    ck_assert_uint_le(writer.capacity, 2 * writer.size);
    json_writer_release(&writer);
}
END_TEST

/* Larger than any memory: earlier output stays, and nothing follows the failed write. */
START_TEST(json_writer_stops_after_a_failed_allocation) {
    static volatile const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 1, PTRDIFF_MAX};
    for (int i = 0; i < COUNT(sizes); i++) {
        struct json_writer writer = {0};
        json_write_literal(&writer, "[1");
        json_write(&writer, "", sizes[i]);
        ck_assert(writer.failed);
        json_write_literal(&writer, ",2]");
        json_write_string(&writer, "text");
        json_write_base64(&writer, "bytes", 5);
        json_write_number(&writer, 1);
        json_write_seconds(&writer, 1);
        ck_assert(writer.failed && writer.size == 2);
        ck_assert_mem_eq(writer.bytes, "[1", 2);
        json_writer_release(&writer);
        ck_assert(!writer.failed);
    }
}
END_TEST

/* --- Numbers ----------------------------------------------------------------------------------------------- */

START_TEST(json_writer_writes_numbers) {
    static const struct {
        uint64_t number;
        const char *written;
    } cases[] = {{0, "0"}, {7, "7"}, {1000000, "1000000"}, {UINT64_MAX, "18446744073709551615"}};
    for (int i = 0; i < COUNT(cases); i++) {
        struct json_writer writer = {0};
        json_write_number(&writer, cases[i].number);
        checked(&writer);
        expect(&writer, cases[i].written);
    }
}
END_TEST

static const struct {
    double seconds;
    const char *written;
} times[] = {
    {0, "0.000"},
    {-0.0, "0.000"},
    {0.0004, "0.000"},
    {0.0006, "0.001"},
    {0.05, "0.050"},
    {0.9996, "1.000"},
    {1, "1.000"},
    {1790000000.123, "1790000000.123"},
    {1790000000.9994, "1790000000.999"},
    {1790000000.9996, "1790000001.000"},
    {0x1p43, "8796093022208.000"},
    {0x1p44, "null"},
    {-1, "null"},
    {1e300, "null"},
    {INFINITY, "null"},
    {-INFINITY, "null"},
    {NAN, "null"},
};

static void expect_times(void) {
    for (int i = 0; i < COUNT(times); i++) {
        struct json_writer writer = {0};
        json_write_seconds(&writer, times[i].seconds);
        checked(&writer);
        expect(&writer, times[i].written);
    }
}

START_TEST(json_writer_writes_seconds) {
    expect_times();
}
END_TEST

/* A locale of nothing but a comma, as localedef compiles `decimal_point ","`: which others are installed is not
 * known. */
static void write_comma_locale(const char *folder) {
    static const uint8_t numeric[] =
        "\x14\x11\x03\x20\x06\x00\x00\x00\x20\x00\x00\x00\x22\x00\x00\x00\x23\x00\x00\x00\x24\x00\x00\x00"
        "\x28\x00\x00\x00,\0\0\0,\0\0\0,\0\0\0\0\0\0\0ANSI_X3.4-1968";
    int parent = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_eq(mkdirat(parent, "comma", 0700), 0);
    int file = openat(parent, "comma/LC_NUMERIC", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_eq(write(file, numeric, sizeof numeric), (ssize_t)sizeof numeric);
    close(file);
    close(parent);
}

static void remove_comma_locale(const char *folder) {
    int parent = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    unlinkat(parent, "comma/LC_NUMERIC", 0);
    unlinkat(parent, "comma", AT_REMOVEDIR);
    close(parent);
    rmdir(folder);
}

START_TEST(json_writer_writes_seconds_in_a_comma_locale) {
    char folder[] = "/tmp/weir-locale-XXXXXX", text[8];
    ck_assert_ptr_nonnull(mkdtemp(folder));
    write_comma_locale(folder);
    setenv("LOCPATH", folder, 1);
    const char *locale = setlocale(LC_NUMERIC, "comma");
    unsetenv("LOCPATH");
    remove_comma_locale(folder);
    ck_assert_ptr_nonnull(locale);
    snprintf(text, sizeof text, "%.1f", 1.5);
    ck_assert_str_eq(text, "1,5"); /* or this would test nothing */
    expect_times();
    setlocale(LC_NUMERIC, "C");
}
END_TEST

Suite *json_writer_suite(void) {
    Suite *suite = suite_create("json_writer");
    TCase *tcase = tcase_create("json_writer");
    tcase_add_test(tcase, json_writer_is_empty_without_writes);
    tcase_add_test(tcase, json_writer_writes_a_message);
    tcase_add_test(tcase, json_writer_separates_keys_and_elements);
    tcase_add_test(tcase, json_writer_escapes_strings);
    tcase_add_test(tcase, json_writer_round_trips_every_ascii_character);
    tcase_add_test(tcase, json_writer_writes_base64);
    tcase_add_test(tcase, json_writer_grows_at_every_size);
    tcase_add_test(tcase, json_writer_grows_piece_by_piece);
    tcase_add_test(tcase, json_writer_stops_after_a_failed_allocation);
    tcase_add_test(tcase, json_writer_writes_numbers);
    tcase_add_test(tcase, json_writer_writes_seconds);
    tcase_add_test(tcase, json_writer_writes_seconds_in_a_comma_locale);
    suite_add_tcase(suite, tcase);
    return suite;
}
