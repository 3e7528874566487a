/* test_heads.c - a request's head: the fields that civetweb has split it into (cut_head.h), its target (target.h),
 * and the consistency of its fields (request_check.h).
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>
#include <string.h>

#include "server/http/civetweb/cut_head.h"
#include "server/http/request_check.h"
#include "server/http/target.h"
#include "tests/unit/suites.h"

/* --- Cut heads ---------------------------------------------------------------------------------------------- */

enum { FIELDS_MAX = 3 };

/* Cuts a head in the way of civetweb 1.15 and 1.16, parse_http_request() and parse_http_headers(). Returns how many
 * fields it has found. */
static size_t cut_fields(char *at, struct cut_field *fields) {
    size_t count = 0;
    while (count < FIELDS_MAX) {
        char *name = at;
        at += strcspn(at, ": \r\n");
        if (at == name)
            break;
        for (; *at == ' '; at++)
            *at = '\0';
        *at++ = '\0';
        at += strspn(at, " \t");
        fields[count++] = (struct cut_field){name, at};
        at += strcspn(at, "\r\n");
        if (*at == '\r')
            *at++ = '\0';
        if (*at == '\0')
            break;
        *at++ = '\0';
        if (*at == '\r' || *at == '\n')
            break;
    }
    return count;
}

static char *cut_word(char *at, const char *end) {
    at += strcspn(at, end);
    while (*at != '\0' && strchr(" \r\n", *at) != NULL)
        *at++ = '\0';
    return at;
}

struct cut {
    char *text;
    struct cut_field fields[FIELDS_MAX];
    size_t size;
    const char *why;
    int status;
};

/* In memory that ends with the head, so that a sanitizer sees a read beyond it. */
static struct cut cut(const char *head) {
    struct cut cut = {.text = malloc(strlen(head)), .why = ""};
    size_t size = strlen(head);
    memcpy(cut.text, head, size);
    cut.text[size - 1] = '\0'; /* its last LF */
    char *method = cut.text + strspn(cut.text, "\r\n");
    char *target = cut_word(method, " "), *version = cut_word(target, " ");
    char *fields = cut_word(version, "\r\n");
    const struct cut_head described = {.buffer = cut.text,
                                       .buffer_size = size,
                                       .method = method,
                                       .target = target,
                                       .version = version + strlen("HTTP/"),
                                       .fields = cut.fields,
                                       .field_count = cut_fields(fields, cut.fields),
                                       .fields_max = FIELDS_MAX};
    cut.status = cut_head_check(&described, &cut.size, &cut.why);
    return cut;
}

static const struct {
    const char *head;
    int status;
} heads[] = {
    {"GET / HTTP/1.0\r\n\r\n", 0},
    {"GET / HTTP/1.1\r\nHost: h\r\n\r\n", 0},
    {"\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", 0},
    {"GET / HTTP/1.1\r\nHost:h\r\nA:\r\nB: \t x \t \r\n\r\n", 0},
    {"\n\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"GET  / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"GET /  HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n Host: h\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n\nHost: h\r\n\r\n", 400},
    {"GET / HTTP/1.1\nHost: h\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: h\nA: b\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: h\n\n", 400},
    {"GET / HTTP/1.0\n\n", 400},
    {"GET / HTTP/1.1\r\nHost : h\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost :h\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost  : h\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHo(st: h\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: h\r\n A: b\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n c\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: h\r\n: b\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: h\r\nA: b\r\nB: c\r\n\r\n", 0},
    {"GET / HTTP/1.1\r\nHost: h\r\nA: b\r\nB: c\r\nC: d\r\n\r\n", 431},
};

START_TEST(head_is_split_into_fields_or_refused) {
    struct cut result = cut(heads[_i].head);
    ck_assert_msg(result.status == heads[_i].status, "%s: %d %s", heads[_i].head, result.status, result.why);
    ck_assert_int_eq(result.status == 0, *result.why == '\0');
    if (result.status == 0)
        ck_assert_uint_eq(result.size, strlen(heads[_i].head));
    free(result.text);
}
END_TEST

START_TEST(head_values_lose_surrounding_blanks) {
    struct cut result = cut("GET / HTTP/1.1\r\nA:  \t b \tc \t \r\nB: \t \r\nC:d\r\n\r\n");
    ck_assert_int_eq(result.status, 0);
    ck_assert_str_eq(result.fields[0].value, "b \tc");
    ck_assert_str_eq(result.fields[1].value, "");
    ck_assert_str_eq(result.fields[2].value, "d");
    free(result.text);
}
END_TEST

/* --- Targets ------------------------------------------------------------------------------------------------ */

static const struct {
    const char *target;
    int status;
    const char *authority, *path, *query;
} targets[] = {
    {"/", 0, NULL, "/", ""},
    {"/a/b?c=d?e", 0, NULL, "/a/b", "c=d?e"},
    {"/a?", 0, NULL, "/a", ""},
    {"//x:1/a", 0, NULL, "//x:1/a", ""},
    {"*", 0, NULL, "*", ""},
    {"http://example.com/a?b", 0, "example.com", "/a", "b"},
    {"HTTPS://example.com:8443/a", 0, "example.com:8443", "/a", ""},
    {"ws://[::1]:9/a", 0, "[::1]:9", "/a", ""},
    {"wss://h", 0, "h", "/", ""},
    {"http://h?a/b", 0, "h", "/", "a/b"},
    {"http://h/x:y?http://z", 0, "h", "/x:y", "http://z"},
    {"", 400, NULL, NULL, NULL},
    {"*x", 400, NULL, NULL, NULL},
    {"?a", 400, NULL, NULL, NULL},
    {"a", 400, NULL, NULL, NULL},
    {"h:443", 400, NULL, NULL, NULL},
    {"ftp://h/", 400, NULL, NULL, NULL},
    {"http:///a", 400, NULL, NULL, NULL},
    {"http://:80/a", 400, NULL, NULL, NULL},
    {"http://u@h/a", 400, NULL, NULL, NULL},
    {"http://h\"/a", 400, NULL, NULL, NULL},
    {"http:/h/a", 400, NULL, NULL, NULL},
    {"/a#b", 400, NULL, NULL, NULL},
    {"/a b", 400, NULL, NULL, NULL},
    {"/\xc3\xa9", 400, NULL, NULL, NULL},
};

