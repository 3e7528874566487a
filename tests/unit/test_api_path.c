/* test_api_path.c - paths and queries of the admin API, and bodies read up to a limit.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>
#include <string.h>

#include "server/admin/api_path.h"
#include "server/http/http.h"
#include "tests/unit/suites.h"

START_TEST(api_path_is_split_before_it_is_decoded) {
    static const struct {
        const char *raw;
        enum api_path_result result;
        size_t count;
        const char *segments[API_SEGMENTS_MAX];
    } cases[] = {
        {"/api", API_PATH_DONE, 0, {NULL}},
        {"/api/", API_PATH_DONE, 1, {""}},
        {"/api/channels", API_PATH_DONE, 1, {"channels"}},
        {"/api/channels/", API_PATH_DONE, 2, {"channels", ""}},
        {"/api/channels//messages", API_PATH_DONE, 3, {"channels", "", "messages"}},
        {"/api/channels/a%2Fb/messages", API_PATH_DONE, 3, {"channels", "a/b", "messages"}},
        {"/api/channels/a%2fb%23", API_PATH_DONE, 2, {"channels", "a/b#"}},
        {"/api/channels/%252F", API_PATH_DONE, 2, {"channels", "%2F"}},
        {"/api/channels/a+b", API_PATH_DONE, 2, {"channels", "a+b"}},
        {"/api/channels/%01", API_PATH_DONE, 2, {"channels", "\x01"}},
        {"/api/../channels", API_PATH_DONE, 2, {"..", "channels"}},
        {"/api/1/2/3/4/5/6", API_PATH_DONE, 6, {"1", "2", "3", "4", "5", "6"}},
        {"/api/1/2/3/4/5/6/7", API_PATH_LONG, 0, {NULL}},
        {"/api/a%00b", API_PATH_MALFORMED, 0, {NULL}},
        {"/api/a%", API_PATH_MALFORMED, 0, {NULL}},
        {"/api/a%2", API_PATH_MALFORMED, 0, {NULL}},
        {"/api/a%2/b", API_PATH_MALFORMED, 0, {NULL}},
        {"/api/a%zz", API_PATH_MALFORMED, 0, {NULL}},
        {"/api/a%+1", API_PATH_MALFORMED, 0, {NULL}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct api_path path;
        ck_assert_msg(api_path_parse(cases[i].raw, &path) == cases[i].result, "%s", cases[i].raw);
        if (cases[i].result != API_PATH_DONE)
            continue;
        ck_assert_msg(path.count == cases[i].count, "%s has %zu", cases[i].raw, path.count);
        for (size_t part = 0; part < path.count; part++)
            ck_assert_str_eq(path.segments[part], cases[i].segments[part]);
    }
}
END_TEST

START_TEST(api_path_of_any_length_is_parsed_or_too_long) {
    char raw[2 * API_PATH_SIZE];
    struct api_path path;
    for (size_t size = 4; size < sizeof raw; size++) {
        memset(raw, '/', size);
        memcpy(raw, "/api", 4);
        memset(raw + 5, 'x', size > 5 ? size - 5 : 0);
        raw[size] = '\0';
        enum api_path_result result = api_path_parse(raw, &path);
        ck_assert(result == (size < API_PATH_SIZE - 100 ? API_PATH_DONE : result));
        ck_assert(result == (size > API_PATH_SIZE ? API_PATH_LONG : result));
    }
}
END_TEST

START_TEST(api_path_is_recognised_by_its_first_segment) {
    ck_assert(api_path_is("/api"));
    ck_assert(api_path_is("/api/x"));
    ck_assert(!api_path_is("/apis"));
    ck_assert(!api_path_is("/metrics"));
    ck_assert(!api_path_is(""));
}
END_TEST

static const char *const names[] = {"limit", "prefix", NULL};

static const char *wrong_with(const char *raw, struct api_query *query) {
    const char *name;
    size_t name_size;
    return api_query_parse(raw, names, query, &name, &name_size);
}

START_TEST(api_query_is_decoded_and_errors_are_named) {
    struct api_query query;
    ck_assert_ptr_null(wrong_with("", &query));
    ck_assert_ptr_null(api_query_text(&query, "limit"));
    ck_assert_ptr_null(wrong_with("prefix=a%26b%3D+c&limit=7", &query));
    ck_assert_str_eq(api_query_text(&query, "prefix"), "a&b= c");
    ck_assert_str_eq(api_query_text(&query, "limit"), "7");
    ck_assert_ptr_null(wrong_with("prefix=&&", &query));
    ck_assert_str_eq(api_query_text(&query, "prefix"), "");
    ck_assert_ptr_null(wrong_with("pre%66ix=x=y", &query));
    ck_assert_str_eq(api_query_text(&query, "prefix"), "x=y");
    ck_assert_str_eq(wrong_with("limt=7", &query), "is unknown here");
    ck_assert_str_eq(wrong_with("=7", &query), "is unknown here");
    ck_assert_str_eq(wrong_with("limit=7&limit=7", &query), "is given twice");
    ck_assert_str_eq(wrong_with("limit", &query), "has no value");
    ck_assert_str_eq(wrong_with("limit=%00", &query), "is malformed");
    ck_assert_str_eq(wrong_with("%4=7", &query), "is malformed");
    char large[API_PATH_SIZE + 1];
    memset(large, 'x', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    ck_assert_str_eq(wrong_with(large, &query), "makes the query too long");
}
END_TEST

START_TEST(api_query_number_must_be_within_its_range) {
    static const struct {
        const char *raw;
        bool right;
        uint64_t number;
    } cases[] = {
        {"", true, 5},           {"limit=1", true, 1},
        {"limit=10", true, 10},  {"limit=0010", true, 10},
        {"limit=0", false, 0},   {"limit=11", false, 0},
        {"limit=-1", false, 0},  {"limit=1.5", false, 0},
        {"limit=", false, 0},    {"limit=+1", false, 0},
        {"limit=1e1", false, 0}, {"limit=18446744073709551617", false, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct api_query query;
        uint64_t number;
        ck_assert_ptr_null(wrong_with(cases[i].raw, &query));
        ck_assert_msg(api_query_number(&query, "limit", 1, 10, 5, &number) == cases[i].right, "%s", cases[i].raw);
        if (cases[i].right)
            ck_assert_uint_eq(number, cases[i].number);
    }
    uint64_t most;
    ck_assert(api_number("18446744073709551615", UINT64_MAX, &most) && most == UINT64_MAX);
    ck_assert(!api_number("18446744073709551616", UINT64_MAX, &most));
}
END_TEST

/* --- Bodies ------------------------------------------------------------------------------------------------- */

