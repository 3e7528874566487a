/* url.h - ws:// and wss:// URLs (RFC 6455, 3; RFC 3986): text to parts. Pure functions.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CLIENT_URL_H
#define WEIR_CLIENT_URL_H

#include <stdbool.h>
#include <stddef.h>

enum { URL_HOST_SIZE = 256, URL_PORT_SIZE = 6, URL_USER_SIZE = 256, URL_TARGET_MAX = 8192 };

struct url {
    bool tls;                 /* wss */
    bool host_is_ipv6;        /* it stood in brackets, which are not in `host` */
    char host[URL_HOST_SIZE]; /* as it goes to getaddrinfo() */
    char port[URL_PORT_SIZE]; /* decimal; 80 or 443 if the URL has none */
    bool port_given;          /* and is not the scheme's own: the Host header names it */
    char user[URL_USER_SIZE]; /* "user:password", percent-decoded; "" if the URL has none */
    const char *target;       /* path and query within the text parsed; see target_size */
    size_t target_size;       /* 0: "/" */
};

/* Returns true; or false with one line in `error` that says what is wrong with the text and how it should look. A
 * fragment (#...) is refused (RFC 6455, 3), so are control characters and blanks anywhere, another scheme, an empty
 * host, a port beyond 1 to 65535. A target that begins with '?' gets its '/' when it is sent. `text` has to outlive
 * `url`. */
bool url_parse(const char *text, struct url *url, char *error, size_t error_size);

#endif
