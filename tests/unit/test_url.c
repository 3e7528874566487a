/* test_url.c - URLs split into their parts, and the errors of malformed ones.
 *
 * SPDX-License-Identifier: MIT
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "client/url.h"
#include "tests/unit/suites.h"

/* "user|host|port|target", the host in brackets if it is an IPv6 address, the port with '!' if it was given, the
 * whole with "tls " in front. */
static const struct {
    const char *text, *parts;
} good[] = {
    {"ws://localhost", "|localhost|80|"},
    {"ws://localhost/", "|localhost|80|/"},
    {"WSS://Example.com/chat", "tls |Example.com|443|/chat"},
    {"ws://127.0.0.1:9000/echo?a=b/c?d:e@f", "|127.0.0.1|9000!|/echo?a=b/c?d:e@f"},
    {"ws://h?q", "|h|80|?q"},
    {"ws://h:80/", "|h|80|/"},
    {"wss://h:80/", "tls |h|80!|/"},
    {"wss://h:443/", "tls |h|443|/"},
    {"ws://h:/", "|h|80|/"},
    {"ws://h:1/", "|h|1!|/"},
    {"ws://h:65535", "|h|65535!|"},
    {"ws://h:00080", "|h|80|"},
    {"ws://[::1]:9000/", "|[::1]|9000!|/"},
    {"ws://[2001:db8::1]", "|[2001:db8::1]|80|"},
    {"ws://[fe80::1%25eth0]/", "|[fe80::1%eth0]|80|/"},
    {"ws://my_host-1.example./", "|my_host-1.example.|80|/"},
    {"ws://user:password@h/", "user:password|h|80|/"},
    {"ws://us%65r:p%40%3a%25@[::1]:9/", "user:p@:%|[::1]|9!|/"},
    {"ws://user@h/", "user|h|80|/"},
    {"ws://@h/", "|h|80|/"},
    {"ws://h/%zz%2f//../{x}", "|h|80|/%zz%2f//../{x}"},
};

START_TEST(url_is_split_into_its_parts) {
    struct url url;
    char error[160] = "", got[1024];
    ck_assert_msg(url_parse(good[_i].text, &url, error, sizeof error), "%s: %s", good[_i].text, error);
    snprintf(got, sizeof got, "%s%s|%s%s%s|%s%s|%.*s", url.tls ? "tls " : "", url.user, url.host_is_ipv6 ? "[" : "",
             url.host, url.host_is_ipv6 ? "]" : "", url.port, url.port_given ? "!" : "", (int)url.target_size,
             url.target);
    ck_assert_str_eq(got, good[_i].parts);
    if (url.target_size > 0)
        ck_assert(url.target >= good[_i].text && url.target < good[_i].text + strlen(good[_i].text));
}
END_TEST

static const struct {
    const char *text, *error;
} bad[] = {
    {"", "must begin with ws://"},
    {"localhost:9000", "must begin with ws://"},
    {"http://localhost/", "must begin with ws://"},
    {"ws:/localhost/", "must begin with ws://"},
    {"ws://", "no host"},
    {"ws:///path", "no host"},
    {"ws://:80/", "no host"},
    {"ws://user@/", "no host"},
    {"ws://?q", "no host"},
    {"ws://a b/", "character 7 of the URL is a space"},
    {" ws://a/", "character 1 of the URL is a space"},
    {"ws://a/\n", "character 8 of the URL is a control character"},
    {"ws://a/\x7f", "is a control character"},
    {"ws://a/#b", "character 8 of the URL begins a fragment"},
    {"ws://a/\xc3\xbc", "is not ASCII"},
    {"ws://h:0/", "the port must be a number"},
    {"ws://h:65536/", "the port must be a number"},
    {"ws://h:123456/", "the port must be a number"},
    {"ws://h:+80/", "the port must be a number"},
    {"ws://h:80x/", "the port must be a number"},
    {"ws://::1/", "no host"},
    {"ws://2001:db8::1/", "too many colons"},
    {"ws://h:80:90/", "too many colons"},
    {"ws://[::1/", "an IPv6 address"},
    {"ws://[]/", "no host"},
    {"ws://[127.0.0.1]/", "an IPv6 address"},
    {"ws://[::1]9000/", "only a port may follow"},
    {"ws://[::g]/", "an IPv6 address"},
    {"ws://[fe80::1%eth0]/", "an IPv6 address"},
    {"ws://[fe80::1%25]/", "an IPv6 address"},
    {"ws://a%41/", "not allowed in host names"},
    {"ws://a,b/", "not allowed in host names"},
    {"ws://u:p@q@h/", "two @"},
    {"ws://u%4@h/", "%25"},
    {"ws://u%zz@h/", "%25"},
    {"ws://u%00@h/", "%25"},
    {"ws://u%0a@h/", "%25"},
};

START_TEST(url_errors_are_one_line_with_the_reason) {
    struct url url;
    char error[160] = "";
    ck_assert_msg(!url_parse(bad[_i].text, &url, error, sizeof error), "%s", bad[_i].text);
    ck_assert_msg(strstr(error, bad[_i].error) != NULL, "%s: %s", bad[_i].text, error);
    ck_assert_ptr_null(strchr(error, '\n'));
}
END_TEST

/* `before`, then so many of `character`, then `after`. */
static bool takes(const char *before, size_t count, char character, const char *after) {
    static char text[2 * URL_TARGET_MAX];
    struct url url;
    char error[160];
    size_t size = strlen(before);
    memcpy(text, before, size);
    memset(text + size, character, count);
    strcpy(text + size + count, after);
    return url_parse(text, &url, error, sizeof error);
}

START_TEST(url_limits_host_user_and_target) {
    ck_assert(takes("ws://", URL_HOST_SIZE - 1, 'h', ":65535/"));
    ck_assert(!takes("ws://", URL_HOST_SIZE, 'h', ":65535/"));
    ck_assert(takes("ws://", URL_USER_SIZE - 1, 'u', "@h/"));
    ck_assert(!takes("ws://", URL_USER_SIZE, 'u', "@h/"));
    ck_assert(takes("ws://h/", URL_TARGET_MAX - 1, 't', ""));
    ck_assert(!takes("ws://h/", URL_TARGET_MAX, 't', ""));
}
END_TEST

Suite *url_suite(void) {
    Suite *suite = suite_create("url");
    TCase *tcase = tcase_create("url");
    tcase_add_loop_test(tcase, url_is_split_into_its_parts, 0, COUNT(good));
    tcase_add_loop_test(tcase, url_errors_are_one_line_with_the_reason, 0, COUNT(bad));
    tcase_add_test(tcase, url_limits_host_user_and_target);
    suite_add_tcase(suite, tcase);
    return suite;
}
