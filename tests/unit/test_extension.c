/* test_extension.c - offers of permessage-deflate, the answers to them, and malformed headers.
 *
 * SPDX-License-Identifier: MIT
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/suites.h"
#include "ws/extension.h"
#include "ws/extension_response.h"

#define PMD           "permessage-deflate"
#define SERVER_NO     "; server_no_context_takeover"
#define CLIENT_NO     "; client_no_context_takeover"
#define SERVER_BITS   "; server_max_window_bits"
#define CLIENT_BITS   "; client_max_window_bits"
#define SHOWN(string) ((string) == NULL ? "(none)" : (string))

static const struct deflate_policy full = {.enabled = true, .takeover = true, .window_bits = 15};
static const struct deflate_policy twelve = {.enabled = true, .takeover = true, .window_bits = 12};
static const struct deflate_policy fresh = {.enabled = true, .takeover = false, .window_bits = 11};
static const struct deflate_policy off = {.enabled = false, .takeover = true, .window_bits = 15};

/* Negotiates into memory with other contents, which shows members that were not written. */
static enum extension_result negotiate(const char *offered, const struct deflate_policy *policy,
                                       struct deflate_params *params, char response[EXTENSION_RESPONSE_SIZE]) {
    memset(params, 0x55, sizeof *params);
    memset(response, 'x', EXTENSION_RESPONSE_SIZE);
    enum extension_result result = extension_negotiate(offered, policy, params, response);
    ck_assert_msg(memchr(response, '\0', EXTENSION_RESPONSE_SIZE) != NULL, "%s", SHOWN(offered));
    return result;
}

/* "server bits, client bits", each with "+" for takeover; "" for no compression. */
static void describe(const struct deflate_params *params, char text[16]) {
    static const struct deflate_params none;
    if (params->enabled)
        snprintf(text, 16, "%u%s,%u%s", params->server_bits, params->server_takeover ? "+" : "",
                 params->client_bits, params->client_takeover ? "+" : "");
    else
        snprintf(text, 16, "%s", memcmp(params, &none, sizeof none) == 0 ? "" : "not zero");
}

/* An empty response is none: EXTENSION_NONE. */
static void expect(const char *offered, const struct deflate_policy *policy, const char *response,
                   const char *agreed) {
    struct deflate_params params;
    char got[EXTENSION_RESPONSE_SIZE], described[16];
    enum extension_result result = negotiate(offered, policy, &params, got);
    ck_assert_msg(result == (*response == '\0' ? EXTENSION_NONE : EXTENSION_ACCEPTED), "%s: %d", SHOWN(offered),
                  (int)result);
    ck_assert_msg(strcmp(got, response) == 0, "%s: %s", SHOWN(offered), got);
    describe(&params, described);
    ck_assert_msg(strcmp(described, agreed) == 0, "%s: %s", SHOWN(offered), described);
}

/* --- What an offer comes to ------------------------------------------------------------------------------- */

