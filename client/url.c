/* url.c - parses a ws:// or wss:// URL (RFC 6455, 3; RFC 3986, 3). Pure functions, any thread. It resolves no
 * names, and leaves the path unchanged: a server may interpret dots and escapes in its own way.
 *
 * SPDX-License-Identifier: MIT
 */
#include "client/url.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DIGITS       "0123456789"
#define ALPHANUMERIC DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define HOST_NAME                                                                                                  \
    ALPHANUMERIC "-._~" /* "unreserved" (RFC 3986, 2.3); underscores are common in the names of containers */
#define EXAMPLE "ws://127.0.0.1:9000/"

/* What is being parsed, and where errors go. */
struct reader {
    const char *at, *end; /* of the part that is being parsed */
    char *error;
    size_t error_size;
};

static bool url_fail(const struct reader *reader, const char *what) {
    snprintf(reader->error, reader->error_size, "%s", what);
    return false;
}

/* --- Characters -------------------------------------------------------------------------------------------- */

/* Runs before the other checks, so that no part can contain such a character. */
static bool url_check_characters(const struct reader *reader, const char *text) {
    for (const char *at = text; *at != '\0'; at++) {
        unsigned char character = (unsigned char)*at;
        if (character > ' ' && character < 0x7F && character != '#')
            continue;
        const char *what = character == '#'
                               ? "begins a fragment, which is not allowed in a WebSocket URL; write %23"
                           : character == ' '  ? "is a space; write %20"
                           : character <= 0x7F ? "is a control character; remove it"
                                               : "is not ASCII; write its bytes as %NN, a host name in punycode";
        snprintf(reader->error, reader->error_size, "character %zu of the URL %s", (size_t)(at - text) + 1, what);
        return false;
    }
    return true;
}

/* --- Parts, from left to right ------------------------------------------------------------------------------ */

static bool url_read_scheme(struct reader *reader, struct url *url) {
    url->tls = strncasecmp(reader->at, "wss://", 6) == 0;
    if (!url->tls && strncasecmp(reader->at, "ws://", 5) != 0)
        return url_fail(reader, "a WebSocket URL must begin with ws:// or wss://, as in " EXAMPLE);
    reader->at += url->tls ? 6 : 5;
    return true;
}

static int url_hexadecimal(char digit) {
    static const char digits[] = "0123456789abcdefABCDEF";
    const char *found = digit == '\0' ? NULL : strchr(digits, digit);
    if (found == NULL)
        return -1;
    int value = (int)(found - digits);
    return value < 16 ? value : value - 6;
}

/* Returns one character of the user; -1 for an invalid escape or a control character (RFC 7617, 2). */
static int url_decode(const char **at) {
    int character = (unsigned char)*(*at)++;
    if (character == '%') {
        int high = url_hexadecimal((*at)[0]), low = high < 0 ? -1 : url_hexadecimal((*at)[1]);
        if (low < 0)
            return -1;
        character = high * 16 + low;
        *at += 2;
    }
    return character < ' ' || character == 0x7F ? -1 : character;
}

static bool url_read_user(struct reader *reader, struct url *url) {
    const char *at_sign = memchr(reader->at, '@', (size_t)(reader->end - reader->at));
    if (at_sign == NULL)
        return true;
    size_t size = 0;
    while (reader->at < at_sign) {
        int character = url_decode(&reader->at);
        if (character < 0)
            return url_fail(reader, "user:password@ has an invalid % escape; write two hexadecimal digits of a "
                                    "printable character after it; "
                                    "a % itself is %25");
        if (size == URL_USER_SIZE - 1)
            return url_fail(reader, "user:password@ is longer than 255 bytes");
        url->user[size++] = (char)character;
    }
    reader->at = at_sign + 1;
    if (memchr(reader->at, '@', (size_t)(reader->end - reader->at)) != NULL)
        return url_fail(reader, "the URL has two @; write one that belongs to the password as %40");
    return true;
}

