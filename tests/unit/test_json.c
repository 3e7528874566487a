/* test_json.c - JSON texts that are accepted and others that are refused: whole, truncated and changed in every
 * byte; and reading of values. Jansson, another JSON parser, agrees on every short text.
 *
 * SPDX-License-Identifier: MIT
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"
#include "tests/unit/json_reference.h"
#include "tests/unit/suites.h"

#define B(text) (text), sizeof(text) - 1

enum { TEXT_SIZE = 64, LARGE = 1 << 20 };

/* Checks a copy of exactly these bytes, so that a sanitizer sees a read of one too many. The value's bytes then are
 * those of `text`. Before and after, what json_check() does not set stays as it was. */
static bool checked(const void *text, size_t size, struct json_value *value, struct json_error *error) {
    struct json_value own_value = {JSON_NULL, NULL, 7};
    struct json_error own_error = {NULL, 7};
    uint8_t *copy = malloc(size);
    if (size > 0)
        memcpy(copy, text, size);
    int result = json_check(copy, size, &own_value, &own_error);
    if (result == 0) {
        ck_assert(own_error.what == NULL && own_error.offset == 7);
        ck_assert(own_value.bytes >= copy && own_value.size > 0);
        ck_assert_uint_le((size_t)(own_value.bytes - copy) + own_value.size, size);
        own_value.bytes = (const uint8_t *)text + (own_value.bytes - copy);
        *value = own_value;
    } else {
        ck_assert_int_eq(result, -1);
        ck_assert(own_value.bytes == NULL && own_value.size == 7);
        ck_assert_int_eq(strncmp(own_error.what, "expected ", strlen("expected ")), 0);
        ck_assert_uint_le(own_error.offset, size);
        *error = own_error;
    }
    free(copy);
    return result == 0;
}

static struct json_value good(const char *text) {
    struct json_value value;
    struct json_error error;
    if (!checked(text, strlen(text), &value, &error))
        ck_abort_msg("%s: %s at %zu", text, error.what, error.offset);
    return value;
}

static bool same_bytes(const struct json_value *value, const char *expected) {
    return value->size == strlen(expected) && memcmp(value->bytes, expected, value->size) == 0;
}

/* Every member, and those of its value if that is an object: within the value, and good alone. */
static size_t walk(const struct json_value *object) {
    struct json_value name, value, again;
    struct json_error error;
    size_t position = 0, count = 0;
    for (; json_member(object, &position, &name, &value); count++) {
        ck_assert(name.bytes > object->bytes && name.bytes + name.size < value.bytes);
        ck_assert(value.bytes + value.size < object->bytes + object->size);
        ck_assert(checked(name.bytes, name.size, &again, &error) && again.type == JSON_STRING);
        ck_assert(checked(value.bytes, value.size, &again, &error) && again.type == value.type);
        ck_assert_uint_eq(again.size, value.size);
        walk(&value);
    }
    return count;
}

/* --- Texts that are taken ---------------------------------------------------------------------------------- */

