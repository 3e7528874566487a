/* test_handshake.c - a valid request and every kind of error in it.
 *
 * SPDX-License-Identifier: MIT
 */
#include <check.h>
#include <stddef.h>
#include <string.h>

#include "tests/unit/suites.h"
#include "ws/handshake.h"

#define RFC_KEY "dGhlIHNhbXBsZSBub25jZQ=="

static const struct handshake_request good = {
    .method = "GET",
    .http_version = "1.1",
    .host = "server.example.com",
    .upgrade = "websocket",
    .connection = "Upgrade",
    .key = RFC_KEY,
    .version = "13",
};

static int check(const struct handshake_request *request) {
    char accept[HANDSHAKE_ACCEPT_SIZE] = "";
    const char *why = NULL;
    int status = handshake_check(request, accept, &why);
    ck_assert_ptr_nonnull(why);
    ck_assert_int_eq(status == 101, accept[0] != '\0');
    ck_assert_int_eq(status == 101, why[0] == '\0');
    return status;
}

START_TEST(handshake_accept_agrees_with_the_rfc_example) {
    char accept[HANDSHAKE_ACCEPT_SIZE];
    const char *why;
    ck_assert_int_eq(handshake_check(&good, accept, &why), 101);
    ck_assert_str_eq(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}
END_TEST

static const struct {
    const char *list;
    const char *token;
    bool has;
} lists[] = {
    {NULL, "upgrade", false},
    {"", "upgrade", false},
    {"Upgrade", "upgrade", true},
    {"uPGRADE", "Upgrade", true},
    {"keep-alive, Upgrade", "upgrade", true},
    {"Upgrade,keep-alive", "upgrade", true},
    {" \tUpgrade\t ", "upgrade", true},
    {"a ,\tupgrade , b", "upgrade", true},
    {",,Upgrade,", "upgrade", true}, /* empty elements are allowed (RFC 7230, 7) */
    {", ,", "upgrade", false},
    {"Upgraded", "upgrade", false},
    {"Upgrad", "upgrade", false},
    {"no-upgrade", "upgrade", false},
    {"keep-alive Upgrade", "upgrade", false},
    {"Upgrade keep-alive", "upgrade", false},
    {"Upgrade; q=1", "upgrade", false},
    {"\"a, upgrade, b\"", "upgrade", false},
    {"\"a, upgrade", "upgrade", false},
    {"upgrade, \"b\"", "upgrade", true}, /* an element that is not a token is ignored */
    {"a=b, upgrade", "upgrade", true},
    {"two words, upgrade", "upgrade", true},
    {"a;q=\",\", upgrade, \x01", "upgrade", true},
    {"upgrade\x01", "upgrade", false},
    {"websocket/13", "websocket", false},
    {"h2c, websocket, x/1.0", "websocket", true},
};

START_TEST(handshake_finds_tokens_in_lists) {
    ck_assert_msg(handshake_has_token(lists[_i].list, lists[_i].token) == lists[_i].has, "%s", lists[_i].list);
}
END_TEST

START_TEST(handshake_is_wanted_if_upgrade_names_websocket) {
    struct handshake_request request = {.upgrade = "WebSocket"};
    ck_assert(handshake_wanted(&request));
    request.upgrade = "h2c";
    ck_assert(!handshake_wanted(&request));
    request.upgrade = NULL;
    ck_assert(!handshake_wanted(&request));
}
END_TEST

/* A good request with one field changed. */
#define FIELD(field) offsetof(struct handshake_request, field)

static const struct {
    size_t field;
    const char *value;
    int status;
} changes[] = {
    {FIELD(method), NULL, 405},
    {FIELD(method), "POST", 405},
    {FIELD(method), "get", 405},
    {FIELD(method), "GETS", 405},
    {FIELD(http_version), NULL, 400},
    {FIELD(http_version), "1.0", 400},
    {FIELD(http_version), "0.9", 400},
    {FIELD(http_version), "1", 400},
    {FIELD(http_version), "1.", 400},
    {FIELD(http_version), "1.10", 400},
    {FIELD(http_version), "1.1x", 400},
    {FIELD(http_version), "11.", 400},
    {FIELD(http_version), "1x1", 400},
    {FIELD(http_version), "", 400},
    {FIELD(http_version), "1.2", 101},
    {FIELD(http_version), "2.0", 101},
    {FIELD(host), NULL, 400},
    {FIELD(host), "", 400},
    {FIELD(host), " \t", 400},
    {FIELD(host), "[::1]:9000", 101},
    {FIELD(upgrade), NULL, 426},
    {FIELD(upgrade), "h2c", 426},
    {FIELD(upgrade), "h2c, WEBSOCKET", 101},
    {FIELD(connection), NULL, 400},
    {FIELD(connection), "keep-alive", 400},
    {FIELD(connection), "keep-alive, upgrade", 101},
    {FIELD(version), NULL, 426},
    {FIELD(version), "", 426},
    {FIELD(version), "8", 426},
    {FIELD(version), "14", 426},
    {FIELD(version), "13, 8", 426},
    {FIELD(version), "013", 426},
    {FIELD(version), "13x", 426},
    {FIELD(version), " 13 \t", 101}, /* blanks around a value do not belong to it */
    {FIELD(key), NULL, 400},
    {FIELD(key), "", 400},
    {FIELD(key), "AAAAAAAAAAAAAAAAAAAAAA==", 101},
    {FIELD(key), "+/+/+/+/+/+/+/+/+/+/+w==", 101},
    {FIELD(key), " " RFC_KEY "\t", 101},
    {FIELD(key), "AAAAAAAAAAAAAAAAAAAAAB==", 101}, /* bits left over, as in the RFC's own sample below */
    {FIELD(key), "AAAAAAAAAAAAAAAAAAAAAP==", 101},
    {FIELD(key), "AQIDBAUGBwgJCgsMDQ4PEC==", 101},
    {FIELD(key), "AAAAAAAAAAAAAAAAAAAAAA=", 400},
    {FIELD(key), "AAAAAAAAAAAAAAAAAAAAAAA=", 400}, /* 17 bytes */
    {FIELD(key), "AAAAAAAAAAAAAAAAAAAAAAAA", 400}, /* 18 bytes */
    {FIELD(key), "AAAAAAAAAAAAAAAAAAAAAA=A", 400},
    {FIELD(key), "AAAAAAAAAAAAAAAAAAAAAA--", 400},
    {FIELD(key), "AAAAAAAAAAAAAAAAAAAAAA===", 400},
    {FIELD(key), "AAAAAAAAAAAAAAAAAAAA==", 400},
    {FIELD(key), "AAAAAAAAAAAAAAAAAAAA====", 400},
    {FIELD(key), "AAAAAAAAAAAAAAAAAAAA-_==", 400},
    {FIELD(key), "AAAAAAAAAA AAAAAAAAAAA==", 400},
    {FIELD(key), "the sample nonce", 400},
    {FIELD(key), RFC_KEY ", " RFC_KEY, 400},
};

START_TEST(handshake_with_one_wrong_field_is_refused) {
    struct handshake_request request = good;
    memcpy((char *)&request + changes[_i].field, &changes[_i].value, sizeof changes[_i].value);
    const char *shown = changes[_i].value == NULL ? "(none)" : changes[_i].value;
    ck_assert_msg(check(&request) == changes[_i].status, "field at %zu: %s", changes[_i].field, shown);
}
END_TEST

START_TEST(handshake_with_body_or_repeated_header_is_refused) {
    struct handshake_request request = good;
    request.has_body = true;
    ck_assert_int_eq(check(&request), 400);
    request = good;
    request.repeated = true;
    ck_assert_int_eq(check(&request), 400);
}
END_TEST

/* Everything is wrong; each time the reported error is corrected, and the next error must be another one. */
START_TEST(handshake_reports_the_most_basic_error_first) {
    static const int statuses[] = {405, 400, 400, 426, 400, 426, 400, 400, 400, 101};
    struct handshake_request request = {.has_body = true, .repeated = true};
    const char *previous = NULL, *why;
    char accept[HANDSHAKE_ACCEPT_SIZE];
    for (size_t step = 0; step < sizeof statuses / sizeof *statuses; step++) {
        ck_assert_int_eq(handshake_check(&request, accept, &why), statuses[step]);
        if (previous != NULL)
            ck_assert_str_ne(why, previous);
        previous = why;
        switch (step) {
        case 0:
            request.method = good.method;
            break;
        case 1:
            request.http_version = good.http_version;
            break;
        case 2:
            request.host = good.host;
            break;
        case 3:
            request.upgrade = good.upgrade;
            break;
        case 4:
            request.connection = good.connection;
            break;
        case 5:
            request.version = good.version;
            break;
        case 6:
            request.repeated = false;
            break;
        case 7:
            request.key = good.key;
            break;
        case 8:
            request.has_body = false;
            break;
        default:
            break;
        }
    }
}
END_TEST

Suite *handshake_suite(void) {
    Suite *suite = suite_create("handshake");
    TCase *tcase = tcase_create("handshake");
    tcase_add_test(tcase, handshake_accept_agrees_with_the_rfc_example);
    tcase_add_loop_test(tcase, handshake_finds_tokens_in_lists, 0, sizeof lists / sizeof *lists);
    tcase_add_test(tcase, handshake_is_wanted_if_upgrade_names_websocket);
    tcase_add_loop_test(tcase, handshake_with_one_wrong_field_is_refused, 0, sizeof changes / sizeof *changes);
    tcase_add_test(tcase, handshake_with_body_or_repeated_header_is_refused);
    tcase_add_test(tcase, handshake_reports_the_most_basic_error_first);
    suite_add_tcase(suite, tcase);
    return suite;
}
