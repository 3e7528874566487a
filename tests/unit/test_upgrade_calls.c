/* test_upgrade_calls.c - what an `upgrade` callback can read and set.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/http/upgrade.h"
#include "tests/unit/assertions.h"
#include "tests/unit/embedded.h"
#include "tests/unit/late.h"
#include "tests/unit/suites.h"

/* --- Query ------------------------------------------------------------------------------------------------- */

static const struct {
    const char *query, *name, *value; /* NULL: there is none */
} queries[] = {
    {"", "a", NULL},
    {"a=1", "a", "1"},
    {"b=2&a=1", "a", "1"},
    {"a=1&a=2", "a", "1"},
    {"a", "a", ""},
    {"a=", "a", ""},
    {"=1", "", "1"},
    {"ab=1", "a", NULL},
    {"A=1", "a", NULL},
    {"a=x=y", "a", "x=y"},
    {"a=gr%C3%BC%C3%9fe+und+%2B", "a", "grüße und +"},
    {"%61%62=c", "ab", "c"},
    {"a%3Db=c", "a=b", "c"},
    {"a=%", "a", "%"},
    {"a=%4", "a", "%4"},
    {"a=%zz%41", "a", "%zzA"},
    {"a=x%00y", "a", NULL}, /* a string cannot have it */
    {"a%00=x&a=y", "a", "y"},
    {"&&a=1&", "a", "1"},
    {"a=1&", "", NULL},
};

START_TEST(upgrade_query_param_is_decoded) {
    const struct http_request request = {.query = queries[_i].query};
    weir_upgrade upgrade = {.request = &request};
    const char *value = weir_upgrade_query_param(&upgrade, queries[_i].name);
    if (queries[_i].value == NULL)
        ck_assert_msg(value == NULL, "%s: %s", queries[_i].query, value);
    else
        ck_assert_str_eq(value, queries[_i].value);
    upgrade_release(&upgrade);
}
END_TEST

/* --- Cookies ----------------------------------------------------------------------------------------------- */

static const struct {
    const char *cookies, *name, *value;
} cookie_cases[] = {
    {"a=1", "a", "1"},
    {"b=2; a=1", "a", "1"},
    {"b=2;a=1", "a", "1"},
    {"a=1; a=2", "a", "1"},
    {"a=\"quoted value\"; b=2", "a", "quoted value"},
    {"a=\"", "a", "\""},
    {"a=", "a", ""},
    {"a=1 ; b=2", "a", "1"},
    {"a=%20", "a", "%20"},
    {"a=b=c", "a", "b=c"},
    {"ab=1", "a", NULL},
    {"A=1", "a", NULL},
    {"a", "a", NULL},
    {"=1", "", NULL},
    {";;; ;a=1", "a", "1"},
};

START_TEST(upgrade_cookie_is_found) {
    const struct http_header headers[] = {{"Host", "a=host"}, {"cookie", cookie_cases[_i].cookies}};
    const struct http_request request = {.headers = headers, .header_count = 2};
    weir_upgrade upgrade = {.request = &request};
    const char *value = weir_upgrade_cookie(&upgrade, cookie_cases[_i].name);
    if (cookie_cases[_i].value == NULL)
        ck_assert_msg(value == NULL, "%s: %s", cookie_cases[_i].cookies, value);
    else
        ck_assert_str_eq(value, cookie_cases[_i].value);
    upgrade_release(&upgrade);
}
END_TEST

START_TEST(upgrade_cookie_is_found_in_each_field) {
    const struct http_header headers[] = {{"Cookie", "a=1"}, {"Cookie", "b=2; c=3"}};
    const struct http_request request = {.headers = headers, .header_count = 2};
    weir_upgrade upgrade = {.request = &request};
    ck_assert_str_eq(weir_upgrade_cookie(&upgrade, "a"), "1");
    ck_assert_str_eq(weir_upgrade_cookie(&upgrade, "c"), "3");
    ck_assert_ptr_null(weir_upgrade_cookie(&upgrade, "d"));
    upgrade_release(&upgrade);
}
END_TEST

