/* half_open.h - which unfinished requests have to go, so that those who never finish theirs do not take every HTTP
 * thread. Pure: the requests and the time in, a verdict on each out.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HTTP_HALF_OPEN_H
#define WEIR_HTTP_HALF_OPEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/proto/address.h"

enum half_open_verdict {
    HALF_OPEN_STAYS,
    HALF_OPEN_TIMED_OUT, /* older than the handshake timeout */
    HALF_OPEN_GREEDY,    /* beyond what one address may have */
    HALF_OPEN_SHED       /* the oldest, when they hold the threads and somebody waits */
};

struct half_open {
    int fd;
    uint64_t cookie;        /* tells sockets apart that had the same number */
    struct address address; /* as limits count them, see address_of_one_client() */
    bool unlimited;         /* it stands for many clients */
    uint64_t since_ms;
    enum half_open_verdict verdict;
};

struct half_open_limits {
    unsigned per_address; /* 0: no limit */
    uint64_t timeout_ms;
    unsigned threads; /* that answer requests */
};

/* So many hold three quarters of the threads. */
unsigned half_open_many(const struct half_open_limits *limits);

/* Sets each verdict; changes the order. Of one address the oldest may stay. `in_all` counts the finished requests
 * too: while it is not more than the threads, nobody waits. Returns how many have to go. */
size_t half_open_judge(struct half_open *requests, size_t count, size_t in_all,
                       const struct half_open_limits *limits, uint64_t now_ms);

#endif
