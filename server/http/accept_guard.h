/* accept_guard.h - what happens to the listening sockets when the process has no descriptor left.
 *
 * The HTTP library accepts in a loop of its own that cannot wait: without a descriptor its accept() fails at once,
 * the client still stands in the queue, and the loop takes a whole processor. So its number of the listening socket
 * is given a quiet descriptor instead, as in adoption.h, and the guard itself answers those who come with 503, one
 * at a time, in a descriptor that it has kept for that. When there are descriptors again, the library gets its
 * socket back.
 *
 * descriptors.h leaves room for every client that is let in; what brings the process here is what others open.
 *
 * Belongs to one thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HTTP_ACCEPT_GUARD_H
#define WEIR_HTTP_ACCEPT_GUARD_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "server/http/listeners.h"

struct accept_guard {
    const struct listeners *listeners;
    struct pollfd polled[LISTENERS_MAX]; /* duplicates of them */
    int quiet;                           /* an eventfd; a write wakes whoever polls it */
    int spare;
    bool pending; /* somebody stood in the queue when we last looked */
    bool on;
    uint64_t since_ms;
};

/* The duplicates' numbers are `base` or higher if any of those is free. -1 with errno. */
int accept_guard_open(struct accept_guard *guard, const struct listeners *listeners, int base);
/* Leaves the library its sockets. */
void accept_guard_close(struct accept_guard *guard);

/* To be called every few milliseconds while somebody connects, and a hundred milliseconds at the latest while the
 * guard is on. Returns how many clients got a 503. */
unsigned accept_guard_look(struct accept_guard *guard, uint64_t now_ms);

#endif
