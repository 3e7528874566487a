/* url.h - parses ws:// and wss:// URLs (RFC 6455, 3; RFC 3986) into their parts. Pure functions.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CLIENT_URL_H
#define WEIR_CLIENT_URL_H

#include <stdbool.h>
#include <stddef.h>

enum { URL_HOST_SIZE = 256, URL_PORT_SIZE = 6, URL_USER_SIZE = 256, URL_TARGET_MAX = 8192 };

struct url {
    bool tls;                 /* the scheme is wss */
    bool host_is_ipv6;        /* the host was written in brackets, which `host` does not contain */
    char host[URL_HOST_SIZE]; /* as getaddrinfo() expects it */
    char port[URL_PORT_SIZE]; /* decimal; 80 or 443 if the URL has none */
    bool port_given;          /* the URL has a port other than the scheme's default: the Host header includes it */
    char user[URL_USER_SIZE]; /* "user:password", percent-decoded; "" if the URL has none */
    const char *target;       /* path and query, a pointer into the parsed text; see target_size */
    size_t target_size;       /* 0 means "/" */
};

/* Returns true; or false with one line in `error` that says what is wrong with the text and how to write it.
 * Refuses a fragment (#...) (RFC 6455, 3), control characters, blanks and non-ASCII characters anywhere, another
 * scheme, an empty host, and a port outside 1 to 65535. A target that begins with '?' gets its '/' when it is
 * sent. `text` must outlive `url`. */
bool url_parse(const char *text, struct url *url, char *error, size_t error_size);

#endif
