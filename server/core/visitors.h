/* visitors.h - who is here by address: how many connections each has, and how fast its handshakes come. What counts
 * as one address is address_of_one_client()'s to say.
 *
 * Any thread, under one mutex that is the only one held here. Time comes in as an argument, in milliseconds;
 * threads may pass it out of order. Memory is bounded: an address is known while it has connections, and for a
 * second at most after its last handshake; of those without connections, the stalest is forgotten when there are
 * too many. Without limits nothing is kept and nothing locked.
 *
 * It does not know who a proxy speaks for.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CORE_VISITORS_H
#define WEIR_CORE_VISITORS_H

#include <stddef.h>
#include <stdint.h>

#include "pool/mutex.h"
#include "server/proto/address.h"

enum { VISITORS_REMEMBERED_MAX = 16384 }; /* addresses without connections */

struct visitor;

struct visitors {
    _Atomic unsigned max_connections; /* of one address; 0: no limit */
    _Atomic unsigned handshake_rate;  /* of one address in a second; 0: no limit */

    /* Immutable. */
    uint64_t seed;            /* nobody outside can tell which addresses share a bucket */
    size_t bucket_count;      /* a power of two */
    struct visitor **buckets; /* what they hold is the mutex's */

    struct mutex mutex;                 /* guards all below */
    struct visitor *stalest, *freshest; /* those without connections, as they were last seen */
    unsigned remembered;                /* so many */
    size_t count;                       /* all addresses */
};

/* `places` is how many connections there may be in all: it sizes the table. Returns -1 if memory is out; that too
 * can be released. */
int visitors_init(struct visitors *visitors, unsigned max_connections, unsigned handshake_rate, unsigned places);

/* From now on. Who has come while there was no limit at all is not counted. */
void visitors_set_limits(struct visitors *visitors, unsigned max_connections, unsigned handshake_rate);

/* Everybody must have left. */
void visitors_release(struct visitors *visitors);

enum visitors_answer {
    VISITORS_ADMITTED,
    VISITORS_TOO_MANY, /* connections */
    VISITORS_TOO_FAST, /* a second later the next handshake is in time again */
    VISITORS_NO_MEMORY
};

/* Counts a handshake, unless it comes too fast, and takes a place for its connection. A second's worth of
 * handshakes may come at once. When admitted, *visitor is for visitors_leave(), which gives the place back; NULL
 * otherwise, and if there are no limits. */
enum visitors_answer visitors_admit(struct visitors *visitors, const struct address *address, uint64_t now,
                                    struct visitor **visitor);
void visitors_leave(struct visitors *visitors, struct visitor *visitor, uint64_t now); /* NULL is allowed */

/* How many addresses are known. */
size_t visitors_count(struct visitors *visitors);

#endif
