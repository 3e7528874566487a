/* descriptor_guard.h - what happens to the listening sockets when the process has no descriptor left.
 *
 * The HTTP library accepts in a loop that cannot wait. Without a free descriptor its accept() fails at once, the
 * client stays in the queue, and the loop uses a whole processor. So the guard puts a quiet descriptor in the
 * place of the library's listening socket, as in adoption.h. Meanwhile the guard itself answers new clients with
 * 503, one at a time, through a descriptor that it has kept for that. When descriptors are free again, the library
 * gets its socket back.
 *
 * descriptors.h leaves room for every client that is let in; only descriptors that others open bring the process
 * here.
 *
 * Belongs to one thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HTTP_CIVETWEB_DESCRIPTOR_GUARD_H
#define WEIR_HTTP_CIVETWEB_DESCRIPTOR_GUARD_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "server/http/civetweb/listeners.h"

struct descriptor_guard {
    const struct listeners *listeners;
    struct pollfd polled[LISTENERS_MAX]; /* duplicates of the listening sockets */
    int quiet;                           /* an eventfd; a write wakes any thread that polls it */
    int spare;
    bool pending; /* a client was in the queue at the last look */
    bool on;
    uint64_t since_ms;
};

/* The duplicates' numbers are `base` or higher, if any of those is free. Returns -1 with errno. */
int descriptor_guard_open(struct descriptor_guard *guard, const struct listeners *listeners, int base);
/* Gives the library its sockets back. */
void descriptor_guard_close(struct descriptor_guard *guard);

/* Call it every few milliseconds while clients connect, and at least every hundred milliseconds while the guard is
 * on. Returns how many clients got a 503. */
unsigned descriptor_guard_look(struct descriptor_guard *guard, uint64_t now_ms);

#endif
