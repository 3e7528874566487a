/* test_client_handshake.c - the client's request as text; a valid answer and every kind of invalid one.
 *
 * SPDX-License-Identifier: MIT
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/client_handshake.h"
#include "client/error.h"
#include "tests/unit/suites.h"

#define KEY     "dGhlIHNhbXBsZSBub25jZQ==" /* of RFC 6455, 1.3 */
#define ACCEPT  "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
#define START   "HTTP/1.1 101 Switching Protocols\r\n"
#define UPGRADE "Upgrade: websocket\r\nConnection: Upgrade\r\n"
#define END     "\r\n"

static const char *const chats[] = {"chat.v2", "chat.v1", NULL};
static const struct weir_client_options plain = {.subprotocols = chats};
static const struct weir_client_options compressing = {.compress = true};

/* --- The request --------------------------------------------------------------------------------------------- */

static char *request_for(const char *text, const struct weir_client_options *options,
                         struct weir_client_error *error) {
    struct url url;
    char why[160] = "";
    ck_assert_msg(url_parse(text, &url, why, sizeof why), "%s: %s", text, why);
    *error = (struct weir_client_error){0};
    return client_handshake_request(&url, options, KEY, error);
}

static void expect_request(const char *text, const struct weir_client_options *options, const char *expected) {
    struct weir_client_error error;
    char *request = request_for(text, options, &error);
    ck_assert_msg(request != NULL, "%s", error.text);
    ck_assert_str_eq(request, expected);
    free(request);
}

#define FIXED                                                                                                      \
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " KEY "\r\n"

START_TEST(client_handshake_request_has_all_headers) {
    static const char *const headers[] = {"Cookie: a=b; c=d", "X-Empty:", NULL};
    struct weir_client_options all = {
        .headers = headers, .subprotocols = chats, .origin = "https://example.com", .compress = true};
    expect_request("ws://h", NULL, "GET / HTTP/1.1\r\nHost: h\r\n" FIXED END);
    expect_request("ws://h:81?q", NULL, "GET /?q HTTP/1.1\r\nHost: h:81\r\n" FIXED END);
    expect_request("ws://[fe80::1%25lo]:81/a", NULL, "GET /a HTTP/1.1\r\nHost: [fe80::1]:81\r\n" FIXED END);
    expect_request("ws://Aladdin:open%20sesame@h/x", &all,
                   "GET /x HTTP/1.1\r\nHost: h\r\n" FIXED "Sec-WebSocket-Protocol: chat.v2, chat.v1\r\n"
                   "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
                   "Origin: https://example.com\r\nAuthorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"
                   "Cookie: a=b; c=d\r\nX-Empty:\r\n" END);
    expect_request("ws://user@h", NULL,
                   "GET / HTTP/1.1\r\nHost: h\r\n" FIXED "Authorization: Basic dXNlcjo=\r\n" END);
}
END_TEST

static const char *const bad_headers[] = {"",
                                          "X",
                                          ": x",
                                          "X y: z",
                                          "X : y",
                                          "X: a\rb",
                                          "X: a\nb",
                                          "X: \x01",
                                          "X: \x7f",
                                          "Host: x",
                                          "UPGRADE: x",
                                          "Connection: x",
                                          "Content-Length: 0",
                                          "transfer-encoding: x",
                                          "Sec-WebSocket-Key: x",
                                          "sec-websocket-: x",
                                          "Origin: x",
                                          "Authorization: x"};

START_TEST(client_handshake_refuses_forbidden_headers) {
    const char *const headers[] = {"Good: x", bad_headers[_i], NULL};
    struct weir_client_options options = {.headers = headers, .origin = "https://example.com"};
    struct weir_client_error error;
    ck_assert_ptr_null(request_for("ws://u:p@h", &options, &error));
    ck_assert_int_eq(error.cause, WEIR_CLIENT_BAD_ARGUMENT);
    ck_assert_str_ne(error.text, "");
}
END_TEST

START_TEST(client_handshake_refuses_malformed_subprotocols_and_origins) {
    static const char *const names[][3] = {{""}, {"a b"}, {"a,b"}, {"a\r\n"}, {"a", "a"}, {"a", "\xc3\xbc"}};
    struct weir_client_error error;
    for (int i = 0; i < COUNT(names); i++) {
        struct weir_client_options options = {.subprotocols = names[i]};
        ck_assert_ptr_null(request_for("ws://h", &options, &error));
        ck_assert_int_eq(error.cause, WEIR_CLIENT_BAD_ARGUMENT);
    }
    struct weir_client_options options = {.origin = "a\nb"};
    ck_assert_ptr_null(request_for("ws://h", &options, &error));
    ck_assert_ptr_null(strchr(error.text, '\n'));
}
END_TEST

