/* origin.h - which pages' scripts may connect (RFC 6455, 4.2.2 and 10.2). Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HTTP_ORIGIN_H
#define WEIR_HTTP_ORIGIN_H

#include <stdbool.h>

/* `allowed` has what value_origin() allows, NULL-terminated; a star in a pattern stands for any characters but a
 * slash, and what is in double quotes for itself. `origin` is the request's Origin header, NULL if it has none:
 * then it is no browser, and allowed. `host` is its Host header. */
bool origin_is_allowed(char *const *allowed, const char *origin, const char *host);

#endif