static const struct {
    const char *offered;
    const struct deflate_policy *policy;
    const char *response, *agreed;
} offers[] = {
    /* Firefox; Chromium and node's ws; Python's websockets with limits of its own */
    {PMD, &full, PMD, "15+,15+"},
    {PMD, &twelve, PMD, "12+,15+"},
    {PMD, &fresh, PMD SERVER_NO CLIENT_NO, "11,15"},
    {PMD, &off, "", ""},
    {PMD CLIENT_BITS, &full, PMD CLIENT_BITS "=15", "15+,15+"},
    {PMD CLIENT_BITS, &twelve, PMD CLIENT_BITS "=12", "12+,12+"},
    {PMD CLIENT_BITS, &fresh, PMD SERVER_NO CLIENT_NO, "11,15"},
    {PMD SERVER_BITS "=12" CLIENT_BITS "=12", &full, PMD SERVER_BITS "=12" CLIENT_BITS "=12", "12+,12+"},
    {PMD SERVER_BITS "=12" CLIENT_BITS "=12", &fresh, PMD SERVER_NO CLIENT_NO SERVER_BITS "=11", "11,12"},

    /* Takeover: each side's is refused on its own. */
    {PMD SERVER_NO, &full, PMD SERVER_NO, "15,15+"},
    {PMD CLIENT_NO, &full, PMD CLIENT_NO, "15+,15"},
    {PMD CLIENT_NO SERVER_NO, &full, PMD SERVER_NO CLIENT_NO, "15,15"},
    {PMD SERVER_NO CLIENT_NO, &fresh, PMD SERVER_NO CLIENT_NO, "11,15"},
    {PMD CLIENT_NO CLIENT_BITS, &twelve, PMD CLIENT_NO, "12+,15"},
    {PMD CLIENT_NO CLIENT_BITS "=10", &twelve, PMD CLIENT_NO, "12+,10"}, /* a promise, though not answered */
    {PMD CLIENT_NO CLIENT_BITS "=14", &twelve, PMD CLIENT_NO, "12+,14"},
    {PMD SERVER_NO CLIENT_BITS "=14", &twelve, PMD SERVER_NO CLIENT_BITS "=12", "12,12+"},

    /* Windows: the smaller one, at both ends of the range. */
    {PMD SERVER_BITS "=8", &full, PMD SERVER_BITS "=8", "8+,15+"},
    {PMD SERVER_BITS "=9", &full, PMD SERVER_BITS "=9", "9+,15+"},
    {PMD SERVER_BITS "=10", &full, PMD SERVER_BITS "=10", "10+,15+"},
    {PMD SERVER_BITS "=15", &full, PMD SERVER_BITS "=15", "15+,15+"},
    {PMD SERVER_BITS "=15", &twelve, PMD SERVER_BITS "=12", "12+,15+"},
    {PMD CLIENT_BITS "=8", &full, PMD CLIENT_BITS "=8", "15+,8+"},
    {PMD CLIENT_BITS "=15", &full, PMD CLIENT_BITS "=15", "15+,15+"},
    {PMD CLIENT_BITS "=15", &twelve, PMD CLIENT_BITS "=12", "12+,12+"},
    {PMD CLIENT_BITS "=11", &twelve, PMD CLIENT_BITS "=11", "12+,11+"},
    {PMD CLIENT_BITS "=15" SERVER_BITS "=15" CLIENT_NO SERVER_NO, &full, /* the longest answer */
     PMD SERVER_NO CLIENT_NO SERVER_BITS "=15", "15,15"},

    /* Wrong values: the offer is skipped. */
    {PMD SERVER_BITS, &full, "", ""},
    {PMD SERVER_BITS "=7", &full, "", ""},
    {PMD SERVER_BITS "=16", &full, "", ""},
    {PMD SERVER_BITS "=0", &full, "", ""},
    {PMD SERVER_BITS "=1", &full, "", ""},
    {PMD SERVER_BITS "=08", &full, "", ""},
    {PMD SERVER_BITS "=010", &full, "", ""},
    {PMD SERVER_BITS "=+10", &full, "", ""},
    {PMD SERVER_BITS "=-8", &full, "", ""},
    {PMD SERVER_BITS "=10.", &full, "", ""},
    {PMD SERVER_BITS "=100", &full, "", ""},
    {PMD SERVER_BITS "=80", &full, "", ""},
    {PMD SERVER_BITS "=8a", &full, "", ""},
    {PMD SERVER_BITS "=ten", &full, "", ""},
    {PMD SERVER_BITS "=4294967304", &full, "", ""}, /* 2^32 + 8 */
    {PMD CLIENT_BITS "=7", &full, "", ""},
    {PMD CLIENT_BITS "=16", &full, "", ""},
    {PMD CLIENT_BITS "=08", &full, "", ""},
    {PMD CLIENT_BITS "=1000000000000", &full, "", ""},
    {PMD SERVER_NO "=1", &full, "", ""},
    {PMD CLIENT_NO "=true", &full, "", ""},

    /* Parameters that are repeated or unknown. */
    {PMD SERVER_NO SERVER_NO, &full, "", ""},
    {PMD CLIENT_NO CLIENT_NO, &full, "", ""},
    {PMD SERVER_BITS "=10" SERVER_BITS "=10", &full, "", ""},
    {PMD CLIENT_BITS CLIENT_BITS, &full, "", ""},
    {PMD CLIENT_BITS "=10" CLIENT_BITS, &full, "", ""},
    {PMD "; fast", &full, "", ""},
    {PMD "; fast=10" CLIENT_BITS, &full, "", ""},
    {PMD CLIENT_BITS "; fast", &full, "", ""},
    {PMD "; server_max_window_bit=10", &full, "", ""},
    {PMD "; server_max_window_bitss=10", &full, "", ""},

    /* Names are exact. */
    {"Permessage-Deflate", &full, "", ""},
    {PMD "; Server_No_Context_Takeover", &full, "", ""},
    {"permessage-deflat", &full, "", ""},
    {"permessage-deflate2", &full, "", ""},

    /* Quoted values are those without the quotes. */
    {PMD SERVER_BITS "=\"10\"", &full, PMD SERVER_BITS "=10", "10+,15+"},
    {PMD CLIENT_BITS "=\"\\1\\0\"" SERVER_NO, &full, PMD SERVER_NO CLIENT_BITS "=10", "15,10+"},
    {PMD SERVER_BITS "=\"010\"", &full, "", ""},
    {PMD SERVER_BITS "=\"\\100\"", &full, "", ""},
    {PMD SERVER_NO "=\"1\"", &full, "", ""},

    /* Several elements: the first acceptable one; the others only have to be well-formed. */
    {PMD SERVER_BITS "=10, " PMD, &full, PMD SERVER_BITS "=10", "10+,15+"},
    {PMD ", " PMD SERVER_BITS "=10", &full, PMD, "15+,15+"},
    {PMD SERVER_BITS "=7, " PMD CLIENT_BITS "=9, " PMD, &full, PMD CLIENT_BITS "=9", "15+,9+"},
    {PMD "; fast, " PMD SERVER_NO SERVER_NO "," PMD CLIENT_NO, &full, PMD CLIENT_NO, "15+,15"},
    {PMD SERVER_NO "; fast, " PMD, &full, PMD, "15+,15+"}, /* nothing is left of a skipped offer */
    {"x-webkit-deflate-frame, " PMD CLIENT_BITS, &full, PMD CLIENT_BITS "=15", "15+,15+"},
    {"a; b=c; d=\"e\\f\"; b=c, " PMD ", z", &full, PMD, "15+,15+"},
    {"permessage-bzip2" SERVER_BITS "=10, " PMD, &full, PMD, "15+,15+"},
    {PMD SERVER_BITS "=10, " PMD, &off, "", ""},
    {"x-webkit-deflate-frame", &full, "", ""},

    /* Blanks, and elements that are empty. */
    {NULL, &full, "", ""},
    {NULL, &off, "", ""},
    {"", &full, "", ""},
    {" \t", &full, "", ""},
    {",", &full, "", ""},
    {" ,\t, ,", &full, "", ""},
    {",, " PMD " ,", &full, PMD, "15+,15+"},
    {" \t" PMD "\t ", &full, PMD, "15+,15+"},
    {PMD "\t;\t server_max_window_bits \t= 10 ,x", &full, PMD SERVER_BITS "=10", "10+,15+"},
    {PMD ";server_max_window_bits=10;client_no_context_takeover,x", &full, PMD CLIENT_NO SERVER_BITS "=10",
     "10+,15"},
    {PMD "; server_max_window_bits = \"10\" ; client_no_context_takeover", &full, PMD CLIENT_NO SERVER_BITS "=10",
     "10+,15"},
};