static bool url_copy_host(const struct reader *reader, struct url *url, size_t size) {
    if (size == 0)
        return url_fail(reader, "the URL has no host; it looks like " EXAMPLE);
    if (size >= URL_HOST_SIZE)
        return url_fail(reader, "the host is longer than 255 bytes");
    memcpy(url->host, reader->at, size);
    url->host[size] = '\0';
    return true;
}

/* Accepts "fe80::1%25eth0": the zone of a link-local address, its % escaped (RFC 6874). */
static bool url_is_ipv6(char *host) {
    struct in6_addr address;
    char *zone = strchr(host, '%');
    if (zone == NULL)
        return inet_pton(AF_INET6, host, &address) == 1;
    if (strncmp(zone, "%25", 3) != 0 || zone[3] == '\0' || zone[3 + strspn(zone + 3, HOST_NAME)] != '\0')
        return false;
    memmove(zone + 1, zone + 3, strlen(zone + 3) + 1);
    *zone = '\0';
    bool is_address = inet_pton(AF_INET6, host, &address) == 1;
    *zone = '%';
    return is_address;
}

static bool url_read_ipv6(struct reader *reader, struct url *url) {
    static const char wrong[] = "the text between [ and ] must be an IPv6 address, as in ws://[::1]:9000/";
    reader->at++;
    const char *bracket = memchr(reader->at, ']', (size_t)(reader->end - reader->at));
    if (bracket == NULL)
        return url_fail(reader, wrong);
    if (!url_copy_host(reader, url, (size_t)(bracket - reader->at)))
        return false;
    url->host_is_ipv6 = true;
    reader->at = bracket + 1;
    return url_is_ipv6(url->host) || url_fail(reader, wrong);
}

static bool url_read_host(struct reader *reader, struct url *url) {
    if (*reader->at == '[')
        return url_read_ipv6(reader, url);
    size_t size = strcspn(reader->at, ":/?");
    if (!url_copy_host(reader, url, size))
        return false;
    if (strspn(reader->at, HOST_NAME) < size)
        return url_fail(reader, "the host contains a character that is not allowed in host names");
    reader->at += size;
    return true;
}

static bool url_read_port(struct reader *reader, struct url *url) {
    static const char wrong[] = "the port must be a number from 1 to 65535, as in " EXAMPLE;
    unsigned standard = url->tls ? 443 : 80, port = standard;
    if (reader->at < reader->end && *reader->at != ':')
        return url_fail(reader, "only a port may follow the ] of the host, as in ws://[::1]:9000/");
    if (reader->at < reader->end)
        reader->at++;
    if (memchr(reader->at, ':', (size_t)(reader->end - reader->at)) != NULL)
        return url_fail(reader, "the host has too many colons; write an IPv6 address in brackets, as in "
                                "ws://[::1]:9000/");
    size_t size = (size_t)(reader->end - reader->at);
    if (strspn(reader->at, DIGITS) < size || size >= URL_PORT_SIZE)
        return url_fail(reader, wrong);
    if (size > 0)
        port = (unsigned)strtoul(reader->at, NULL, 10);
    if (port == 0 || port > 65535)
        return url_fail(reader, wrong);
    snprintf(url->port, sizeof url->port, "%hu", (unsigned short)port);
    url->port_given = port != standard;
    reader->at = reader->end;
    return true;
}

static bool url_read_target(struct reader *reader, struct url *url) {
    url->target = reader->at;
    url->target_size = strlen(reader->at);
    if (url->target_size > URL_TARGET_MAX)
        return url_fail(reader, "path and query are longer than 8192 bytes");
    return true;
}

bool url_parse(const char *text, struct url *url, char *error, size_t error_size) {
    *url = (struct url){.target = ""};
    struct reader reader = {.at = text, .error = error, .error_size = error_size};
    if (!url_check_characters(&reader, text) || !url_read_scheme(&reader, url))
        return false;
    reader.end = reader.at + strcspn(reader.at, "/?");
    return url_read_user(&reader, url) && url_read_host(&reader, url) && url_read_port(&reader, url) &&
           url_read_target(&reader, url);
}
