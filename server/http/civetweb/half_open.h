/* half_open.h - which unfinished requests must go, so that clients that never finish theirs do not take every HTTP
 * thread. Pure: the requests and the time in, a verdict on each out.
 *
 * While there are enough threads, a request has the whole handshake timeout. When clients wait for a thread, as
 * many unfinished requests go as clients wait: first those beyond the limit of an address, then the oldest. How
 * long each is left alone depends on how many wait: a second if only a few do, 200 ms when half of the queue is
 * full. A head in two pieces takes a round trip or two.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HTTP_CIVETWEB_HALF_OPEN_H
#define WEIR_HTTP_CIVETWEB_HALF_OPEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"

enum { HALF_OPEN_PATIENCE_MAX_MS = 1000, HALF_OPEN_PATIENCE_MIN_MS = 200 };

enum half_open_verdict {
    HALF_OPEN_STAYS,
    HALF_OPEN_TIMED_OUT, /* older than the handshake timeout */
    HALF_OPEN_GREEDY,    /* clients wait, and it is beyond what one address may have then */
    HALF_OPEN_OLDEST     /* clients wait, and it is among the oldest */
};

struct half_open {
    int fd;
    uint64_t cookie;        /* tells apart sockets that had the same number */
    struct address address; /* as the limits count it, see address_of_one_client() */
    bool unlimited;         /* the address stands for many clients */
    bool silent;            /* it has not sent a byte: it always has a second */
    uint64_t since_ms;
    enum half_open_verdict verdict;
};

struct half_open_limits {
    unsigned per_address; /* 0: no limit */
    uint64_t timeout_ms;
    unsigned threads; /* threads that answer requests */
    unsigned queue;   /* how many clients may wait for a thread */
};

/* Sets each verdict, and changes the order of the requests. When an address has too many, its oldest may stay.
 * `in_all` also counts the finished requests: those beyond the number of threads wait. Returns how many must
 * go. */
size_t half_open_decide(struct half_open *requests, size_t count, size_t in_all,
                        const struct half_open_limits *limits, uint64_t now_ms);

#endif
