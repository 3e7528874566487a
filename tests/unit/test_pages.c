/* test_pages.c - answers to plain HTTP requests, and the evaluation of a handshake's headers.
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "server/http/handshake_http.h"
#include "server/http/origin.h"
#include "server/http/pages.h"
#include "tests/unit/suites.h"

static const char *const patterns[] = {"/echo", "/light/{status}"};

static struct http_response answer_in(const struct pages_state *state, const char *method, const char *path,
                                      const char *host) {
    const struct http_header headers[] = {{"host", host}};
    const struct http_request request = {
        .method = method, .version = "1.1", .path = path, .query = "", .headers = headers, .header_count = 1};
    struct http_response response = {0};
    pages_answer(&request, state, &response);
    return response;
}

static struct http_response answer(const char *method, const char *path, const char *host, const char *route) {
    const struct pages_state state = {.patterns = patterns, .pattern_count = 2, .route = route};
    return answer_in(&state, method, path, host);
}

START_TEST(root_page_names_the_routes) {
    struct http_response response = answer("GET", "/", "example.com:9000", NULL);
    ck_assert_int_eq(response.status, 200);
    ck_assert_ptr_nonnull(strstr(response.body, "ws://example.com:9000/echo"));
    ck_assert_ptr_nonnull(strstr(response.body, "ws://example.com:9000/light/{status}"));
}
END_TEST

START_TEST(root_page_does_not_repeat_a_malformed_host) {
    struct http_response response = answer("GET", "/", "<script>", NULL);
    ck_assert_ptr_null(strstr(response.body, "<script>"));
    ck_assert_ptr_nonnull(strstr(response.body, "ws://localhost/echo"));
}
END_TEST

/* Headers of a proxy count only if it is trusted; the first element of a list is that of the client. */
START_TEST(root_page_links_follow_a_trusted_proxy) {
    static const struct {
        bool trusted;
        const char *protocol, *host, *link;
    } cases[] = {
        {true, "https", NULL, "    wss://inner:9000/echo\n"},
        {true, "HTTPS", NULL, "    wss://inner:9000/echo\n"},
        {true, "wss", "example.com", "    wss://example.com/echo\n"},
        {true, "https, http", "example.com:8443", "    wss://example.com:8443/echo\n"},
        {true, "https,http", "<b>", "    wss://inner:9000/echo\n"},
        {true, "http, https", NULL, "    ws://inner:9000/echo\n"},
        {true, "httpsx", "", "    ws://inner:9000/echo\n"},
        {true, "", "a b", "    ws://inner:9000/echo\n"},
        {true, NULL, "example.com", "    ws://example.com/echo\n"},
        {false, "https", "example.com", "    ws://inner:9000/echo\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct http_header headers[3] = {{"host", "inner:9000"}};
        size_t count = 1;
        if (cases[i].protocol != NULL)
            headers[count++] = (struct http_header){"x-forwarded-proto", cases[i].protocol};
        if (cases[i].host != NULL)
            headers[count++] = (struct http_header){"x-forwarded-host", cases[i].host};
        const struct http_request request = {
            .method = "GET", .version = "1.1", .path = "/", .query = "", .headers = headers, .header_count = count};
        struct pages_state state = {.patterns = patterns, .pattern_count = 2, .trusted_proxy = cases[i].trusted};
        struct http_response response = {0};
        pages_answer(&request, &state, &response);
        ck_assert_msg(strstr(response.body, cases[i].link) != NULL, "%s", response.body);
        bool secure = strstr(cases[i].link, "wss://") != NULL;
        ck_assert_int_eq(strstr(response.body, "new WebSocket('wss://") != NULL, secure);
        ck_assert_int_eq(strstr(response.body, "websockets wss://") != NULL, secure);
    }
}
END_TEST

START_TEST(plain_request_gets_426_on_a_route_and_404_elsewhere) {
    ck_assert_int_eq(answer("GET", "/echo", "h", "/echo").status, 426);
    ck_assert_str_eq(answer("GET", "/echo", "h", "/echo").headers, "Upgrade: websocket\r\n");
    ck_assert_int_eq(answer("GET", "/none", "h", NULL).status, 404);
}
END_TEST

START_TEST(plain_request_with_another_method_gets_405_or_204) {
    static const struct {
        const char *method, *path, *route;
        int status;
    } cases[] = {
        {"POST", "/", NULL, 405},           {"POST", "/", "/", 405},
        {"OPTIONS", "/", NULL, 204},        {"POST", "/echo", "/echo", 405},
        {"OPTIONS", "/echo", "/echo", 204}, {"DELETE", "/healthz", NULL, 405},
        {"OPTIONS", "*", NULL, 204},        {"OPTIONS", "/none", NULL, 404},
        {"POST", "/none", NULL, 404},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct http_response response = answer(cases[i].method, cases[i].path, "h", cases[i].route);
        ck_assert_msg(response.status == cases[i].status, "case %zu: %d", i, response.status);
        if (response.status != 404)
            ck_assert_str_eq(response.headers, "Allow: GET, HEAD, OPTIONS\r\n");
    }
}
END_TEST

START_TEST(handshake_without_upgrade_gets_advice_about_proxies) {
    const struct http_header headers[] = {{"Host", "h"}, {"Sec-WebSocket-Key", "k"}, {"Upgrade", "h2c"}};
    const struct pages_state states[] = {{.route = "/echo"}, {.route = "/"}};
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        struct http_request request = {
            .method = "GET", .version = "1.0", .path = states[i].route, .query = "", .headers = headers};
        struct http_response response = {0};
        request.header_count = 2;
        ck_assert(pages_lost_upgrade(&request));
        pages_answer(&request, &states[i], &response);
        ck_assert_int_eq(response.status, 426);
        ck_assert_ptr_nonnull(strstr(response.body, "proxy_http_version 1.1"));
        request.header_count = 3;
        ck_assert(!pages_lost_upgrade(&request));
    }
}
END_TEST