/* --- Subprotocols ------------------------------------------------------------------------------------------ */

START_TEST(upgrade_selects_only_what_is_offered) {
    char longest[1100];
    const struct http_header headers[] = {{"Sec-WebSocket-Protocol", "chat.v2 , ,chat.v1,\"no\",two words, last"},
                                          {"Sec-WebSocket-Protocol", longest}};
    const struct http_request request = {.headers = headers, .header_count = 2};
    weir_upgrade upgrade = {.request = &request, .subprotocol = "chat.v2"};
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    ck_assert_str_eq(weir_upgrade_offered(&upgrade, 0), "chat.v2");
    ck_assert_str_eq(weir_upgrade_offered(&upgrade, 1), "chat.v1");
    ck_assert_str_eq(weir_upgrade_offered(&upgrade, 2), "last");
    ck_assert_str_eq(weir_upgrade_offered(&upgrade, 3), longest);
    ck_assert_ptr_null(weir_upgrade_offered(&upgrade, 4));
    ck_assert_int_eq(weir_upgrade_select(&upgrade, "chat.v3"), WEIR_INVALID);
    ck_assert_int_eq(weir_upgrade_select(&upgrade, "Chat.v1"), WEIR_INVALID);
    ck_assert_int_eq(weir_upgrade_select(&upgrade, ""), WEIR_INVALID);
    ck_assert_int_eq(weir_upgrade_select(&upgrade, longest), WEIR_INVALID);
    ck_assert_str_eq(weir_upgrade_subprotocol(&upgrade), "chat.v2");
    ck_assert_int_eq(weir_upgrade_select(&upgrade, "last"), WEIR_OK);
    ck_assert_str_eq(weir_upgrade_subprotocol(&upgrade), "last");
    ck_assert_int_eq(weir_upgrade_select(&upgrade, NULL), WEIR_OK);
    ck_assert_ptr_null(weir_upgrade_subprotocol(&upgrade));
    upgrade_release(&upgrade);
}
END_TEST

/* --- Headers of the response ------------------------------------------------------------------------------- */

static const char *const wrong_headers[][2] = {
    {"", "x"},
    {"Two Words", "x"},
    {"X:", "x"},
    {"X", "a\r\nSet-Cookie: b"},
    {"X", "a\nb"},
    {"X", "a\x7f"},
    {"Connection", "close"},
    {"upgrade", "h2c"},
    {"Content-Length", "3"},
    {"Transfer-Encoding", "chunked"},
    {"Sec-WebSocket-Accept", "x"},
    {"sec-websocket-anything", "x"},
};

START_TEST(upgrade_headers_cannot_break_the_response) {
    weir_upgrade upgrade = {.request = NULL};
    ck_assert_int_eq(weir_upgrade_add_header(&upgrade, wrong_headers[_i][0], wrong_headers[_i][1]), WEIR_INVALID);
    ck_assert_ptr_null(upgrade.headers);
    upgrade_release(&upgrade);
}
END_TEST

