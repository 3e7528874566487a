/* pings.h - remembers which pings were sent, to measure how long their pongs take. One thread may send while
 * another receives. It neither reads the time nor sends anything.
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
    } waiting[PINGS_MAX]; /* pings that wait for their pongs, the oldest first */
    unsigned count;
};

void pings_init(struct pings *pings);
void pings_destroy(struct pings *pings);

/* Records a ping before it is sent. If too many wait, the oldest is forgotten. */
void pings_sent(struct pings *pings, const void *payload, size_t size, uint64_t now);

/* Records a pong. True if a ping with this payload waits: the oldest such ping was sent *took ns ago. It and the
 * pings before it stop waiting, because a server may answer only the latest of several pings (RFC 6455, 5.5.3). */
bool pings_answered(struct pings *pings, const void *payload, size_t size, uint64_t now, uint64_t *took);

#endif
