/* pings.h - which pings have been sent, to say how long their pongs took. One thread may send while another
 * receives; no time is read here, and nothing is sent.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CONNECT_PINGS_H
#define WEIR_CONNECT_PINGS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PINGS_PAYLOAD_MAX = 125, PINGS_MAX = 16 };

struct pings {
    pthread_mutex_t lock; /* guards everything below */
    struct ping {
        char payload[PINGS_PAYLOAD_MAX];
        size_t size;
        uint64_t sent;    /* ns */
    } waiting[PINGS_MAX]; /* for their pongs, the oldest first */
    unsigned count;
};

void pings_init(struct pings *pings);
void pings_destroy(struct pings *pings);

/* Before a ping leaves. The oldest is forgotten if too many wait. */
void pings_sent(struct pings *pings, const void *payload, size_t size, uint64_t now);

/* A pong. True: the oldest ping with its payload was sent *took ns ago. It and those before it wait no longer, for
 * a server may answer the latest of several pings alone (RFC 6455, 5.5.3). */
bool pings_answered(struct pings *pings, const void *payload, size_t size, uint64_t now, uint64_t *took);

#endif
