/* test_endpoints.c - answers to plain HTTP requests, and what an upgrade's headers come to.
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "server/http/endpoints.h"
#include "server/http/upgrade.h"
#include "tests/unit/suites.h"

static const char *const patterns[] = {"/echo", "/light/{status}"};

static struct http_response answer(const char *method, const char *path, const char *host, bool is_route) {
    const struct http_header headers[] = {{"host", host}};
    const struct http_request request = {
        .method = method, .version = "1.1", .path = path, .query = "", .headers = headers, .header_count = 1};
    struct http_response response = {0};
    endpoints_answer(&request, patterns, 2, is_route, &response);
    return response;
}

START_TEST(the_page_names_the_routes) {
    struct http_response response = answer("GET", "/", "example.com:9000", false);
    ck_assert_int_eq(response.status, 200);
    ck_assert_ptr_nonnull(strstr(response.body, "ws://example.com:9000/echo"));
    ck_assert_ptr_nonnull(strstr(response.body, "ws://example.com:9000/light/{status}"));
}
END_TEST

START_TEST(a_strange_host_is_not_repeated) {
    struct http_response response = answer("GET", "/", "<script>", false);
    ck_assert_ptr_null(strstr(response.body, "<script>"));
    ck_assert_ptr_nonnull(strstr(response.body, "ws://localhost/echo"));
}
END_TEST

START_TEST(other_paths) {
    ck_assert_int_eq(answer("GET", "/echo", "h", true).status, 426);
    ck_assert_str_eq(answer("GET", "/echo", "h", true).headers, "Upgrade: websocket\r\n");
    ck_assert_int_eq(answer("GET", "/none", "h", false).status, 404);
    ck_assert_int_eq(answer("POST", "/", "h", false).status, 404);
    ck_assert_int_eq(answer("POST", "/", "h", true).status, 426);
}
END_TEST

static const char KEY[] = "dGhlIHNhbXBsZSBub25jZQ==";

static int check_upgrade(const struct http_header *headers, size_t count, long long length, char *accept) {
    const struct http_request request = {.method = "GET",
                                         .version = "1.1",
                                         .path = "/",
                                         .query = "",
                                         .headers = headers,
                                         .header_count = count,
                                         .content_length = length};
    struct http_response response = {0};
    ck_assert(upgrade_is_wanted(&request));
    return upgrade_check(&request, accept, &response) ? 101 : response.status;
}

START_TEST(headers_sent_in_pieces_are_joined) {
    char accept[HANDSHAKE_ACCEPT_SIZE];
    const struct http_header headers[] = {{"Host", "h"},
                                          {"Connection", "keep-alive"},
                                          {"connection", "UPGRADE"},
                                          {"Upgrade", "h2c"},
                                          {"Upgrade", "WebSocket"},
                                          {"Sec-WebSocket-Version", "13"},
                                          {"Sec-WebSocket-Key", KEY},
                                          {"Sec-WebSocket-Key", KEY}};
    ck_assert_int_eq(check_upgrade(headers, 7, -1, accept), 101);
    ck_assert_str_eq(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    ck_assert_int_eq(check_upgrade(headers, 7, 0, accept), 101);
    ck_assert_int_eq(check_upgrade(headers, 7, 1, accept), 400);  /* a body */
    ck_assert_int_eq(check_upgrade(headers, 8, -1, accept), 400); /* two keys */
}
END_TEST

Suite *endpoints_suite(void) {
    Suite *suite = suite_create("endpoints");
    TCase *tcase = tcase_create("endpoints");
    tcase_add_test(tcase, the_page_names_the_routes);
    tcase_add_test(tcase, a_strange_host_is_not_repeated);
    tcase_add_test(tcase, other_paths);
    tcase_add_test(tcase, headers_sent_in_pieces_are_joined);
    suite_add_tcase(suite, tcase);
    return suite;
}