START_TEST(upgrade_headers_have_a_limit) {
    weir_upgrade upgrade = {.request = NULL};
    char value[1000];
    memset(value, 'x', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    ck_assert_int_eq(weir_upgrade_add_header(&upgrade, "A", value), WEIR_OK);
    ck_assert_int_eq(weir_upgrade_add_header(&upgrade, "A", value), WEIR_OK);
    ck_assert_int_eq(weir_upgrade_add_header(&upgrade, "A", value), WEIR_LIMIT);
    ck_assert_int_eq(weir_upgrade_add_header(&upgrade, "B", "a\tgrüße"), WEIR_OK);
    upgrade_release(&upgrade);
}
END_TEST

/* --- All together, with a client --------------------------------------------------------------------------- */

static _Atomic unsigned opened, closed, discarded;

static void discard(void *data) {
    free(data);
    discarded++;
}

static int decide(weir_upgrade *upgrade, void *context) {
    (void)context;
    weir_upgrade_set_data(upgrade, strdup("the first is replaced"), discard);
    weir_upgrade_set_data(upgrade, strdup(weir_upgrade_query_param(upgrade, "name")), discard);
    weir_upgrade_add_header(upgrade, "Set-Cookie", "seen=1");
    if (weir_upgrade_query_param(upgrade, "refuse") != NULL) {
        weir_upgrade_add_header(upgrade, "WWW-Authenticate", "Basic");
        return weir_upgrade_refuse(upgrade, 401, "who are you?\n");
    }
    weir_upgrade_select(upgrade, weir_upgrade_offered(upgrade, 1));
    return WEIR_ACCEPT;
}

static void check_data(weir_conn *conn, void *context) {
    (void)context;
    ck_assert_str_eq(weir_conn_data(conn), "Ada L");
    ck_assert_str_eq(weir_conn_subprotocol(conn), "b");
    opened++;
}

static void free_data(weir_conn *conn, unsigned code, const char *reason, void *context) {
    (void)code, (void)reason, (void)context;
    free(weir_conn_data(conn));
    closed++;
}

static const struct weir_handler deciding = {WEIR_HANDLER_INIT, .upgrade = decide, .open = check_data,
                                             .close = free_data};

START_TEST(upgrade_settings_reach_client_and_connection) {
    static const char *const offered[] = {"a", "b", NULL};
    const struct weir_client_options options = {.subprotocols = offered};
    struct weir_client_error error;
    struct embedded embedded;
    char url[100];
    embedded_create(&embedded);
    embedded_set(&embedded, "server", "listen", "127.0.0.1:0");
    ck_assert_int_eq(weir_server_route(embedded.server, "/", &deciding, NULL, NULL), 0);
    ck_assert_int_eq(weir_server_start(embedded.server), 0);
    const char *address = weir_server_addresses(embedded.server)->listen[0];
    snprintf(url, sizeof url, "ws://%s/?name=Ada+L", address);
    weir_client *client = weir_client_connect(url, &options, &error);
    ck_assert_msg(client != NULL, "%s", error.text);
    ck_assert_str_eq(weir_client_subprotocol(client), "b");
    ck_assert_str_eq(weir_client_header(client, "Set-Cookie"), "seen=1");
    ck_assert_uint_eq(discarded, 1);
    weir_client_destroy(client);
    UNTIL(closed == 1);
    ck_assert_uint_eq(opened, 1);
    snprintf(url, sizeof url, "ws://%s/?name=x&refuse", address);
    ck_assert_ptr_null(weir_client_connect(url, &options, &error));
    ck_assert_int_eq(error.http_status, 401);
    ck_assert_uint_eq(discarded, 3);
    weir_server_stop(embedded.server);
    ck_assert_int_eq(weir_server_wait(embedded.server), 0);
    ck_assert_uint_eq(opened, 1);
    weir_server_destroy(embedded.server);
}
END_TEST

Suite *upgrade_calls_suite(void) {
    Suite *suite = suite_create("upgrade_calls");
    TCase *test = tcase_create("upgrade_calls");
    tcase_add_loop_test(test, upgrade_query_param_is_decoded, 0, sizeof queries / sizeof *queries);
    tcase_add_loop_test(test, upgrade_cookie_is_found, 0, sizeof cookie_cases / sizeof *cookie_cases);
    tcase_add_test(test, upgrade_cookie_is_found_in_each_field);
    tcase_add_test(test, upgrade_selects_only_what_is_offered);
    tcase_add_loop_test(test, upgrade_headers_cannot_break_the_response, 0,
                        sizeof wrong_headers / sizeof *wrong_headers);
    tcase_add_test(test, upgrade_headers_have_a_limit);
    tcase_add_test(test, upgrade_settings_reach_client_and_connection);
    suite_add_tcase(suite, test);
    return suite;
}