START_TEST(extension_answers_each_offer) {
    expect(offers[_i].offered, offers[_i].policy, offers[_i].response, offers[_i].agreed);
}
END_TEST

/* --- The grammar ------------------------------------------------------------------------------------------ */

static const char *const malformed[] = {
    "a b",
    "a;",
    "a; ;b",
    "a;;b",
    "a; ,b",
    ";",
    ";a",
    "; a, b",
    "=",
    "=x",
    "a=b",
    "a; =x",
    "a; b=",
    "a; b= ",
    "a; b=,",
    "a; b=;c",
    "a; b==c",
    "a; b=c=d",
    "a; b c",
    "a; b=c d",
    "a; b=\"",
    "a; b=\"c",
    "a; b=\"c\\",
    "a; b=\"c\\\"",
    "a; b=\"\"",
    "a; b=\"c d\"",
    "a; b=\" c\"",
    "a; b=\"c,d\"",
    "a; b=\"c;d\"",
    "a; b=\"c\\\"d\"",
    "a; b=\"c\\\\d\"",
    "a; b=\"c\x01\"",
    "a; b=\"c\"d",
    "a; b=\"c\" d",
    "a; b=\"c\"\"d\"",
    "a; b=c\"d\"",
    "a; b='c d'",
    "a; \"b\"",
    "a; \"b\"=c",
    "\"a\"",
    "a/b",
    "a:b",
    "(a)",
    "a; b=c:d",
    "a; b=\"c\\:d\"",
    "a\x01",
    "a\x7f",
    "a\r",
    "a\r\n b",
    "a\v; b",
    "\xc3\xa4",
    "a; b=\xc3\xa4",
    "a; \xff",
};