/* One that is there already. */
struct given {
    struct http_body body;
    size_t size, taken;
    bool breaks_off;
};

static long take(struct http_body *body, void *bytes, size_t size) {
    struct given *given = (struct given *)body;
    size_t left = given->size - given->taken, count = size < left ? size : left;
    memset(bytes, 'x', count);
    given->taken += count;
    body->ended = given->taken == given->size && (body->length >= 0 || count < size);
    return given->breaks_off && left < size ? -1 : (long)count;
}

static enum http_body_result read_given(struct given *given, size_t max, size_t *size) {
    uint8_t *bytes;
    const struct http_request request = {.body = &given->body};
    enum http_body_result result = http_request_body(&request, max, &bytes, size);
    for (size_t i = 0; result == HTTP_BODY_READ && i < *size; i++)
        ck_assert_int_eq(bytes[i], 'x');
    free(bytes);
    return result;
}

START_TEST(http_body_is_read_up_to_its_limit) {
    static const size_t sizes[] = {0, 1, 16383, 16384, 16385, 32768, 99999, 100000, 100001, 1000000};
    enum { MAX = 100000 };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int chunked = 0; chunked < 2; chunked++) {
            struct given given = {.body = {.read = take, .length = chunked ? -1 : (long long)sizes[i]},
                                  .size = sizes[i]};
            size_t size;
            enum http_body_result result = read_given(&given, MAX, &size);
            ck_assert_msg(result == (sizes[i] > MAX ? HTTP_BODY_TOO_LARGE : HTTP_BODY_READ), "%zu", sizes[i]);
            ck_assert_uint_le(given.taken, MAX + 1);
            if (result == HTTP_BODY_READ)
                ck_assert_uint_eq(size, sizes[i]);
        }
    size_t size;
    struct given broken = {.body = {.read = take, .length = 10}, .size = 9};
    ck_assert_int_eq(read_given(&broken, 100, &size), HTTP_BODY_BROKEN);
    broken = (struct given){.body = {.read = take, .length = -1}, .size = 9, .breaks_off = true};
    ck_assert_int_eq(read_given(&broken, 100, &size), HTTP_BODY_BROKEN);
}
END_TEST

Suite *api_path_suite(void) {
    Suite *suite = suite_create("api_path");
    TCase *tcase = tcase_create("api_path");
    tcase_add_test(tcase, api_path_is_split_before_it_is_decoded);
    tcase_add_test(tcase, api_path_of_any_length_is_parsed_or_too_long);
    tcase_add_test(tcase, api_path_is_recognised_by_its_first_segment);
    tcase_add_test(tcase, api_query_is_decoded_and_errors_are_named);
    tcase_add_test(tcase, api_query_number_must_be_within_its_range);
    tcase_add_test(tcase, http_body_is_read_up_to_its_limit);
    suite_add_tcase(suite, tcase);
    return suite;
}
