/* address.h - IP addresses and networks as text and as bytes, and the client that a proxy speaks for. Pure
 * functions, any thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BASE_ADDRESS_H
#define WEIR_BASE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An IPv6 address. An IPv4 address is stored as ::ffff:a.b.c.d, so that each address has one form. */
struct address {
    uint8_t bytes[16];
};

/* All addresses whose first `bits` bits are those of `address`. */
struct network {
    struct address address;
    unsigned bits;
};

enum { ADDRESS_TEXT_SIZE = 46 }; /* with the terminator */

/* Accepts "192.0.2.7", "2001:db8::1", "::ffff:192.0.2.7"; no port, no brackets, no zone. */
bool address_parse(const char *text, struct address *address);
void address_print(const struct address *address, char text[ADDRESS_TEXT_SIZE]);
bool address_equal(const struct address *a, const struct address *b);

/* The addresses that one customer of a provider has: an IPv4 address, or an IPv6 network of 64 bits. Limits count
 * by this. */
struct address address_of_one_client(const struct address *address);

/* Accepts "10.0.0.0/8", "2001:db8::/32"; without a slash, the network is that one address. Bits after the prefix
 * must be zero. */
bool network_parse(const char *text, struct network *network);
bool network_has(const struct network *network, const struct address *address);

/* Whether one of `networks` contains the address. They are texts, NULL-terminated; each must be valid for
 * network_parse(), or be "none" alone. */
bool address_is_in(const struct address *address, char *const *networks);

/* Returns the client that `peer` speaks for, or `peer` itself unless it is a trusted proxy. `forwarded` is
 * X-Forwarded-For, all of its lines joined with ", "; NULL: there is none. The client is its last address that is
 * not a trusted proxy's, or the first address if all are. Anything before the client's address may be invented. An
 * item that is not an address ends the search at the address after it. An item may have a port, as some proxies
 * write it; an IPv6 address is then in brackets. */
struct address address_of_client(const struct address *peer, const char *forwarded, char *const *trusted);

#endif