static const struct {
    const char *text;
    size_t size;
    enum json_type type;
} goods[] = {
    {B("null"), JSON_NULL},
    {B("true"), JSON_TRUE},
    {B("false"), JSON_FALSE},
    /* numbers */
    {B("0"), JSON_NUMBER},
    {B("-0"), JSON_NUMBER},
    {B("1"), JSON_NUMBER},
    {B("-1"), JSON_NUMBER},
    {B("-123"), JSON_NUMBER},
    {B("1234567890"), JSON_NUMBER},
    {B("0.5"), JSON_NUMBER},
    {B("-0.0"), JSON_NUMBER},
    {B("123.456789"), JSON_NUMBER},
    {B("0e1"), JSON_NUMBER},
    {B("0e+1"), JSON_NUMBER},
    {B("1E22"), JSON_NUMBER},
    {B("1E+2"), JSON_NUMBER},
    {B("1E-2"), JSON_NUMBER},
    {B("1e00"), JSON_NUMBER},
    {B("123e45"), JSON_NUMBER},
    {B("123.456e-78"), JSON_NUMBER},
    {B("1e99999"), JSON_NUMBER}, /* its value does not matter here */
    {B("-123123123123123123123123123123"), JSON_NUMBER},
    {B("0.0000000000000000000000000000000000000000000000000000000000001"), JSON_NUMBER},
    /* strings */
    {B("\"\""), JSON_STRING},
    {B("\" \""), JSON_STRING},
    {B("\"a\""), JSON_STRING},
    {B("\"[1,{]}/*:*/\""), JSON_STRING},
    {B("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), JSON_STRING},
    {B("\"\\u0060\\u012a\\u12AB\\uabCD\\uFFFF\""), JSON_STRING},
    {B("\"\\u0000\""), JSON_STRING},
    {B("\"\\ud801\\udc37\""), JSON_STRING},
    {B("\"\\uD800\""), JSON_STRING}, /* RFC 8259, 8.2: its grammar allows it */
    {B("\"\\uDC00\\uD800\""), JSON_STRING},
    {B("\"\\\\u0000\""), JSON_STRING},
    {B("\"\\\\\""), JSON_STRING},
    {B("\"\x7f\""), JSON_STRING},
    {B("\"\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf\""), JSON_STRING},
    {B("\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\""), JSON_STRING},
    {B("\"\xef\xbb\xbf\xe2\x80\xa8\xe2\x80\xa9\""), JSON_STRING}, /* a mark and line separators are like others */
    {B("\"more than eight letters, \xce\xba\xe1\xbd\xb9\xcf\x83, and then \\\"some\\\" more\""), JSON_STRING},
    /* arrays */
    {B("[]"), JSON_ARRAY},
    {B("[ \t\r\n]"), JSON_ARRAY},
    {B("[\"\"]"), JSON_ARRAY},
    {B("[false]"), JSON_ARRAY},
    {B("[null, 1, \"1\", {}]"), JSON_ARRAY},
    {B("[1\n]"), JSON_ARRAY},
    {B("[1,null,null,null,2]"), JSON_ARRAY},
    {B("[ 1 , 2 ]"), JSON_ARRAY},
    {B("[[]   ]"), JSON_ARRAY},
    {B("[[],[[]],[[],[]]]"), JSON_ARRAY},
    {B("[-0,20e1,0.1E+1]"), JSON_ARRAY},
    /* objects */
    {B("{}"), JSON_OBJECT},
    {B("{ }"), JSON_OBJECT},
    {B("{\"\":0}"), JSON_OBJECT},
    {B("{\"a\":[]}"), JSON_OBJECT},
    {B("{\"a\":\"b\",\"a\":\"b\"}"), JSON_OBJECT}, /* twice: the reader of the members decides */
    {B("{\"foo\\u0000bar\": 42}"), JSON_OBJECT},
    {B("{\n\"a\" : \"b\" ,\r\n\t\"c\" : { \"d\" : [ ] } \n}"), JSON_OBJECT},
    {B("{\"type\":\"publish\",\"channel\":\"news\",\"data\":{\"x\":[1,2,{\"y\":null}]},\"id\":7}"), JSON_OBJECT},
    {B("{\"x\":[{\"id\":\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}],\"id\":\"\\\\\"}"), JSON_OBJECT},
};

START_TEST(json_accepts_good_texts) {
    static const char *const blanks[] = {"", " ", "\n", "\t\r\n ", "         "};
    for (int i = 0; i < COUNT(blanks) * COUNT(blanks); i++) {
        const char *before = blanks[i / COUNT(blanks)], *behind = blanks[i % COUNT(blanks)];
        char text[256];
        size_t size = (size_t)snprintf(text, sizeof text, "%s%s%s", before, goods[_i].text, behind);
        struct json_value value;
        struct json_error error;
        if (!checked(text, size, &value, &error))
            ck_abort_msg("%s: %s at %zu", text, error.what, error.offset);
        ck_assert_int_eq(value.type, goods[_i].type);
        ck_assert_ptr_eq(value.bytes, text + strlen(before));
        ck_assert_uint_eq(value.size, goods[_i].size);
        walk(&value);
    }
}
END_TEST

/* --- Texts that are refused -------------------------------------------------------------------------------- */

static const char VALUE[] = "expected a value", NONE[] = "expected a value, but there is none",
                  MARK[] = "expected a value, not a byte order mark",
                  BEHIND[] = "expected only spaces after the value",
                  ELEMENT[] = "expected ',' or ']' after an element",
                  MEMBER[] = "expected ',' or '}' after a member",
                  NAME[] = "expected the name of a member, in double quotes",
                  COLON[] = "expected ':' after a member name", QUOTE[] = "expected '\"' at the end of a string",
                  CONTROL[] = "expected control characters of a string to be escaped",
                  ESCAPE[] = "expected one of \" \\ / b f n r t u after a backslash",
                  HEXADECIMAL[] = "expected four hexadecimal digits after \\u", UTF8[] = "expected valid UTF-8",
                  ZERO[] = "expected no digit after a leading 0", MINUS[] = "expected a digit after '-'",
                  POINT[] = "expected a digit after the decimal point",
                  EXPONENT[] = "expected a digit in the exponent", TRUE_WORD[] = "expected \"true\"",
                  FALSE_WORD[] = "expected \"false\"", NULL_WORD[] = "expected \"null\"",
                  DEPTH[] = "expected at most 64 arrays and objects within each other";

static const struct {
    const char *text;
    size_t size, offset;
    const char *what;
} bads[] = {
    /* nothing, or not JSON at all */
    {B(""), 0, NONE},
    {B(" "), 1, NONE},
    {B("\t\r\n "), 4, NONE},
    {B("\xef\xbb\xbf"), 0, MARK},
    {B("\xef\xbb\xbf{}"), 0, MARK},
    {B("\xef\xbb{}"), 0, VALUE},
    {B("\xff\xfe[\0]\0"), 0, VALUE},
    {B("\0[\0]"), 0, VALUE},
    {B("[\0]\0"), 1, VALUE},
    {B("\0"), 0, VALUE},
    {B("a"), 0, VALUE},
    {B("*"), 0, VALUE},
    {B("<.>"), 0, VALUE},
    {B("'a'"), 0, VALUE},
    {B("\f1"), 0, VALUE},
    {B("\v1"), 0, VALUE},
    {B("\xc2\xa0"), 0, VALUE},
    {B("\xe2\x81\xa0"), 0, VALUE},
    {B("[\xc2\x85]"), 1, VALUE},
    {B("/**/1"), 0, VALUE},
    {B("\xff"), 0, VALUE},
    /* after the value */
    {B("1 2"), 2, BEHIND},
    {B("[][]"), 2, BEHIND},
    {B("{}}"), 2, BEHIND},
    {B("[1]x"), 3, BEHIND},
    {B("[]\0"), 2, BEHIND},
    {B("{}\0\0"), 2, BEHIND},
    {B("\"\"x"), 2, BEHIND},
    {B("\"a\",1"), 3, BEHIND},
    {B("{\"a\":true} \"x\""), 11, BEHIND},
    {B("{\"a\":\"b\"}/**/"), 9, BEHIND},
    {B("{\"a\":\"b\"}#"), 9, BEHIND},
    {B("null\f"), 4, BEHIND},
    {B("[]\xef\xbb\xbf"), 2, BEHIND},
    {B("]"), 0, VALUE},
    {B("}"), 0, VALUE},
    {B(","), 0, VALUE},
    {B(":"), 0, VALUE},
    /* words */
    {B("nul"), 0, NULL_WORD},
    {B("nan"), 0, NULL_WORD},
    {B("nULL"), 0, NULL_WORD},
    {B("tru"), 0, TRUE_WORD},
    {B("[t"), 1, TRUE_WORD},
    {B("[true,tree]"), 6, TRUE_WORD},
    {B("fals"), 0, FALSE_WORD},
    {B("falze"), 0, FALSE_WORD},
    {B("truex"), 4, BEHIND},
    {B("nullnull"), 4, BEHIND},
    {B("True"), 0, VALUE},
    {B("TRUE"), 0, VALUE},
    {B("undefined"), 0, VALUE},
    /* numbers */
    {B("-"), 1, MINUS},
    {B("--1"), 1, MINUS},
    {B("- 1"), 1, MINUS},
    {B("-a"), 1, MINUS},
    {B("-Infinity"), 1, MINUS},
    {B("-.1"), 1, MINUS},
    {B("+1"), 0, VALUE},
    {B("++1234"), 0, VALUE},
    {B(".5"), 0, VALUE},
    {B("Infinity"), 0, VALUE},
    {B("NaN"), 0, VALUE},
    {B("00"), 1, ZERO},
    {B("01"), 1, ZERO},
    {B("-01"), 2, ZERO},
    {B("[-012.5]"), 3, ZERO},
    {B("0.e1"), 2, POINT},
    {B("1."), 2, POINT},
    {B("1.]"), 2, POINT},
    {B("[2.e+3]"), 3, POINT},
    {B("1.-1"), 2, POINT},
    {B("0.1.2"), 3, BEHIND},
    {B("0e"), 2, EXPONENT},
    {B("0E+"), 3, EXPONENT},
    {B("1e-"), 3, EXPONENT},
    {B("1e+-1"), 3, EXPONENT},
    {B("1e.1"), 2, EXPONENT},
    {B("1eE2"), 2, EXPONENT},
    {B("9e1.5"), 3, BEHIND},
    {B("0x42"), 1, BEHIND},
    {B("1 000"), 2, BEHIND},
    {B("1_000"), 1, BEHIND},
    {B("1+2"), 1, BEHIND},
    {B("12a"), 2, BEHIND},
    {B("[1a]"), 2, ELEMENT},
    {B("1\xef\xbc\x91"), 1, BEHIND},
    {B("\xef\xbc\x91"), 0, VALUE},
    {B("[1\xff]"), 2, ELEMENT},
    /* strings */
    {B("\""), 1, QUOTE},
    {B("\"a"), 2, QUOTE},
    {B("[\"a]"), 4, QUOTE},
    {B("\"\\\""), 3, QUOTE},
    {B("\"more than eight letters and no end"), 35, QUOTE},
    {B("\"a\0b\""), 2, CONTROL},
    {B("\"\0\""), 1, CONTROL},
    {B("\"\t\""), 1, CONTROL},
    {B("\"new\nline\""), 4, CONTROL},
    {B("\"\x1f\""), 1, CONTROL},
    {B("\"more than eight letters\x0c and more of them\""), 24, CONTROL},
    {B("\"\\"), 2, ESCAPE},
    {B("\"\\a\""), 2, ESCAPE},
    {B("\"\\v\""), 2, ESCAPE},
    {B("\"\\'\""), 2, ESCAPE},
    {B("\"\\x00\""), 2, ESCAPE},
    {B("\"\\0\""), 2, ESCAPE},
    {B("\"\\U0041\""), 2, ESCAPE},
    {B("\"\\ \""), 2, ESCAPE},
    {B("\"\\\0\""), 2, ESCAPE},
    {B("\"\\\n\""), 2, ESCAPE},
    {B("\"\\\xe5\""), 2, ESCAPE},
    {B("\"\\\xf0\x9f\x8c\x80\""), 2, ESCAPE},
    {B("\"\\\\\\\""), 5, QUOTE},
    {B("\"\\u"), 3, HEXADECIMAL},
    {B("\"\\u\""), 3, HEXADECIMAL},
    {B("\"\\u00A\""), 6, HEXADECIMAL},
    {B("\"\\u00A"), 6, HEXADECIMAL},
    {B("\"\\uqqqq\""), 3, HEXADECIMAL},
    {B("\"\\u+041\""), 3, HEXADECIMAL},
    {B("\"\\u004G\""), 6, HEXADECIMAL},
    {B("\"\\u00@0\""), 5, HEXADECIMAL},
    {B("\"\\uD834\\uDd\""), 11, HEXADECIMAL},
    {B("\"\\uD800\\\""), 9, QUOTE},
    {B("\"\\u\xef\xbc\x91\""), 3, HEXADECIMAL},
    {B("\"\\u00\0\x30\""), 5, HEXADECIMAL},
    {B("\\u0022\""), 0, VALUE},
    /* UTF-8 */
    {B("\"\xff\""), 1, UTF8},
    {B("\"\xe5\""), 2, UTF8},
    {B("\"\x80\""), 1, UTF8},
    {B("\"abc\xbf\""), 4, UTF8},
    {B("\"\xc0\xaf\""), 1, UTF8},
    {B("\"\xe0\x80\xaf\""), 2, UTF8},
    {B("\"\xed\xa0\x80\""), 2, UTF8},
    {B("\"\xf0\x8f\xbf\xbf\""), 2, UTF8},
    {B("\"\xf4\x90\x80\x80\""), 2, UTF8},
    {B("\"\xf8\x88\x80\x80\x80\""), 1, UTF8},
    {B("\"\xc3\\n\xa9\""), 2, UTF8},
    {B("\"\xc3(\""), 2, UTF8},
    {B("\"more than eight letters, \xe2\x82\""), 28, UTF8},
    {B("{\"\xb9\":\"0\",}"), 2, UTF8},
    {B("[\"\xc3\xa9\xa9\"]"), 4, UTF8},
    /* arrays */
    {B("["), 1, VALUE},
    {B("[1"), 2, ELEMENT},
    {B("[1,"), 3, VALUE},
    {B("[,"), 1, VALUE},
    {B("[,1]"), 1, VALUE},
    {B("[1,]"), 3, VALUE},
    {B("[1,,2]"), 3, VALUE},
    {B("[\"\",]"), 4, VALUE},
    {B("[1 true]"), 3, ELEMENT},
    {B("[1:2]"), 2, ELEMENT},
    {B("[\"a\":1]"), 4, ELEMENT},
    {B("[3[4]]"), 2, ELEMENT},
    {B("[1;2]"), 2, ELEMENT},
    {B("[1}"), 2, ELEMENT},
    {B("[}"), 1, VALUE},
    {B("[{}"), 3, ELEMENT},
    {B("[1,\n1\n,1"), 8, ELEMENT},
    {B("[1]]"), 3, BEHIND},
    {B("[*]"), 1, VALUE},
    {B("[\f]"), 1, VALUE},
    {B("[1/**/]"), 2, ELEMENT},
    /* objects */
    {B("{"), 1, NAME},
    {B("{ "), 2, NAME},
    {B("{]"), 1, NAME},
    {B("{,}"), 1, NAME},
    {B("{\"a\""), 4, COLON},
    {B("{\"a\"}"), 4, COLON},
    {B("{\"a\",1}"), 4, COLON},
    {B("{\"a\" b}"), 5, COLON},
    {B("{\"a\"::1}"), 5, VALUE},
    {B("{\"a\":"), 5, VALUE},
    {B("{\"a\":}"), 5, VALUE},
    {B("{\"a\":1"), 6, MEMBER},
    {B("{\"a\":1]"), 6, MEMBER},
    {B("{\"a\":1 \"b\":2}"), 7, MEMBER},
    {B("{\"a\":\"a\" 123}"), 9, MEMBER},
    {B("{\"a\":1:2}"), 6, MEMBER},
    {B("{\"a\":1,}"), 7, NAME},
    {B("{\"a\":1,,\"b\":2}"), 7, NAME},
    {B("{\"a\":1,"), 7, NAME},
    {B("{a:1}"), 1, NAME},
    {B("{'a':1}"), 1, NAME},
    {B("{1:1}"), 1, NAME},
    {B("{null:null}"), 1, NAME},
    {B("{[]:1}"), 1, NAME},
    {B("{:\"b\"}"), 1, NAME},
    {B("{\"a"), 3, QUOTE},
    {B("{\"a\":\"b"), 7, QUOTE},
    {B("{\"a\":/*c*/\"b\"}"), 5, VALUE},
    {B("{\"a\"=1}"), 4, COLON},
    {B("{\xf0\x9f\x87\xa8}"), 1, NAME},
};

START_TEST(json_refuses_bad_texts_with_place_and_reason) {
    struct json_value value;
    struct json_error error;
    if (checked(bads[_i].text, bads[_i].size, &value, &error))
        ck_abort_msg("%s was taken", bads[_i].text);
    ck_assert_msg(strcmp(error.what, bads[_i].what) == 0, "%s: %s", bads[_i].text, error.what);
    ck_assert_msg(error.offset == bads[_i].offset, "%s: at %zu", bads[_i].text, error.offset);
}
END_TEST

/* --- Cut short and changed --------------------------------------------------------------------------------- */

/* A truncated number may still be valid; nothing else is. */
START_TEST(json_refuses_truncated_texts) {
    struct json_value value;
    struct json_error error;
    if (goods[_i].type == JSON_NUMBER)
        return;
    for (size_t size = 0; size < goods[_i].size; size++)
        if (checked(goods[_i].text, size, &value, &error))
            ck_abort_msg("%.*s was taken", (int)size, goods[_i].text);
}
END_TEST

START_TEST(json_survives_a_change_of_any_byte) {
    size_t size = goods[_i].size, taken = 0;
    char *text = malloc(size);
    memcpy(text, goods[_i].text, size);
    for (size_t at = 0; at < size; at++) {
        for (unsigned byte = 0; byte <= 0xFF; byte++) {
            struct json_value value;
            struct json_error error;
            text[at] = (char)byte;
            if (checked(text, size, &value, &error)) {
                walk(&value);
                taken++;
            }
        }
        text[at] = goods[_i].text[at];
    }
    ck_assert_uint_ge(taken, size); /* one change of each byte is none */
    free(text);
}
END_TEST

/* At every place in a word of eight bytes. */
START_TEST(json_finds_a_bad_byte_anywhere_in_a_string) {
    static const struct {
        char byte;
        const char *what;
    } bad[] = {{'\0', CONTROL}, {'\x1f', CONTROL}, {'\n', CONTROL}, {'\x80', UTF8}, {'\xff', UTF8}};
    char text[40];
    for (size_t at = 1; at < sizeof text - 1; at++)
        for (size_t start = 0; start < at; start++)
            for (int i = 0; i < COUNT(bad); i++) {
                struct json_value value;
                struct json_error error;
                memset(text, '!', sizeof text);
                text[start] = text[sizeof text - 1] = '"';
                ck_assert(checked(text + start, sizeof text - start, &value, &error));
                text[at] = bad[i].byte;
                ck_assert(!checked(text + start, sizeof text - start, &value, &error));
                ck_assert_str_eq(error.what, bad[i].what);
                ck_assert_uint_eq(error.offset, at - start);
            }
}
END_TEST

/* --- Depth and size ---------------------------------------------------------------------------------------- */

/* `depth` arrays and objects by turns, around a number; "{"a":" has five bytes. */
static size_t nest(char *text, int depth, bool objects) {
    size_t size = 0;
    for (int i = 0; i < depth; i++)
        size += (size_t)sprintf(text + size, "%s", objects && i % 2 == 0 ? "{\"a\":" : "[");
    text[size++] = '1';
    for (int i = depth; i-- > 0;)
        text[size++] = objects && i % 2 == 0 ? '}' : ']';
    return size;
}

START_TEST(json_limits_depth_to_64) {
    char text[1024];
    struct json_value value;
    struct json_error error;
    for (int objects = 0; objects < 2; objects++) {
        for (int levels = 0; levels <= JSON_DEPTH_MAX; levels++) {
            size_t size = nest(text, levels, objects);
            ck_assert_msg(checked(text, size, &value, &error), "%d: %s", levels, error.what);
            ck_assert_uint_eq(value.size, size);
            if (objects)
                walk(&value);
            else
                text[size - (size_t)levels / 2 - 1] = '}';
            ck_assert(objects || levels == 0 || !checked(text, size, &value, &error));
        }
        size_t size = nest(text, JSON_DEPTH_MAX + 1, objects);
        ck_assert(!checked(text, size, &value, &error));
        ck_assert_str_eq(error.what, DEPTH);
        ck_assert_uint_eq(error.offset, objects ? JSON_DEPTH_MAX / 2 * 6 : JSON_DEPTH_MAX);
    }
    ck_assert_int_eq(JSON_DEPTH_MAX, 64); /* as the error says */
}
END_TEST

/* `unit` repeated between two brackets or quotes. */
static char *repeated(char first, const char *unit, char last, size_t size) {
    char *text = malloc(size);
    size_t unit_size = strlen(unit);
    for (size_t i = 0; i + 2 < size; i++)
        text[i + 1] = unit[i % unit_size];
    text[0] = first;
    text[size - 1] = last;
    return text;
}

/* Sizes at which the last unit is whole. */
START_TEST(json_reads_large_texts) {
    static const struct {
        char first;
        const char *unit;
        char last;
        bool good;
    } cases[] = {
        {'"', "letters ", '"', true}, {'"', "\\\\", '"', true}, {'"', "\\u00e9\\\"", '"', true},
        {'"', "\xc3\xa9", '"', true}, {'[', " ", ']', true},    {'"', "\\", '"', false},
        {'[', "[", ']', false},       {'{', "{", '}', false},   {'[', "[],", ']', false},
        {'1', "0", '0', true},        {'-', "9", '.', false},   {'"', "\xc3", '"', false},
        {'[', "{\"a\":", ']', false}, {'1', " ", ' ', true},    {' ', "\n", ' ', false},
    };
    for (int i = 0; i < COUNT(cases); i++) {
        size_t size = LARGE / 24 * 24 + 2;
        char *text = repeated(cases[i].first, cases[i].unit, cases[i].last, size);
        struct json_value value;
        struct json_error error;
        bool odd = strcmp(cases[i].unit, "\\") == 0;
        ck_assert_msg(checked(text, odd ? size - 1 : size, &value, &error) == cases[i].good, "%s", cases[i].unit);
        free(text);
    }
}
END_TEST

START_TEST(json_finds_members_after_a_large_one) {
    char *data = repeated('"', "\\\\\\\"]}", '"', LARGE / 6 * 6 + 2), *text = NULL;
    int data_size = LARGE / 6 * 6 + 2;
    ck_assert_int_gt(asprintf(&text, "{\"a\":%.*s,\"b\":[{},%.*s],\"c\":3}", data_size, data, data_size, data), 0);
    struct json_value object = good(text), name, value;
    size_t position = 0;
    ck_assert(json_member(&object, &position, &name, &value) && value.size == (size_t)data_size);
    ck_assert(json_member(&object, &position, &name, &value) && value.size == (size_t)data_size + 5);
    ck_assert(json_member(&object, &position, &name, &value) && json_whole(&value) == 3);
    ck_assert(!json_member(&object, &position, &name, &value));
    free(data);
    free(text);
}
END_TEST

/* --- Another reader ---------------------------------------------------------------------------------------- */

/* Every text of `size` of these characters between `before` and `behind`. */
static size_t compare_all(const char *before, const char *characters, size_t size, const char *behind) {
    size_t count = strlen(characters), combinations = 1, taken = 0, start = strlen(before);
    char text[TEXT_SIZE];
    for (size_t i = 0; i < size; i++)
        combinations *= count;
    size_t whole = (size_t)snprintf(text, sizeof text, "%s%*s%s", before, (int)size, "", behind);
    for (size_t combination = 0; combination < combinations; combination++) {
        size_t rest = combination;
        for (size_t i = 0; i < size; i++, rest /= count)
            text[start + i] = characters[rest % count];
        struct json_value value;
        struct json_error error;
        bool is_taken = json_check(text, whole, &value, &error) == 0;
        if (is_taken != reference_takes(text, whole))
            ck_abort_msg("%.*s: jansson does not agree", (int)whole, text);
        taken += is_taken;
    }
    return taken;
}

START_TEST(json_agrees_with_jansson_on_short_texts) {
    static const struct {
        const char *before, *characters, *behind;
        size_t size_max;
    } cases[] = {
        {"", "{}[],:\" 0", "", 5},
        {"", "012-+.eE ", "", 5}, /* nothing that is too large for jansson */
        {"[1", "{}[],:\" 1", "]", 5},
        {"{\"a\":1", ",:}{\"b2 ", "}", 5},
        {"\"", "\\u\"n\x1f\x7f/\xc3\xa9", "\"", 5},
        {"\"\\u", "0aAfFgG \\\"", "\"", 5},
        {"\"", "\xe0\xa0\xed\x9f\xf0\x90\xf4\x8f\xbf", "\"", 4},
        {"", "trueTfals", "", 5},
        {"", "nul \t\v\xef\xbb\xbf", "", 5},
    };
    for (size_t size = 0; size <= cases[_i].size_max; size++)
        compare_all(cases[_i].before, cases[_i].characters, size, cases[_i].behind);
    ck_assert_uint_gt(compare_all(cases[_i].before, cases[_i].characters, 4, cases[_i].behind), 0);
}
END_TEST

/* --- Members ----------------------------------------------------------------------------------------------- */

START_TEST(json_member_visits_members_in_order) {
    struct json_value object = good(
                          " {\"a\":1 , \"\\\"}\" : \"\\\\\" ,\n\"c\":{\"a\":[2,{}]}\t,\"a\" :[\"]\"],\"\":null}"),
                      name, value;
    static const struct {
        const char *name, *value;
        enum json_type type;
    } expected[] = {
        {"\"a\"", "1", JSON_NUMBER},
        {"\"\\\"}\"", "\"\\\\\"", JSON_STRING},
        {"\"c\"", "{\"a\":[2,{}]}", JSON_OBJECT},
        {"\"a\"", "[\"]\"]", JSON_ARRAY},
        {"\"\"", "null", JSON_NULL},
    };
    size_t position = 0;
    for (int i = 0; i < COUNT(expected); i++) {
        ck_assert(json_member(&object, &position, &name, &value));
        ck_assert(name.type == JSON_STRING && same_bytes(&name, expected[i].name));
        ck_assert(value.type == expected[i].type && same_bytes(&value, expected[i].value));
    }
    for (int i = 0; i < 3; i++)
        ck_assert(!json_member(&object, &position, &name, &value));
}
END_TEST

START_TEST(json_member_finds_none_outside_nonempty_objects) {
    static const char *const texts[] = {"{}", "{ \n}", "[]",  "[{\"a\":1}]", "\"{\\\"a\\\":1}\"",
                                        "7",  "true",  "null"};
    for (int i = 0; i < COUNT(texts); i++) {
        struct json_value object = good(texts[i]), name, value;
        size_t position = 0;
        ck_assert(!json_member(&object, &position, &name, &value));
    }
}
END_TEST

/* The text was not checked: results stay within these bytes, and iteration ends. */
static void grope(const char *text, size_t size) {
    uint8_t *copy = malloc(size);
    memcpy(copy, text, size);
    struct json_value object = {JSON_OBJECT, copy, size}, name, value;
    char decoded[TEXT_SIZE];
    for (size_t position = 0, before = 0; json_member(&object, &position, &name, &value); before = position) {
        ck_assert(position > before && position <= size);
        ck_assert(name.bytes > copy && name.bytes + name.size < value.bytes);
        ck_assert(value.bytes + value.size <= copy + size);
        json_text(&name, decoded, sizeof decoded);
        json_text_is(&name, "name");
        json_text(&value, decoded, sizeof decoded);
        json_whole(&value);
    }
    free(copy);
}

START_TEST(json_member_is_safe_on_malformed_text) {
    char text[256];
    for (size_t size = 1; size <= goods[_i].size; size++)
        for (size_t at = 0; at < size; at++)
            for (const char *byte = "{}[],:\"\\ 1u"; *byte != '\0'; byte++) {
                memcpy(text, goods[_i].text, size);
                text[at] = *byte;
                grope(text, size);
            }
}
END_TEST

/* --- Strings ----------------------------------------------------------------------------------------------- */

/* `text` NULL: it cannot be told as one. */
static const struct {
    const char *string, *text;
} strings[] = {
    {"\"\"", ""},
    {"\"a\"", "a"},
    {"\"Hello, world\"", "Hello, world"},
    {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t"},
    {"\"a\\nb\\n\\nc\"", "a\nb\n\nc"},
    {"\"\\\\n\\\\u0041\"", "\\n\\u0041"},
    {"\"\\u0041\\u007f\\u0080\\u07ff\\u0800\\uffff\"", "A\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf"},
    {"\"\\u00e9\\u00E9\xc3\xa9\"", "\xc3\xa9\xc3\xa9\xc3\xa9"},
    {"\"\\ud800\\udc00\\uDBFF\\uDFFF\"", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"},
    {"\"x\\uD83D\\uDE00y\"", "x\xf0\x9f\x98\x80y"},
    {"\"\\ud7ff\\ue000\"", "\xed\x9f\xbf\xee\x80\x80"},
    {"\"\\u0001\"", "\x01"},
    {"\"\\u0000\"", NULL},
    {"\"a\\u0000b\"", NULL},
    {"\"\\ud800\"", NULL},
    {"\"\\udbff and more\"", NULL},
    {"\"\\udc00\"", NULL},
    {"\"\\udfff\\ud800\"", NULL},
    {"\"\\ud800\\ud800\\udc00\"", NULL},
    {"\"\\ud800\\u0041\"", NULL},
    {"\"\\ud800\\n\"", NULL},
    {"\"\\ud800udc00\"", NULL},
    {"\"\\ud800\\ue000\"", NULL},
};

START_TEST(json_text_decodes_strings_that_fit) {
    struct json_value string = good(strings[_i].string);
    const char *expected = strings[_i].text;
    for (size_t size = 0; size < TEXT_SIZE; size++) {
        char *text = malloc(size);
        long length = json_text(&string, text, size);
        if (expected != NULL && size > strlen(expected)) {
            ck_assert_int_eq(length, (long)strlen(expected));
            ck_assert_str_eq(text, expected);
        } else {
            ck_assert_int_eq(length, -1);
            ck_assert(size == 0 || text[0] == '\0');
        }
        free(text);
    }
}
END_TEST

START_TEST(json_text_is_compares_decoded_strings) {
    struct json_value string = good(strings[_i].string);
    for (int i = 0; i < COUNT(strings); i++) {
        bool same =
            strings[_i].text != NULL && strings[i].text != NULL && strcmp(strings[_i].text, strings[i].text) == 0;
        ck_assert(strings[i].text == NULL || json_text_is(&string, strings[i].text) == same);
    }
    if (strings[_i].text == NULL) {
        ck_assert(!json_text_is(&string, "") && !json_text_is(&string, "a"));
        return;
    }
    char *text = strdup(strings[_i].text);
    size_t size = strlen(text);
    ck_assert(json_text_is(&string, text));
    for (size_t i = 0; i < size; i++) { /* shorter, and with another byte */
        text[i] ^= 1;
        ck_assert(text[i] == '\0' || !json_text_is(&string, text));
        text[i] = '\0';
        ck_assert(!json_text_is(&string, text));
        text[i] = strings[_i].text[i];
    }
    char *longer = NULL;
    ck_assert_int_gt(asprintf(&longer, "%sx", text), 0);
    ck_assert(!json_text_is(&string, longer));
    free(longer);
    free(text);
}
END_TEST

START_TEST(json_text_refuses_other_types) {
    static const char *const texts[] = {"1", "123", "true", "null", "[\"a\"]", "{\"a\":1}"};
    char text[TEXT_SIZE];
    for (int i = 0; i < COUNT(texts); i++) {
        struct json_value value = good(texts[i]);
        ck_assert_int_eq(json_text(&value, text, sizeof text), -1);
        ck_assert(!json_text_is(&value, texts[i]) && !json_text_is(&value, "2") && !json_text_is(&value, ""));
    }
}
END_TEST

/* Decoded by jansson too; it takes neither U+0000 nor half a pair. */
static void compare_text(const char *string) {
    struct json_value value = good(string);
    char text[TEXT_SIZE], *other = reference_text(string);
    long length = json_text(&value, text, sizeof text);
    ck_assert_msg((length >= 0) == (other != NULL), "%s", string);
    if (other != NULL) {
        ck_assert_str_eq(text, other);
        ck_assert(utf8_valid((const uint8_t *)text, (size_t)length));
        ck_assert(json_text_is(&value, other));
    }
    free(other);
}

START_TEST(json_decodes_every_escaped_unit) {
    static const unsigned others[] = {0x0000, 0x0041, 0xD7FF, 0xD800, 0xDBFF, 0xDC00, 0xDC01, 0xDFFF, 0xE000};
    char string[TEXT_SIZE];
    for (unsigned unit = 0; unit <= 0xFFFF; unit++) {
        snprintf(string, sizeof string, "\"\\u%04x\"", unit);
        compare_text(string);
        for (int i = 0; unit >= 0xD700 && unit < 0xE100 && i < COUNT(others); i++) {
            snprintf(string, sizeof string, "\"\\u%04X\\u%04x\"", unit, others[i]);
            compare_text(string);
        }
    }
}
END_TEST

/* --- Numbers ----------------------------------------------------------------------------------------------- */

static const struct {
    const char *text;
    int64_t whole;
} numbers[] = {
    {"0", 0},
    {"1", 1},
    {"9", 9},
    {"10", 10},
    {"4294967296", 4294967296},
    {"9007199254740991", 9007199254740991},
    {"9007199254740992", 9007199254740992},
    {"9007199254740993", -1},
    {"9007199254740999", -1},
    {"90071992547409920", -1},
    {"18446744073709551616", -1},
    {"18446744073709551617", -1},
    {"99999999999999999999999999999999999999999999999999", -1},
    {"-0", -1},
    {"-1", -1},
    {"0.0", -1},
    {"1.0", -1},
    {"1e0", -1},
    {"1E2", -1},
    {"true", -1},
    {"null", -1},
    {"\"1\"", -1},
    {"[1]", -1},
    {"{}", -1},
};

START_TEST(json_whole_reads_whole_numbers) {
    struct json_value value = good(numbers[_i].text);
    ck_assert_int_eq(json_whole(&value), numbers[_i].whole);
}
END_TEST

Suite *json_suite(void) {
    Suite *suite = suite_create("json");
    TCase *tcase = tcase_create("json");
    tcase_add_loop_test(tcase, json_accepts_good_texts, 0, COUNT(goods));
    tcase_add_loop_test(tcase, json_refuses_bad_texts_with_place_and_reason, 0, COUNT(bads));
    tcase_add_loop_test(tcase, json_refuses_truncated_texts, 0, COUNT(goods));
    tcase_add_loop_test(tcase, json_survives_a_change_of_any_byte, 0, COUNT(goods));
    tcase_add_test(tcase, json_finds_a_bad_byte_anywhere_in_a_string);
    tcase_add_test(tcase, json_limits_depth_to_64);
    tcase_add_test(tcase, json_reads_large_texts);
    tcase_add_test(tcase, json_finds_members_after_a_large_one);
    tcase_add_loop_test(tcase, json_agrees_with_jansson_on_short_texts, 0, 9);
    tcase_add_test(tcase, json_member_visits_members_in_order);
    tcase_add_test(tcase, json_member_finds_none_outside_nonempty_objects);
    tcase_add_loop_test(tcase, json_member_is_safe_on_malformed_text, 0, COUNT(goods));
    tcase_add_loop_test(tcase, json_text_decodes_strings_that_fit, 0, COUNT(strings));
    tcase_add_loop_test(tcase, json_text_is_compares_decoded_strings, 0, COUNT(strings));
    tcase_add_test(tcase, json_text_refuses_other_types);
    tcase_add_test(tcase, json_decodes_every_escaped_unit);
    tcase_add_loop_test(tcase, json_whole_reads_whole_numbers, 0, COUNT(numbers));
    suite_add_tcase(suite, tcase);
    return suite;
}
