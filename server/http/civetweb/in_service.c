/* in_service.c - see in_service.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/http/civetweb/in_service.h"

#include <stdlib.h>

struct in_service_client {
    uint64_t state; /* 0: the place is free */
    struct peer peer;
};

/* The client of this thread. */
static _Thread_local struct in_service_client *mine;

int in_service_init(struct in_service *table, unsigned threads, unsigned sockets) {
    pthread_mutex_init(&table->mutex, NULL);
    table->threads = threads;
    table->sockets = sockets;
    table->clients = calloc(threads, sizeof *table->clients);
    table->cut = calloc(sockets, sizeof *table->cut);
    return table->clients == NULL || table->cut == NULL ? -1 : 0;
}

void in_service_destroy(struct in_service *table) {
    free(table->cut);
    free(table->clients);
    pthread_mutex_destroy(&table->mutex);
}

void in_service_lock(struct in_service *table) {
    pthread_mutex_lock(&table->mutex);
}

void in_service_unlock(struct in_service *table) {
    pthread_mutex_unlock(&table->mutex);
}

void in_service_change(struct in_service *table, uint64_t state) {
    in_service_lock(table);
    mine->state = state;
    in_service_unlock(table);
}

/* Removes a client from those that have been cut off. Returns whether it was among them. */
static bool take_from_cut_locked(struct in_service *table, const struct peer *peer) {
    for (unsigned i = 0; i < table->cut_count; i++)
        if (peer_equal(&table->cut[i], peer)) {
            table->cut[i] = table->cut[--table->cut_count];
            return true;
        }
    return false;
}

static void take_place_locked(struct in_service *table, const struct peer *peer) {
    mine = table->clients;
    while (mine->state != 0) /* there are as many places as threads, so one is free */
        mine++;
    mine->peer = *peer;
}

bool in_service_begin(struct in_service *table, const char *address, uint16_t port, uint16_t local_port,
                      uint64_t state) {
    struct peer peer = mine == NULL ? peer_of_text(address, port, local_port) : mine->peer;
    in_service_lock(table);
    if (mine == NULL)
        take_place_locked(table, &peer);
    mine->state = state;
    bool cut = take_from_cut_locked(table, &peer);
    in_service_unlock(table);
    return !cut;
}

void in_service_end(struct in_service *table) {
    if (mine == NULL)
        return;
    in_service_change(table, 0);
    mine = NULL;
}

uint64_t in_service_state_locked(const struct in_service *table, const struct peer *peer) {
    for (unsigned i = 0; i < table->threads; i++)
        if (table->clients[i].state != 0 && peer_equal(&table->clients[i].peer, peer))
            return table->clients[i].state;
    return 0;
}

void in_service_cut_locked(struct in_service *table, const struct peer *peer) {
    if (table->cut_count < table->sockets)
        table->cut[table->cut_count++] = *peer;
}
