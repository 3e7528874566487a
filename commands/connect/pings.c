/* pings.c - pings that wait for their pongs.
 *
 * SPDX-License-Identifier: MIT
 */
#include "commands/connect/pings.h"

#include <string.h>

void pings_init(struct pings *pings) {
    pings->count = 0;
    pthread_mutex_init(&pings->lock, NULL);
}

void pings_destroy(struct pings *pings) {
    pthread_mutex_destroy(&pings->lock);
}

static void forget_locked(struct pings *pings, unsigned count) {
    pings->count -= count;
    memmove(pings->waiting, pings->waiting + count, pings->count * sizeof *pings->waiting);
}

void pings_sent(struct pings *pings, const void *payload, size_t size, uint64_t now) {
    if (size > PINGS_PAYLOAD_MAX)
        return; /* too long to be sent */
    pthread_mutex_lock(&pings->lock);
    if (pings->count == PINGS_MAX)
        forget_locked(pings, 1);
    struct ping *ping = &pings->waiting[pings->count++];
    if (size > 0)
        memcpy(ping->payload, payload, size);
    ping->size = size;
    ping->sent = now;
    pthread_mutex_unlock(&pings->lock);
}

static bool is_answer(const struct ping *ping, const void *payload, size_t size) {
    return ping->size == size && (size == 0 || memcmp(ping->payload, payload, size) == 0);
}

bool pings_answered(struct pings *pings, const void *payload, size_t size, uint64_t now, uint64_t *took) {
    bool found = false;
    pthread_mutex_lock(&pings->lock);
    for (unsigned i = 0; i < pings->count && !found; i++)
        if (is_answer(&pings->waiting[i], payload, size)) {
            *took = now - pings->waiting[i].sent;
            forget_locked(pings, i + 1);
            found = true;
        }
    pthread_mutex_unlock(&pings->lock);
    return found;
}
