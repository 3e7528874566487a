/* test_request.c - requests of weir.v1 split into members, and the errors of malformed ones.
 *
 * SPDX-License-Identifier: MIT
 */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/channels/request.h"
#include "tests/unit/suites.h"

#define TEN      "1234567890"
#define SIXTY    TEN TEN TEN TEN TEN TEN
#define MEMBER   ",\"channel\":\"news\""
#define CHANNEL  "{\"type\":\"subscribe\",\"channel\":"
#define SINCE    "{\"type\":\"subscribe\",\"channel\":\"news\",\"since\":"
#define EPOCH    "{\"type\":\"subscribe\",\"channel\":\"news\",\"since\":1,\"epoch\":"
#define LAST     "{\"type\":\"subscribe\",\"channel\":\"news\",\"last\":"
#define PRESENCE "{\"type\":\"subscribe\",\"channel\":\"news\",\"presence\":"
#define ID       "{\"type\":\"ping\",\"id\":"
#define NAME     SIXTY SIXTY SIXTY SIXTY TEN "12345" /* as long as one may be */

/* Parses an exact copy, so that a sanitizer sees a read beyond it; `got` gets the result. */
static int parse(const char *text, struct request_error *error, char *got, size_t got_size) {
    static const char *const types[] = {"subscribe", "unsubscribe", "publish", "presence", "ping"};
    size_t size = strlen(text);
    char *copy = malloc(size);
    ck_assert(copy != NULL || size == 0);
    if (size > 0)
        memcpy(copy, text, size);
    struct request request;
    memset(&request, 0xAA, sizeof request);
    int result = request_parse(copy, size, &request, error);
    char since[32] = "", last[32] = "";
    if (result == 0 && request.recover)
        snprintf(since, sizeof since, "%" PRIu64, request.since);
    if (result == 0 && request.last > 0)
        snprintf(last, sizeof last, "|last %" PRIu32, request.last);
    snprintf(got, got_size, "%s|%s|%.*s|%.*s|%s|%s%s%s", result == 0 ? types[request.type] : "", request.channel,
             (int)request.data.size, (const char *)request.data.bytes, (int)request.id.size,
             (const char *)request.id.bytes, since, result == 0 ? request.epoch : "", last,
             result == 0 && request.presence ? "|presence" : "");
    free(copy);
    return result;
}

/* "type|channel|data|id|since|epoch". */
static const struct {
    const char *text, *parts;
} good[] = {
    {"{\"type\":\"ping\"}", "ping|||||"},
    {" {\t\"type\" :\r\"ping\" }\n", "ping|||||"},
    {"{\"t\\u0079pe\":\"pin\\u0067\"}", "ping|||||"},
    {ID "\"a\"}", "ping|||\"a\"||"},
    {ID "\"\"}", "ping|||\"\"||"},
    {ID "\"\\u00e9\\n\"}", "ping|||\"\\u00e9\\n\"||"},
    {ID "\"" SIXTY "1234\"}", "ping|||\"" SIXTY "1234\"||"},
    {ID "0}", "ping|||0||"},
    {ID "-17}", "ping|||-17||"},
    {ID SIXTY "1234}", "ping|||" SIXTY "1234||"},
    {CHANNEL "\"news\"}", "subscribe|news||||"},
    {"{\"channel\":\"news\",\"id\":1,\"type\":\"subscribe\"}", "subscribe|news||1||"},
    {CHANNEL "\"n\\u0065ws\\u002F1\"}", "subscribe|news/1||||"},
    {CHANNEL "\"aZ09_-.:@/+~\"}", "subscribe|aZ09_-.:@/+~||||"},
    {CHANNEL "\"" NAME "\"}", "subscribe|" NAME "||||"},
    {SINCE "0}", "subscribe|news|||0|"},
    {SINCE "9007199254740992}", "subscribe|news|||9007199254740992|"},
    {EPOCH "\"e\"}", "subscribe|news|||1|e"},
    {EPOCH "\"\\u00e9\"}", "subscribe|news|||1|\xc3\xa9"},
    {EPOCH "\"" SIXTY "1234\"}", "subscribe|news|||1|" SIXTY "1234"},
    {LAST "1}", "subscribe|news|||||last 1"},
    {LAST "10000}", "subscribe|news|||||last 10000"},
    {LAST "10,\"since\":7}", "subscribe|news|||7||last 10"},
    {EPOCH "\"e\",\"presence\":true,\"last\":9}", "subscribe|news|||1|e|last 9|presence"},
    {PRESENCE "true}", "subscribe|news|||||presence"},
    {PRESENCE "false}", "subscribe|news||||"},
    {"{\"type\":\"unsubscribe\"" MEMBER "}", "unsubscribe|news||||"},
    {"{\"type\":\"presence\"" MEMBER "}", "presence|news||||"},
    {"{\"type\":\"publish\"" MEMBER ",\"data\":null}", "publish|news|null|||"},
    {"{\"type\":\"publish\"" MEMBER ",\"data\": 1.50e+1 }", "publish|news|1.50e+1|||"},
    {"{\"type\":\"publish\"" MEMBER ",\"data\":\"\\ud800\"}", "publish|news|\"\\ud800\"|||"},
    {"{\"data\":{\"type\" : \"ping\", \"type\":2 },\"type\":\"publish\"" MEMBER "}",
     "publish|news|{\"type\" : \"ping\", \"type\":2 }|||"},
};