START_TEST(target_is_parsed_or_refused) {
    struct target target;
    const char *why = NULL;
    char *text = strdup(targets[_i].target);
    int status = target_parse(text, &target, &why);
    ck_assert_msg(status == targets[_i].status, "%s: %d", targets[_i].target, status);
    ck_assert(status == 0 || why != NULL);
    if (status == 0) {
        ck_assert_str_eq(target.path, targets[_i].path);
        ck_assert_str_eq(target.query, targets[_i].query);
        ck_assert_pstr_eq(target.authority, targets[_i].authority);
    }
    free(text);
}
END_TEST

static int status_of_length(const char *front, size_t size) {
    static char text[2 * TARGET_MAX];
    struct target target;
    const char *why;
    memset(text, 'x', size);
    memcpy(text, front, strlen(front));
    text[size] = '\0';
    return target_parse(text, &target, &why);
}

START_TEST(target_length_is_limited) {
    ck_assert_int_eq(status_of_length("/", TARGET_PATH_MAX), 0);
    ck_assert_int_eq(status_of_length("/", TARGET_PATH_MAX + 1), 414);
    ck_assert_int_eq(status_of_length("/?", TARGET_MAX), 0);
    ck_assert_int_eq(status_of_length("/?", TARGET_MAX + 1), 414);
    ck_assert_int_eq(status_of_length("http://h/", TARGET_PATH_MAX + 8), 0);
    ck_assert_int_eq(status_of_length("http://h/", TARGET_PATH_MAX + 9), 414);
}
END_TEST

/* --- What the fields must agree on -------------------------------------------------------------------------- */

static const struct {
    const char *version, *names[2], *values[2];
    int status;
} requests[] = {
    {"1.1", {"Host"}, {"h:9000"}, 0},
    {"1.1", {"host"}, {""}, 0},
    {"1.1", {"Host"}, {"[::1]"}, 0},
    {"1.0", {"A"}, {"b"}, 0},
    {"1.1", {"A"}, {"b"}, 400},
    {"1.1", {"Host", "HOST"}, {"h", "h"}, 400},
    {"1.0", {"Host", "Host"}, {"h", "h"}, 400},
    {"1.1", {"Host"}, {"a, b"}, 400},
    {"1.1", {"Host"}, {"a b"}, 400},
    {"1.1", {"Host"}, {"h/x"}, 400},
    {"1.1", {"Host"}, {"u@h"}, 400},
    {"1.0", {"Content-Length"}, {"5"}, 0},
    {"1.0", {"Content-Length"}, {""}, 400},
    {"1.0", {"Content-Length"}, {"5x"}, 400},
    {"1.0", {"Content-Length"}, {"+5"}, 400},
    {"1.0", {"Content-Length", "Content-Length"}, {"5", "5"}, 400},
    {"1.0", {"Transfer-Encoding"}, {"Chunked"}, 0},
    {"1.0", {"Transfer-Encoding"}, {"gzip"}, 400},
    {"1.0", {"Transfer-Encoding", "Content-Length"}, {"chunked", "5"}, 400},
};

START_TEST(request_fields_must_agree) {
    struct http_header headers[2];
    struct http_request request = {
        .method = "GET", .version = requests[_i].version, .path = "/", .headers = headers};
    const char *why = "";
    for (; request.header_count < 2 && requests[_i].names[request.header_count] != NULL; request.header_count++)
        headers[request.header_count] = (struct http_header){requests[_i].names[request.header_count],
                                                             requests[_i].values[request.header_count]};
    ck_assert_msg(request_check(&request, &why) == requests[_i].status, "%s: %s", requests[_i].names[0], why);
    ck_assert_int_eq(requests[_i].status == 0, *why == '\0');
}
END_TEST

START_TEST(target_asterisk_is_for_options_only) {
    struct http_request request = {.method = "OPTIONS", .version = "1.0", .path = "*"};
    const char *why;
    ck_assert_int_eq(request_check(&request, &why), 0);
    request.method = "GET";
    ck_assert_int_eq(request_check(&request, &why), 400);
}
END_TEST

Suite *heads_suite(void) {
    Suite *suite = suite_create("heads");
    TCase *tcase = tcase_create("heads");
    tcase_add_loop_test(tcase, head_is_split_into_fields_or_refused, 0, COUNT(heads));
    tcase_add_test(tcase, head_values_lose_surrounding_blanks);
    tcase_add_loop_test(tcase, target_is_parsed_or_refused, 0, COUNT(targets));
    tcase_add_test(tcase, target_length_is_limited);
    tcase_add_loop_test(tcase, request_fields_must_agree, 0, COUNT(requests));
    tcase_add_test(tcase, target_asterisk_is_for_options_only);
    suite_add_tcase(suite, tcase);
    return suite;
}