static void expect_malformed(const char *before, const char *text, const char *after,
                             const struct deflate_policy *policy) {
    char offered[160], response[EXTENSION_RESPONSE_SIZE], described[16];
    struct deflate_params params;
    snprintf(offered, sizeof offered, "%s%s%s", before, text, after);
    ck_assert_msg(negotiate(offered, policy, &params, response) == EXTENSION_MALFORMED, "%s", offered);
    describe(&params, described);
    ck_assert_msg(response[0] == '\0' && described[0] == '\0', "%s: %s, %s", offered, response, described);
}

/* Anywhere in the list, with compression on or off. */
START_TEST(extension_refuses_malformed_headers_anywhere) {
    const char *text = malformed[_i];
    expect_malformed("", text, "", &full);
    expect_malformed("", text, "", &off);
    expect_malformed(PMD CLIENT_BITS ", ", text, "", &full);
    expect_malformed(PMD CLIENT_BITS ", ", text, "", &off);
    expect_malformed(",", text, ", " PMD, &full);
    expect_malformed("x-other; y=z,", text, " ,", &fresh);
}
END_TEST

/* The base of the table above: without its error the text is valid. */
START_TEST(extension_accepts_all_of_the_grammar) {
    expect("a; b=\"c\" , d;e = f;g , h", &full, "", "");
    expect("!#$%&'*+-.^_`|~; b=\"!#$%&'*+-.^_`|~\"", &full, "", "");
}
END_TEST

START_TEST(extension_accepts_token_characters_only) {
    static const char marks[] = "!#$%&'*+-.^_`|~";
    char character = (char)_i;
    bool is_token = (_i >= '0' && _i <= '9') || (_i >= 'A' && _i <= 'Z') || (_i >= 'a' && _i <= 'z') ||
                    strchr(marks, character) != NULL;
    char text[16], quoted[16], escaped[16], response[EXTENSION_RESPONSE_SIZE];
    snprintf(text, sizeof text, "a;b=c%cd", character);
    snprintf(quoted, sizeof quoted, "a;b=\"c%cd\"", character);
    snprintf(escaped, sizeof escaped, "a;b=\"c\\%cd\"", character);
    struct deflate_params params;
    enum extension_result expected = is_token ? EXTENSION_NONE : EXTENSION_MALFORMED;
    ck_assert_int_eq(negotiate(escaped, &full, &params, response), expected);
    if (character != '\\') /* it escapes the d */
        ck_assert_int_eq(negotiate(quoted, &full, &params, response), expected);
    if (character != ',' && character != ';') /* these begin something new */
        ck_assert_int_eq(negotiate(text, &full, &params, response), expected);
}
END_TEST

/* The bytes after the terminator would complete the header. */
START_TEST(extension_reads_no_further_than_an_open_quote) {
    static const char open[] = "a; b=\"c\0d\", " PMD;
    static const char escaping[] = "a; b=\"c\\\0d\", " PMD;
    struct deflate_params params;
    char response[EXTENSION_RESPONSE_SIZE];
    ck_assert_int_eq(negotiate(open, &full, &params, response), EXTENSION_MALFORMED);
    ck_assert_int_eq(negotiate(escaping, &full, &params, response), EXTENSION_MALFORMED);
}
END_TEST

/* Every prefix of a header, in memory that ends with it: nothing after it is read. */
START_TEST(extension_reads_nothing_after_a_truncated_header) {
    static const char whole[] = "x; y=\"\\z\", " PMD SERVER_BITS "=\"1\\2\"" CLIENT_BITS " = 10 , " PMD;
    for (size_t size = 0; size < sizeof whole; size++) {
        char *offered = malloc(size + 1), response[EXTENSION_RESPONSE_SIZE];
        ck_assert_ptr_nonnull(offered);
        memcpy(offered, whole, size);
        offered[size] = '\0';
        struct deflate_params params;
        enum extension_result result = negotiate(offered, &full, &params, response);
        ck_assert_msg(params.enabled == (result == EXTENSION_ACCEPTED), "%s", offered);
        ck_assert_msg((response[0] != '\0') == (result == EXTENSION_ACCEPTED), "%s", offered);
        free(offered);
    }
    expect(whole, &full, PMD SERVER_BITS "=12" CLIENT_BITS "=10", "12+,10+");
}
END_TEST

