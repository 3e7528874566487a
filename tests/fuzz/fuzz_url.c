/* fuzz_url.c - URLs: what comes out is what a resolver, a Host header and a request line can take; written again
 * from its parts, it comes apart into the same.
 *
 * The input is the URL.
 *
 * SPDX-License-Identifier: MIT
 */
#include <ctype.h>

#include "client/url.h"
#include "tests/fuzz/fuzz.h"

enum { ERROR_SIZE = 160, WRITTEN_SIZE = 4 * URL_USER_SIZE + URL_HOST_SIZE + URL_TARGET_MAX + 64 };

static bool is_printable(const char *text, size_t size) {
    for (size_t i = 0; i < size; i++)
        if (text[i] <= ' ' || text[i] >= 0x7F)
            return false;
    return true;
}

static void check_parts(const struct url *url, const char *text) {
    FUZZ_REQUIRE(strncasecmp(text, url->tls ? "wss://" : "ws://", url->tls ? 6 : 5) == 0);
    FUZZ_REQUIRE(url->host[0] != '\0' && is_printable(url->host, strlen(url->host)));
    FUZZ_REQUIRE(strpbrk(url->host, "[]/@?#") == NULL && (strchr(url->host, ':') != NULL) == url->host_is_ipv6);
    int port = atoi(url->port);
    FUZZ_REQUIRE(port >= 1 && port <= 65535 && url->port_given == (port != (url->tls ? 443 : 80)));
    for (const char *at = url->user; *at != '\0'; at++)
        FUZZ_REQUIRE(!iscntrl((unsigned char)*at));
    FUZZ_REQUIRE(url->target >= text && url->target + url->target_size == text + strlen(text));
    FUZZ_REQUIRE(url->target_size <= URL_TARGET_MAX && is_printable(url->target, url->target_size));
    FUZZ_REQUIRE(url->target_size == 0 || url->target[0] == '/' || url->target[0] == '?');
    FUZZ_REQUIRE(memchr(url->target, '#', url->target_size) == NULL);
}

/* Every character of the user escaped; the mark of an IPv6 zone too (RFC 6874). */
static void write_again(const struct url *url, char written[WRITTEN_SIZE]) {
    char *at = written + sprintf(written, "%s://", url->tls ? "wss" : "ws");
    for (const char *user = url->user; *user != '\0'; user++)
        at += sprintf(at, "%%%02x", (unsigned)(unsigned char)*user);
    at += sprintf(at, "%s%s", url->user[0] == '\0' ? "" : "@", url->host_is_ipv6 ? "[" : "");
    for (const char *host = url->host; *host != '\0'; host++)
        at += sprintf(at, *host == '%' ? "%c25" : "%c", *host);
    sprintf(at, "%s:%s%.*s", url->host_is_ipv6 ? "]" : "", url->port, (int)url->target_size, url->target);
}

static void check_again(const struct url *url) {
    char *written = fuzz_allocate(WRITTEN_SIZE), error[ERROR_SIZE];
    struct url again;
    write_again(url, written);
    FUZZ_REQUIRE(url_parse(written, &again, error, sizeof error));
    FUZZ_REQUIRE(again.tls == url->tls && again.host_is_ipv6 == url->host_is_ipv6);
    FUZZ_REQUIRE(strcmp(again.host, url->host) == 0 && strcmp(again.port, url->port) == 0);
    FUZZ_REQUIRE(again.port_given == url->port_given && strcmp(again.user, url->user) == 0);
    FUZZ_REQUIRE(again.target_size == url->target_size && memcmp(again.target, url->target, url->target_size) == 0);
    free(written);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size) {
    char *text = fuzz_text(input, size), error[ERROR_SIZE] = "";
    struct url url;
    if (url_parse(text, &url, error, sizeof error)) {
        FUZZ_REQUIRE(error[0] == '\0');
        check_parts(&url, text);
        check_again(&url);
    } else {
        FUZZ_REQUIRE(error[0] != '\0' && strlen(error) < sizeof error - 1);
        FUZZ_REQUIRE(is_printable(error, strcspn(error, " ")) && strpbrk(error, "\r\n\x1b") == NULL);
    }
    free(text);
    return 0;
}