START_TEST(request_is_split_into_its_members) {
    struct request_error error = {.message = ""};
    char got[1024];
    ck_assert_msg(parse(good[_i].text, &error, got, sizeof got) == 0, "%s: %s", good[_i].text, error.message);
    ck_assert_str_eq(got, good[_i].parts);
}
END_TEST

/* The error as "code: message", and the members that could be read, as "channel|id". */
static const struct {
    const char *text, *error, *read;
} bad[] = {
    {"", "invalid_json: byte 0: ", "|"},
    {"{\"type\" \"ping\"}", "invalid_json: byte 8: expected ':'", "|"},
    {"{\"type\":\"ping\"} x", "invalid_json: byte 16: ", "|"},
    {"{\"id\":1,\"type\":\"p\xff\"}", "invalid_json: byte 17: expected valid UTF-8", "|"},
    {"[]", "invalid_message: a request must be an object", "|"},
    {"null", "invalid_message: a request must be an object", "|"},
    {"{}", "invalid_message: \"type\" is missing", "|"},
    {"{\"id\":\"x\"" MEMBER "}", "invalid_message: \"type\" is missing", "news|\"x\""},
    {"{\"type\":1,\"id\":2}", "invalid_message: \"type\" must be a string", "|2"},
    {"{\"type\":\"Ping\",\"id\":3,\"odd\":1}",
     "unknown_type: \"type\" must be \"subscribe\", \"unsubscribe\", \"publish\", \"presence\" or \"ping\", not "
     "\"Ping\"",
     "|3"},
    {"{\"type\":\"" SIXTY "\"}", "not \"12345678901234567890123456789012345678901234567...\"", "|"},
    {"{\"type\":\"1" TEN TEN TEN TEN "12345\xe2\x82\xac" TEN "\"}", "1" TEN TEN TEN TEN "12345...\"", "|"},
    {"{\"type\":\"ping\",\"id\":4,\"type\":\"ping\"}", "invalid_message: \"type\" is there twice", "|4"},
    {ID "5,\"\\u0069d\":6}", "invalid_message: \"id\" is there twice", "|5"},
    {ID "7,\"odd\":1,\"even\":2}", "invalid_message: \"odd\" is not a member of \"ping\"", "|7"},
    {ID "7,\"o\\\"d\\n\":1}", "invalid_message: \"o\\\"d\\n\" is not a member of \"ping\"", "|7"},
    {"{\"type\":\"ping\"" MEMBER "}", "invalid_message: \"channel\" is not a member of \"ping\"", "news|"},
    {SINCE "1,\"data\":1}", "invalid_message: \"data\" is not a member of \"subscribe\"", "news|"},
    {"{\"type\":\"publish\",\"id\":8}", "invalid_message: \"channel\" is missing", "|8"},
    {"{\"type\":\"publish\"" MEMBER "}", "invalid_message: \"data\" is missing", "news|"},
    {"{\"type\":\"presence\"}", "invalid_message: \"channel\" is missing", "|"},
    {ID "\"" SIXTY "12345\"}", "invalid_message: \"id\" must be an integer or a string, of 64 bytes at most", "|"},
    {ID SIXTY "12345}", "invalid_message: \"id\" must be", "|"},
    {ID "1.0}", "invalid_message: \"id\" must be", "|"},
    {ID "1e2}", "invalid_message: \"id\" must be", "|"},
    {ID "1E2}", "invalid_message: \"id\" must be", "|"},
    {ID "null}", "invalid_message: \"id\" must be", "|"},
    {ID "[1]}", "invalid_message: \"id\" must be", "|"},
    {CHANNEL "7}", "invalid_message: \"channel\" must be a string", "|"},
    {CHANNEL "\"\"}",
     "invalid_channel: the name of a channel has 1 to 255 letters, digits and characters of _-.:@/+~", "|"},
    {CHANNEL "\"a b\",\"id\":9}", "invalid_channel: ", "|9"},
    {CHANNEL "\"" NAME "6\"}", "invalid_channel: ", "|"},
    {CHANNEL "\"\xc3\xa9\"}", "invalid_channel: ", "|"},
    {CHANNEL "\"a\\u0000\"}", "invalid_channel: ", "|"},
    {CHANNEL "\"news*\"}", "invalid_channel: ", "|"},
    {SINCE "-1}", "invalid_message: \"since\" must be a whole number from 0 to 2^53", "news|"},
    {SINCE "1.5}", "invalid_message: \"since\" must be", "news|"},
    {SINCE "9007199254740993}", "invalid_message: \"since\" must be", "news|"},
    {SINCE "\"1\"}", "invalid_message: \"since\" must be", "news|"},
    {SINCE "null}", "invalid_message: \"since\" must be", "news|"},
    {EPOCH "1}", "invalid_message: \"epoch\" must be a string of 1 to 64 bytes", "news|"},
    {EPOCH "\"\"}", "invalid_message: \"epoch\" must be", "news|"},
    {EPOCH "\"" SIXTY "12345\"}", "invalid_message: \"epoch\" must be", "news|"},
    {CHANNEL "\"news\",\"epoch\":\"e\"}", "invalid_message: \"epoch\" says nothing without \"since\"", "news|"},
    {CHANNEL "\"news\",\"epoch\":\"e\",\"last\":1}", "invalid_message: \"epoch\" says nothing without", "news|"},
    {LAST "0}", "invalid_message: \"last\" must be a whole number from 1 to 10000", "news|"},
    {LAST "10001}", "invalid_message: \"last\" must be", "news|"},
    {LAST "-1}", "invalid_message: \"last\" must be", "news|"},
    {LAST "1e1}", "invalid_message: \"last\" must be", "news|"},
    {LAST "2.5}", "invalid_message: \"last\" must be", "news|"},
    {LAST "4294967297}", "invalid_message: \"last\" must be", "news|"},
    {LAST "\"1\"}", "invalid_message: \"last\" must be", "news|"},
    {LAST "true}", "invalid_message: \"last\" must be", "news|"},
    {"{\"type\":\"presence\"" MEMBER ",\"last\":1}", "invalid_message: \"last\" is not a member of \"presence\"",
     "news|"},
    {PRESENCE "1}", "invalid_message: \"presence\" must be true or false", "news|"},
    {PRESENCE "null}", "invalid_message: \"presence\" must be", "news|"},
};