START_TEST(health_pages_answer_unless_a_route_has_their_path) {
    static const struct {
        const char *method, *path, *route;
        bool stopping;
        int status;
        const char *body;
    } cases[] = {
        {"GET", "/healthz", NULL, false, 200, "ok\n"},
        {"GET", "/healthz", NULL, true, 200, "ok\n"},
        {"GET", "/readyz", NULL, false, 200, "ready\n"},
        {"HEAD", "/readyz", NULL, false, 200, "ready\n"}, /* the body is left out when it is written */
        {"GET", "/readyz", NULL, true, 503, "stopping\n"},
        {"GET", "/readyz", "/{room}", true, 503, "stopping\n"},
        {"GET", "/readyz", "/readyz", true, 426, NULL},
        {"GET", "/healthz", "/healthz", false, 426, NULL},
        {"POST", "/readyz", NULL, false, 405, NULL},
        {"OPTIONS", "/readyz", NULL, true, 204, NULL},
        {"GET", "/readyz/", NULL, false, 404, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct pages_state state = {.route = cases[i].route, .stopping = cases[i].stopping};
        struct http_response response = answer_in(&state, cases[i].method, cases[i].path, "h");
        ck_assert_msg(response.status == cases[i].status, "case %zu: %d", i, response.status);
        if (cases[i].body != NULL)
            ck_assert_str_eq(response.body, cases[i].body);
    }
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
    ck_assert(handshake_http_is_wanted(&request));
    const char *why;
    return handshake_http_check(&request, accept, &why, &response) ? 101 : response.status;
}

START_TEST(repeated_header_lines_are_joined_for_the_handshake) {
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

/* A line on the wire is longer than its part of the list, so the lines of one head always fit. */
START_TEST(header_list_has_room_for_a_whole_head) {
    static char value[HTTP_HEAD_MAX / HTTP_HEADERS_MAX - sizeof "Sec-WebSocket-Protocol: \r\n"];
    static struct http_header headers[HTTP_HEADERS_MAX];
    static struct http_lists lists;
    memset(value, 'v', sizeof value - 1);
    for (size_t i = 0; i < HTTP_HEADERS_MAX; i++)
        headers[i] = (struct http_header){i % 2 == 0 ? "Sec-WebSocket-Protocol" : "Sec-Websocket-Protocol", value};
    struct http_request request = {.headers = headers, .header_count = HTTP_HEADERS_MAX};
    const char *list = http_request_list(&request, "sec-websocket-protocol", &lists);
    ck_assert_uint_eq(strlen(list), HTTP_HEADERS_MAX * (sizeof value + 1) - 2);
    ck_assert_ptr_null(http_request_list(&request, "Upgrade", &lists));
    request.header_count = 1;
    ck_assert_ptr_eq(http_request_list(&request, "sec-websocket-protocol", &lists), value);
}
END_TEST

/* --- Origin and subprotocols ------------------------------------------------------------------------------- */

static bool allows(const char *allowed, const char *origin, const char *host) {
    char *list[] = {(char *)allowed, NULL};
    return origin_is_allowed(list, origin, host);
}

START_TEST(origin_rules_allow_listed_origins_only) {
    static const struct {
        const char *allowed, *origin, *host;
        bool expected;
    } cases[] = {
        {"same-host", NULL, "example.com", true},
        {"same-host", "http://example.com", "example.com:9000", true},
        {"same-host", "https://EXAMPLE.com:8443", "example.com", true},
        {"same-host", "http://[::1]:8000", "[::1]:9000", true},
        {"same-host", "http://example.com.evil.net", "example.com", false},
        {"same-host", "http://evil.net", "example.com", false},
        {"same-host", "http://example.co", "example.com", false},
        {"same-host", "http://", "", false},
        {"same-host", "null", "example.com", false},
        {"same-host", "", "example.com", false},
        {"*", "http://evil.net", "example.com", true},
        {"*", "null", "example.com", true},
        {"https://*.example.com", "https://a.example.com", "x", true},
        {"https://*.example.com", "https://a.b.EXAMPLE.com", "x", true},
        {"https://*.example.com", "https://example.com", "x", false},
        {"https://*.example.com", "http://a.example.com", "x", false},
        {"https://*.example.com", "https://evil.net/.example.com", "x", false},
        {"https://*.example.com", "https://a.example.com.evil.net", "x", false},
        {"https://*.example.com", "https://a.example.com:8443", "x", false},
        {"http://localhost:*", "http://localhost:3000", "x", true},
        {"https://example.com", "https://example.com", "x", true},
        {"https://example.com", "https://example.com.", "x", false},
        {"https://a*a*b", "https://aaaaaaaaaaaaaaaaaaaaab", "x", true},
        {"https://a*a*c", "https://aaaaaaaaaaaaaaaaaaaaab", "x", false},
        {"null", "null", "x", true},
        {"null", "http://null", "null", false},
        {"file://", "file://", "x", true},
        {"file://", "file:///etc", "x", false},
        {"app://x", "app://x", "x", true},
        {"\"my device\"", "my device", "x", true},
        {"\"my device\"", "My device", "x", false},
        {"\"my device\"", "my device\"", "x", false},
        {"\"my device\"", "my devic", "x", false},
        {"\"a*\"", "ab", "x", false},
        {"\"a\"", "", "x", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ck_assert_msg(allows(cases[i].allowed, cases[i].origin, cases[i].host) == cases[i].expected, "%s %s %s",
                      cases[i].allowed, cases[i].origin, cases[i].host);
}
END_TEST

START_TEST(handshake_selects_the_preferred_subprotocol) {
    char *preferred[] = {"chat.v2", "chat.v1", NULL};
    ck_assert_str_eq(handshake_select(preferred, "chat.v1, chat.v2"), "chat.v2");
    ck_assert_str_eq(handshake_select(preferred, "other,chat.v1"), "chat.v1");
    ck_assert_ptr_null(handshake_select(preferred, "CHAT.V1"));
    ck_assert_ptr_null(handshake_select(preferred, "chat"));
    ck_assert_ptr_null(handshake_select(preferred, "chat.v1 chat.v2"));
    ck_assert_ptr_null(handshake_select(preferred, NULL));
    ck_assert_ptr_null(handshake_select(NULL, "chat.v1"));
}
END_TEST

static void respond(const struct negotiated *negotiated, char response[HANDSHAKE_RESPONSE_MAX + 1]) {
    size_t size = handshake_http_response(response, "A", negotiated, NULL);
    ck_assert_uint_le(size, HANDSHAKE_RESPONSE_MAX);
    response[size] = '\0';
    ck_assert_uint_eq(size, strlen(response));
    ck_assert_str_eq(response + size - 4, "\r\n\r\n");
}

START_TEST(response_101_names_what_was_negotiated) {
    char response[HANDSHAKE_RESPONSE_MAX + 1];
    respond(&(struct negotiated){.subprotocol = "chat.v2", .extensions = "permessage-deflate"}, response);
    ck_assert_ptr_nonnull(strstr(response, "\r\nSec-WebSocket-Protocol: chat.v2\r\n"));
    ck_assert_ptr_nonnull(strstr(response, "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n"));
    respond(&(struct negotiated){.subprotocol = NULL}, response);
    ck_assert_ptr_null(strstr(response, "Protocol: "));
    ck_assert_ptr_null(strstr(response, "Extensions: "));
    ck_assert_ptr_nonnull(strstr(response, "Accept: A\r\n\r\n"));
}
END_TEST

START_TEST(response_101_has_room_for_the_longest_names) {
    static char longest[1024];
    struct negotiated negotiated = {.subprotocol = longest};
    memset(longest, 'p', sizeof longest - 1);
    memset(negotiated.extensions, 'e', EXTENSION_RESPONSE_SIZE - 1);
    char response[HANDSHAKE_RESPONSE_MAX + 1];
    respond(&negotiated, response);
    ck_assert_ptr_nonnull(strstr(response, longest));
    ck_assert_ptr_nonnull(strstr(response, negotiated.extensions));
}
END_TEST

Suite *pages_suite(void) {
    Suite *suite = suite_create("pages");
    TCase *tcase = tcase_create("pages");
    tcase_add_test(tcase, root_page_names_the_routes);
    tcase_add_test(tcase, root_page_does_not_repeat_a_malformed_host);
    tcase_add_test(tcase, root_page_links_follow_a_trusted_proxy);
    tcase_add_test(tcase, plain_request_gets_426_on_a_route_and_404_elsewhere);
    tcase_add_test(tcase, plain_request_with_another_method_gets_405_or_204);
    tcase_add_test(tcase, handshake_without_upgrade_gets_advice_about_proxies);
    tcase_add_test(tcase, health_pages_answer_unless_a_route_has_their_path);
    tcase_add_test(tcase, repeated_header_lines_are_joined_for_the_handshake);
    tcase_add_test(tcase, header_list_has_room_for_a_whole_head);
    tcase_add_test(tcase, origin_rules_allow_listed_origins_only);
    tcase_add_test(tcase, handshake_selects_the_preferred_subprotocol);
    tcase_add_test(tcase, response_101_names_what_was_negotiated);
    tcase_add_test(tcase, response_101_has_room_for_the_longest_names);
    suite_add_tcase(suite, tcase);
    return suite;
}