/* --- What a client makes of an answer --------------------------------------------------------------------- */

static const struct {
    const char *response, *agreed; /* "": the handshake fails */
} responses[] = {
    {PMD, "15+,15+"},
    {" " PMD " ", "15+,15+"},
    {PMD SERVER_NO, "15,15+"},
    {PMD CLIENT_NO, "15+,15"},
    {PMD SERVER_BITS "=8", "8+,15+"}, /* a server may limit itself unasked (7.1.2.1) */
    {PMD CLIENT_BITS "=8", "15+,8+"},
    {PMD CLIENT_BITS "=\"12\"" SERVER_BITS "=10" CLIENT_NO SERVER_NO, "10,12"},
    {"", ""},
    {",", ""},
    {"x-unknown", ""},
    {"Permessage-Deflate", ""},
    {PMD "; x", ""},
    {PMD ";", ""},
    {PMD CLIENT_BITS, ""}, /* an answer names the value (7.1.2.2) */
    {PMD CLIENT_BITS "=7", ""},
    {PMD CLIENT_BITS "=16", ""},
    {PMD SERVER_BITS, ""},
    {PMD SERVER_BITS "=08", ""},
    {PMD SERVER_NO "=1", ""},
    {PMD SERVER_NO SERVER_NO, ""},
    {PMD SERVER_BITS "=10" SERVER_BITS "=10", ""},
    {PMD ", " PMD, ""},
    {PMD ", x-unknown", ""},
    {"x-unknown, " PMD, ""},
    {PMD " x", ""},
};

START_TEST(extension_checks_the_servers_response) {
    struct deflate_params params;
    char described[16];
    memset(&params, 0x55, sizeof params);
    bool agreed = extension_check(responses[_i].response, &params);
    describe(&params, described);
    ck_assert_msg(agreed == (*responses[_i].agreed != '\0'), "%s", responses[_i].response);
    ck_assert_msg(strcmp(described, responses[_i].agreed) == 0, "%s: %s", responses[_i].response, described);
}
END_TEST

/* With any policy, client and server derive the same parameters from the server's answer. */
START_TEST(extension_offer_and_response_agree_on_parameters) {
    for (uint8_t bits = 9; bits <= 15; bits++)
        for (int takeover = 0; takeover <= 1; takeover++) {
            struct deflate_policy policy = {.enabled = true, .takeover = takeover == 1, .window_bits = bits};
            struct deflate_params server, client;
            char response[EXTENSION_RESPONSE_SIZE];
            ck_assert_int_eq(negotiate(EXTENSION_OFFER, &policy, &server, response), EXTENSION_ACCEPTED);
            ck_assert(extension_check(response, &client));
            ck_assert(client.server_takeover == server.server_takeover);
            ck_assert(client.client_takeover == server.client_takeover);
            ck_assert_uint_eq(client.client_bits, server.client_bits);
            ck_assert_uint_ge(client.server_bits, server.server_bits);
        }
}
END_TEST

Suite *extension_suite(void) {
    Suite *suite = suite_create("extension");
    TCase *tcase = tcase_create("extension");
    tcase_add_loop_test(tcase, extension_answers_each_offer, 0, COUNT(offers));
    tcase_add_loop_test(tcase, extension_refuses_malformed_headers_anywhere, 0, COUNT(malformed));
    tcase_add_test(tcase, extension_accepts_all_of_the_grammar);
    tcase_add_loop_test(tcase, extension_accepts_token_characters_only, 1, 256);
    tcase_add_test(tcase, extension_reads_no_further_than_an_open_quote);
    tcase_add_test(tcase, extension_reads_nothing_after_a_truncated_header);
    tcase_add_loop_test(tcase, extension_checks_the_servers_response, 0, COUNT(responses));
    tcase_add_test(tcase, extension_offer_and_response_agree_on_parameters);
    suite_add_tcase(suite, tcase);
    return suite;
}