START_TEST(request_errors_name_code_and_reason) {
    struct request_error error = {.message = ""};
    char got[1024], told[256], read[1024];
    ck_assert_msg(parse(bad[_i].text, &error, got, sizeof got) == -1, "%s: %s", bad[_i].text, got);
    snprintf(told, sizeof told, "%s: %s", error.code, error.message);
    ck_assert_msg(strstr(told, bad[_i].error) != NULL, "%s: %s", bad[_i].text, told);
    const char *bar = strchr(bad[_i].read, '|');
    snprintf(read, sizeof read, "|%.*s||%s|", (int)(bar - bad[_i].read), bad[_i].read, bar + 1);
    ck_assert_msg(strncmp(got, read, strlen(read)) == 0, "%s: %s is not %s", bad[_i].text, got, read);
}
END_TEST

/* The whole message counts for the depth, so its data may nest one level less. */
START_TEST(request_data_may_nest_one_level_less_than_json) {
    static const char head[] = "{\"type\":\"publish\"" MEMBER ",\"data\":";
    for (size_t depth = JSON_DEPTH_MAX - 1; depth <= JSON_DEPTH_MAX; depth++) {
        char text[256] = "", got[512];
        struct request_error error;
        strcpy(text, head);
        memset(text + strlen(text), '[', depth);
        memset(text + strlen(text), ']', depth);
        strcat(text, "}");
        ck_assert_int_eq(parse(text, &error, got, sizeof got), depth < JSON_DEPTH_MAX ? 0 : -1);
        if (depth == JSON_DEPTH_MAX)
            ck_assert_str_eq(error.code, "invalid_json");
    }
}
END_TEST

Suite *request_suite(void) {
    Suite *suite = suite_create("request");
    TCase *tcase = tcase_create("request");
    tcase_add_loop_test(tcase, request_is_split_into_its_members, 0, COUNT(good));
    tcase_add_loop_test(tcase, request_errors_name_code_and_reason, 0, COUNT(bad));
    tcase_add_test(tcase, request_data_may_nest_one_level_less_than_json);
    suite_add_tcase(suite, tcase);
    return suite;
}
