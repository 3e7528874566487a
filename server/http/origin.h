/* origin.h - which web pages' scripts may connect (RFC 6455, 4.2.2 and 10.2). Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HTTP_ORIGIN_H
#define WEIR_HTTP_ORIGIN_H

#include <stdbool.h>

/* `allowed` holds what value_origin() allows, NULL-terminated. A star in a pattern stands for any characters but a
 * slash; a value in double quotes stands for itself. `origin` is the request's Origin header. If it is NULL, the
 * client is not a browser, and is allowed. `host` is the Host header. */
bool origin_is_allowed(char *const *allowed, const char *origin, const char *host);

#endif
