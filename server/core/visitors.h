/* visitors.h - the clients by address: how many connections each address has, and how fast its handshakes come.
 * address_of_one_client() decides what counts as one address.
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
#ifndef WEIR_CORE_VISITORS_H
#define WEIR_CORE_VISITORS_H

#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/mutex.h"

enum { VISITORS_REMEMBERED_MAX = 16384 }; /* addresses without connections */

struct visitor;

struct visitors {
    _Atomic unsigned max_connections; /* per address; 0: no limit */
    _Atomic unsigned handshake_rate;  /* per address and second; 0: no limit */

    /* Immutable. */
    uint64_t seed;            /* random, so that no client can tell which addresses share a bucket */
    size_t bucket_count;      /* a power of two */
    struct visitor **buckets; /* the mutex guards what they contain */

    struct mutex mutex;                 /* guards all fields below */
    struct visitor *stalest, *freshest; /* addresses without connections, in the order in which they were last
                                           seen */
    unsigned remembered;                /* the number of those */
    size_t count;                       /* the number of all addresses */
};

/* `places` is the limit on all connections; it sizes the table. Returns -1 if memory is exhausted or there is no
 * random seed; also then visitors_release() may be called. */
int visitors_init(struct visitors *visitors, unsigned max_connections, unsigned handshake_rate, unsigned places);

/* Sets the limits from now on. Connections that came while there was no limit at all are not counted. */
void visitors_set_limits(struct visitors *visitors, unsigned max_connections, unsigned handshake_rate);

/* All connections must have left. */
void visitors_release(struct visitors *visitors);

enum visitors_answer {
    VISITORS_ADMITTED,
    VISITORS_TOO_MANY, /* too many connections */
    VISITORS_TOO_FAST, /* too many handshakes; a second later the next one is accepted again */
    VISITORS_NO_MEMORY
};

/* Counts a handshake, unless it comes too fast, and takes a place for its connection. A second's worth of
 * handshakes may come at once. If admitted, *visitor must be passed to visitors_leave(), which gives the place
 * back. *visitor is NULL otherwise, and if there are no limits. */
enum visitors_answer visitors_admit(struct visitors *visitors, const struct address *address, uint64_t now,
                                    struct visitor **visitor);
void visitors_leave(struct visitors *visitors, struct visitor *visitor, uint64_t now); /* NULL is allowed */

/* The number of addresses known. */
size_t visitors_count(struct visitors *visitors);

#endif
