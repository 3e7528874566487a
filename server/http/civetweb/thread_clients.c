/* thread_clients.c - see thread_clients.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/http/civetweb/thread_clients.h"

#include <stdlib.h>

struct thread_client {
    uint64_t state; /* 0: the place is free */
    struct peer peer;
};

/* The client of this thread. */
static _Thread_local struct thread_client *mine;

int thread_clients_init(struct thread_clients *table, unsigned threads, unsigned sockets) {
    pthread_mutex_init(&table->mutex, NULL);
    table->threads = threads;
    table->sockets = sockets;
    table->clients = calloc(threads, sizeof *table->clients);
    table->cut = calloc(sockets, sizeof *table->cut);
    return table->clients == NULL || table->cut == NULL ? -1 : 0;
}

void thread_clients_destroy(struct thread_clients *table) {
    free(table->cut);
    free(table->clients);
    pthread_mutex_destroy(&table->mutex);
}

void thread_clients_lock(struct thread_clients *table) {
    pthread_mutex_lock(&table->mutex);
}

void thread_clients_unlock(struct thread_clients *table) {
    pthread_mutex_unlock(&table->mutex);
}

void thread_clients_change(struct thread_clients *table, uint64_t state) {
    thread_clients_lock(table);
    mine->state = state;
    thread_clients_unlock(table);
}

/* Removes a client from those that have been cut off. Returns whether it was among them. */
static bool thread_clients_take_from_cut_locked(struct thread_clients *table, const struct peer *peer) {
    for (unsigned i = 0; i < table->cut_count; i++)
        if (peer_equal(&table->cut[i], peer)) {
            table->cut[i] = table->cut[--table->cut_count];
            return true;
        }
    return false;
}

static void thread_clients_take_place_locked(struct thread_clients *table, const struct peer *peer) {
    mine = table->clients;
    while (mine->state != 0) /* there are as many places as threads, so one is free */
        mine++;
    mine->peer = *peer;
}

bool thread_clients_begin(struct thread_clients *table, const char *address, uint16_t port, uint16_t local_port,
                          uint64_t state) {
    struct peer peer = mine == NULL ? peer_of_text(address, port, local_port) : mine->peer;
    thread_clients_lock(table);
    if (mine == NULL)
        thread_clients_take_place_locked(table, &peer);
    mine->state = state;
    bool cut = thread_clients_take_from_cut_locked(table, &peer);
    thread_clients_unlock(table);
    return !cut;
}

void thread_clients_end(struct thread_clients *table) {
    if (mine == NULL)
        return;
    thread_clients_change(table, 0);
    mine = NULL;
}

uint64_t thread_clients_state_locked(const struct thread_clients *table, const struct peer *peer) {
    for (unsigned i = 0; i < table->threads; i++)
        if (table->clients[i].state != 0 && peer_equal(&table->clients[i].peer, peer))
            return table->clients[i].state;
    return 0;
}

void thread_clients_cut_locked(struct thread_clients *table, const struct peer *peer) {
    if (table->cut_count < table->sockets)
        table->cut[table->cut_count++] = *peer;
}
