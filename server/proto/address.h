/* address.h - IP addresses and networks as text and as bytes, and who is behind a proxy. Pure functions.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_PROTO_ADDRESS_H
#define WEIR_PROTO_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An IPv6 address; an IPv4 one stands as ::ffff:a.b.c.d, so that each has one form. */
struct address {
    uint8_t bytes[16];
};

/* All addresses whose first `bits` bits are those of `address`. */
struct network {
    struct address address;
    unsigned bits;
};

enum { ADDRESS_TEXT_SIZE = 46 }; /* with the terminator */

/* "192.0.2.7", "2001:db8::1", "::ffff:192.0.2.7"; no port, no brackets, no zone. */
bool address_parse(const char *text, struct address *address);
void address_print(const struct address *address, char text[ADDRESS_TEXT_SIZE]);
bool address_equal(const struct address *a, const struct address *b);

/* What one customer of a provider has: an IPv4 address, or an IPv6 network of 64 bits. Limits count by it. */
struct address address_of_one_client(const struct address *address);

/* "10.0.0.0/8", "2001:db8::/32"; without a slash it is the one address. Bits behind the prefix must be zero. */
bool network_parse(const char *text, struct network *network);
bool network_has(const struct network *network, const struct address *address);

/* True if one of `networks` (text, NULL-terminated, each of which network_parse() takes; or "none" alone) has it.
 */
bool address_is_in(const struct address *address, char *const *networks);

/* The client for whom `peer` speaks, if `peer` is a trusted proxy and X-Forwarded-For (`forwarded`, NULL: none; all
 * of its lines joined with ", ") says so: the last address in it that is not a trusted proxy's own, or the first if
 * all are. What stands before it may be invented. An item that is no address ends the search at the one behind it.
 * An item may have a port, as some proxies write it; an IPv6 address then stands in brackets.
 */
struct address address_of_client(const struct address *peer, const char *forwarded, char *const *trusted);

#endif
