/* address_limiter.h - the clients by address: how many connections each address has, and how fast its handshakes
 * come. address_of_one_client() decides what counts as one address.
 *
 * Any thread, under one mutex; no other lock is taken under it. Time comes in as an argument, in milliseconds;
 * threads may pass it out of order. Memory is bounded. An address is known while it has connections, and for at
 * most a second after its last handshake. If too many addresses without connections are known, the stalest is
 * forgotten. Without limits nothing is stored and nothing locked.
 *
 * It does not know which client a proxy speaks for.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CORE_ADDRESS_LIMITER_H
#define WEIR_CORE_ADDRESS_LIMITER_H

#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/mutex.h"

enum { ADDRESS_LIMITER_REMEMBERED_MAX = 16384 }; /* addresses without connections */

struct limited_address;

struct address_limiter {
    _Atomic unsigned max_connections; /* per address; 0: no limit */
    _Atomic unsigned handshake_rate;  /* per address and second; 0: no limit */

    /* Immutable. */
    uint64_t seed;                    /* random, so that no client can tell which addresses share a bucket */
    size_t bucket_count;              /* a power of two */
    struct limited_address **buckets; /* the mutex guards what they contain */

    struct mutex mutex;                         /* guards all fields below */
    struct limited_address *stalest, *freshest; /* addresses without connections, in the order in which they were
                                           last seen */
    unsigned remembered;                        /* the number of those */
    size_t count;                               /* the number of all addresses */
};

/* `places` is the limit on all connections; it sizes the table. Returns -1 if memory is exhausted or there is no
 * random seed; also then address_limiter_release() may be called. */
int address_limiter_init(struct address_limiter *limiter, unsigned max_connections, unsigned handshake_rate,
                         unsigned places);

/* Sets the limits from now on. Connections that came while there was no limit at all are not counted. */
void address_limiter_set_limits(struct address_limiter *limiter, unsigned max_connections, unsigned handshake_rate);

/* All connections must have left. */
void address_limiter_release(struct address_limiter *limiter);

enum address_limiter_answer {
    ADDRESS_LIMITER_ADMITTED,
    ADDRESS_LIMITER_TOO_MANY, /* too many connections */
    ADDRESS_LIMITER_TOO_FAST, /* too many handshakes; a second later the next one is accepted again */
    ADDRESS_LIMITER_NO_MEMORY
};

/* Counts a handshake, unless it comes too fast, and takes a place for its connection. A second's worth of
 * handshakes may come at once. If admitted, *entry must be passed to address_limiter_leave(), which gives the place
 * back. *entry is NULL otherwise, and if there are no limits. */
enum address_limiter_answer address_limiter_admit(struct address_limiter *limiter, const struct address *address,
                                                  uint64_t now, struct limited_address **entry);
void address_limiter_leave(struct address_limiter *limiter, struct limited_address *entry,
                           uint64_t now); /* NULL is allowed */

/* The number of addresses known. */
size_t address_limiter_count(struct address_limiter *limiter);

#endif