START_TEST(client_handshake_keys_are_random) {
    char one[CLIENT_HANDSHAKE_KEY_SIZE], other[CLIENT_HANDSHAKE_KEY_SIZE], accept[HANDSHAKE_ACCEPT_SIZE];
    ck_assert(client_handshake_key(one) && client_handshake_key(other));
    ck_assert_uint_eq(strlen(one), CLIENT_HANDSHAKE_KEY_SIZE - 1);
    ck_assert_str_ne(one, other);
    ck_assert(handshake_accept(KEY, accept));
    ck_assert_str_eq(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}
END_TEST

/* --- The answer ---------------------------------------------------------------------------------------------- */

static bool check(const char *head, const char *body, const struct weir_client_options *options,
                  struct client_handshake *handshake, char copy[4096], struct weir_client_error *error) {
    snprintf(copy, 4096, "%s", head);
    *error = (struct weir_client_error){0};
    return client_handshake_check(copy, strlen(head), body, strlen(body), KEY, options, handshake, error);
}

static const struct {
    const char *head;
    const struct weir_client_options *options;
    const char *subprotocol;
    unsigned client_bits; /* 0: not compressed */
} accepted[] = {
    {START UPGRADE ACCEPT END, &plain, NULL, 0},
    {START UPGRADE ACCEPT END, &compressing, NULL, 0},
    {"HTTP/1.1 101\r\n" UPGRADE ACCEPT END, &plain, NULL, 0},
    {"HTTP/1.1 101 \r\nupgrade:WebSocket \t\r\nCONNECTION: a, upgrade\r\n" ACCEPT END, &plain, NULL, 0},
    {START "Upgrade: websocket\r\nConnection: a\r\nConnection: Upgrade\r\n" ACCEPT END, &plain, NULL, 0},
    {START UPGRADE ACCEPT "Sec-WebSocket-Protocol: chat.v1\r\n" END, &plain, "chat.v1", 0},
    {START UPGRADE ACCEPT "Sec-WebSocket-Extensions: permessage-deflate\r\n" END, &compressing, NULL, 15},
    {START UPGRADE ACCEPT "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=9\r\n" END,
     &compressing, NULL, 9},
};

START_TEST(client_handshake_accepts_valid_responses) {
    struct client_handshake handshake;
    struct weir_client_error error;
    char head[4096];
    ck_assert_msg(check(accepted[_i].head, "", accepted[_i].options, &handshake, head, &error), "%s", error.text);
    if (accepted[_i].subprotocol == NULL)
        ck_assert_ptr_null(handshake.subprotocol);
    else
        ck_assert_str_eq(handshake.subprotocol, accepted[_i].subprotocol);
    ck_assert_uint_eq(handshake.deflate.client_bits, accepted[_i].client_bits);
    const char *accept = client_handshake_header(head, strlen(accepted[_i].head), "sec-websocket-ACCEPT");
    ck_assert_ptr_nonnull(accept);
    ck_assert_str_eq(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    ck_assert_ptr_null(client_handshake_header(head, strlen(accepted[_i].head), "Sec-WebSocket"));
}
END_TEST

static const struct {
    const char *head, *text;
} rejected[] = {
    {"HTTP/1.1 1x1 a\r\n" UPGRADE ACCEPT END, "no status"},
    {"HTTP/1.1 1010\r\n" UPGRADE ACCEPT END, "no status"},
    {"HTTP/1.1  101\r\n" UPGRADE ACCEPT END, "no status"},
    {"HTTP/1.0 101 a\r\n" UPGRADE ACCEPT END, "HTTP/1.0"},
    {"HTTP/2.0 101 a\r\n" UPGRADE ACCEPT END, "does not speak HTTP/1.1"},
    {START "Connection: Upgrade\r\n" ACCEPT END, "has no \"Upgrade: websocket\""},
    {START "Upgrade: websocket, h2c\r\nConnection: Upgrade\r\n" ACCEPT END, "has no \"Upgrade: websocket\""},
    {START "Upgrade: websocket\r\n" ACCEPT END, "has no \"Connection: Upgrade\""},
    {START "Upgrade: websocket\r\nConnection: Upgraded\r\n" ACCEPT END, "has no \"Connection: Upgrade\""},
    {START UPGRADE END, "no Sec-WebSocket-Accept"},
    {START UPGRADE "Sec-WebSocket-Accept: S3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" END, "does not match"},
    {START UPGRADE "Sec-WebSocket-Accept:\r\n" END, "does not match"},
    {START UPGRADE ACCEPT ACCEPT END, "Sec-WebSocket-Accept twice"},
    {START UPGRADE ACCEPT "Sec-WebSocket-Protocol: CHAT.v1\r\n" END, "not offered: CHAT.v1"},
    {START UPGRADE ACCEPT "Sec-WebSocket-Protocol:\r\n" END, "not offered"},
    {START UPGRADE ACCEPT "Sec-WebSocket-Protocol: chat.v1, chat.v2\r\n" END, "not offered"},
    {START UPGRADE ACCEPT "Sec-WebSocket-Extensions: permessage-deflate\r\n" END, "not offered"},
    {START UPGRADE ACCEPT "Sec-WebSocket-Extensions:\r\n" END, "not offered"},
    {START UPGRADE "X: a\r\n  " ACCEPT END, "malformed"},
    {START UPGRADE "no colon\r\n" ACCEPT END, "malformed"},
    {START UPGRADE "X : y\r\n" ACCEPT END, "malformed"},
    {START UPGRADE "X: \x01\r\n" ACCEPT END, "malformed"},
    {START UPGRADE "X: y\n" ACCEPT END, "stray line end"},
    {START UPGRADE "X: y\r" ACCEPT END, "stray line end"},
};

START_TEST(client_handshake_rejects_invalid_responses) {
    struct client_handshake handshake;
    struct weir_client_error error;
    char head[4096];
    ck_assert_msg(!check(rejected[_i].head, "", &plain, &handshake, head, &error), "%s", rejected[_i].head);
    ck_assert_msg(strstr(error.text, rejected[_i].text) != NULL, "%s: %s", rejected[_i].head, error.text);
    ck_assert_int_eq(error.cause, WEIR_CLIENT_HANDSHAKE);
    ck_assert_int_eq(error.http_status, 0);
}
END_TEST

static const struct {
    const char *head, *body, *text;
    bool awaits; /* more of the body */
} refusals[] = {
    {"HTTP/1.1 403 Forbidden\r\n\r\n", "no\nmore", "HTTP 403: no", false},
    {"HTTP/1.1 403 Forbidden\r\n\r\n", "no", "HTTP 403: no", true},
    {"HTTP/1.1 403 Forbidden\r\n\r\n", "", "HTTP 403 Forbidden", true},
    {"HTTP/1.1 403\r\nContent-Length: 0\r\n\r\n", "", "HTTP 403", false},
    {"HTTP/1.1 403\r\nContent-Length: 2\r\n\r\n", "no", "HTTP 403: no", false},
    {"HTTP/1.1 403\r\nContent-Length: 3\r\n\r\n", "no", "HTTP 403: no", true},
    {"HTTP/1.1 403\r\nContent-Length: \r\n\r\n", "no", "HTTP 403", false},
    {"HTTP/1.1 403\r\nContent-Length: 99999999999999999999999\r\n\r\n", "no", "HTTP 403: no", true},
    {"HTTP/1.1 403\r\nContent-Length: 5\r\n\r\n", " no\r\nx", "HTTP 403: no", false},
    {"HTTP/1.1 403\r\nTransfer-Encoding: chunked\r\n\r\n", "", "HTTP 403", true},
    {"HTTP/1.1 403\r\nTransfer-Encoding: chunked\r\n\r\n", "A", "HTTP 403", true},
    {"HTTP/1.1 403\r\nTransfer-Encoding: chunked\r\n\r\n", "A;x=y\r\nnot", "HTTP 403: not", true},
    {"HTTP/1.1 403\r\nTransfer-Encoding: chunked\r\n\r\n", "2\r\nno\r\n0\r\n\r\n", "HTTP 403: no", false},
    {"HTTP/1.1 403\r\nTransfer-Encoding: chunked\r\n\r\n", "\n", "HTTP 403", false},
    {"HTTP/1.1 302 Found\r\nLocation: /there\r\n\r\n", "x", "the server redirects to /there", false},
    {"HTTP/1.1 200 OK\r\n\r\n", "<p>\n", "HTTP 200 OK", false},
    {"HTTP/1.0 404 Not Found\r\nnonsense\r\n\r\n", "x\n", "HTTP 404: x", false},
};

/* In memory that ends where the bytes do. */
START_TEST(client_handshake_reports_status_and_body_of_a_refusal) {
    struct client_handshake handshake;
    struct weir_client_error error;
    char head[4096];
    size_t head_size = strlen(refusals[_i].head), size = head_size + strlen(refusals[_i].body);
    char *bytes = malloc(size);
    ck_assert_ptr_nonnull(bytes);
    memcpy(bytes, refusals[_i].head, head_size);
    memcpy(bytes + head_size, refusals[_i].body, size - head_size);
    ck_assert_uint_eq(client_handshake_head_size(bytes, size), head_size);
    ck_assert_int_eq(client_handshake_awaits_body(bytes, head_size, size), refusals[_i].awaits);
    free(bytes);
    ck_assert(!check(refusals[_i].head, refusals[_i].body, NULL, &handshake, head, &error));
    ck_assert_int_eq(error.cause, WEIR_CLIENT_HTTP);
    ck_assert_int_eq(error.http_status, atoi(refusals[_i].head + strlen("HTTP/1.1 ")));
    size_t shown = strlen(error.text), expected = strlen(refusals[_i].text);
    ck_assert_msg(shown >= expected && strcmp(error.text + shown - expected, refusals[_i].text) == 0, "%s",
                  error.text);
}
END_TEST

/* Every prefix of a valid answer may still become one; other bytes are refused at the first one that cannot. */
START_TEST(client_handshake_accepts_every_prefix_of_a_response) {
    static const char good[] = START UPGRADE ACCEPT END;
    struct weir_client_error error;
    for (size_t size = 0; size < sizeof good; size++) {
        ck_assert_msg(client_handshake_is_possible(good, size, &error), "%zu", size);
        ck_assert_uint_eq(client_handshake_head_size(good, size), size < sizeof good - 1 ? 0 : sizeof good - 1);
    }
    ck_assert(!client_handshake_is_possible("HTTX", 4, &error));
    ck_assert_str_eq(error.text, "the server does not speak HTTP/1.1; its response begins with \"HTTX\"");
    ck_assert(client_handshake_is_possible("\x15", 1, &error));
    ck_assert(!client_handshake_is_possible("\x15\x03", 2, &error));
    ck_assert_ptr_nonnull(strstr(error.text, "TLS"));
    ck_assert(!client_handshake_is_possible("\x15\x04", 2, &error));
}
END_TEST

START_TEST(client_handshake_limits_the_size_of_the_head) {
    static char bytes[CLIENT_HANDSHAKE_HEAD_MAX + 1];
    struct weir_client_error error;
    memset(bytes, 'x', sizeof bytes);
    memcpy(bytes, START, sizeof START - 1);
    ck_assert(client_handshake_is_possible(bytes, CLIENT_HANDSHAKE_HEAD_MAX - 1, &error));
    ck_assert(!client_handshake_is_possible(bytes, CLIENT_HANDSHAKE_HEAD_MAX, &error));
    memcpy(bytes + CLIENT_HANDSHAKE_HEAD_MAX - 4, "\r\n\r\n", 4);
    ck_assert(client_handshake_is_possible(bytes, CLIENT_HANDSHAKE_HEAD_MAX + 1, &error));
}
END_TEST

/* --- Error texts --------------------------------------------------------------------------------------------- */

START_TEST(client_error_text_is_printable_and_limited) {
    struct weir_client_error error;
    client_error(&error, WEIR_CLIENT_HTTP, "a%s", "\tb\n\x1b[1m\x7f\xff\xc3\xbc\xc2\x9b\xe2\x9c");
    ck_assert_str_eq(error.text, "a\\x09b\\x0a\\x1b[1m\\x7f\\xff\xc3\xbc\\xc2\\x9b\\xe2\\x9c");
    client_error(&error, WEIR_CLIENT_HTTP, "%300s", "");
    ck_assert_uint_eq(strlen(error.text), sizeof error.text - 1);
    ck_assert_str_eq(error.text + sizeof error.text - 5, " ...");
    client_error(NULL, WEIR_CLIENT_HTTP, "nobody asks");
}
END_TEST

Suite *client_handshake_suite(void) {
    Suite *suite = suite_create("client_handshake");
    TCase *tcase = tcase_create("client_handshake");
    tcase_add_test(tcase, client_handshake_request_has_all_headers);
    tcase_add_loop_test(tcase, client_handshake_refuses_forbidden_headers, 0, COUNT(bad_headers));
    tcase_add_test(tcase, client_handshake_refuses_malformed_subprotocols_and_origins);
    tcase_add_test(tcase, client_handshake_keys_are_random);
    tcase_add_loop_test(tcase, client_handshake_accepts_valid_responses, 0, COUNT(accepted));
    tcase_add_loop_test(tcase, client_handshake_rejects_invalid_responses, 0, COUNT(rejected));
    tcase_add_loop_test(tcase, client_handshake_reports_status_and_body_of_a_refusal, 0, COUNT(refusals));
    tcase_add_test(tcase, client_handshake_accepts_every_prefix_of_a_response);
    tcase_add_test(tcase, client_handshake_limits_the_size_of_the_head);
    tcase_add_test(tcase, client_error_text_is_printable_and_limited);
    suite_add_tcase(suite, tcase);
    return suite;
}
