/* thread_clients.h - which clients the HTTP threads have in hand: from the moment a request is answered until the
 * connection has been closed.
 *
 * It makes the library's descriptors safe to use for threads that find them by looking (half_open_reaper.h,
 * slow_request_reaper.h). The library's number of a client changes only while the client is in this table: when it
 * is adopted, and when it is closed. So while the lock is held, the number of a client that is not in the table
 * keeps its socket, and may be written to and shut down. So does the number of one that is in the table, unless its
 * state says that it is being closed.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HTTP_CIVETWEB_THREAD_CLIENTS_H
#define WEIR_HTTP_CIVETWEB_THREAD_CLIENTS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "server/http/civetweb/peer.h"

struct thread_client;

struct thread_clients {
    pthread_mutex_t mutex; /* guards the clients */
    struct thread_client *clients;
    unsigned threads; /* each has at most one client */
    struct peer *cut; /* clients that have been cut off, until their threads know it */
    unsigned cut_count, sockets;
};

/* `sockets` is how many clients there may be, including those that have no thread yet. Returns -1 if memory is
 * out. */
int thread_clients_init(struct thread_clients *table, unsigned threads, unsigned sockets);
void thread_clients_destroy(struct thread_clients *table);

/* --- For an HTTP thread, about its own client --- */

/* Puts the client into the table with a state, which is not 0. If it is there already, only its state changes.
 * Returns false, once, if the client has been cut off. */
bool thread_clients_begin(struct thread_clients *table, const char *address, uint16_t port, uint16_t local_port,
                          uint64_t state);
void thread_clients_change(struct thread_clients *table, uint64_t state);
void thread_clients_end(struct thread_clients *table); /* does nothing if it is not in the table */

/* --- For a thread that looks --- */

void thread_clients_lock(struct thread_clients *table);
void thread_clients_unlock(struct thread_clients *table);

/* Returns the client's state; 0 if it is not in the table. */
uint64_t thread_clients_state_locked(const struct thread_clients *table, const struct peer *peer);

/* Records that the caller has answered the client and shut it down. */
void thread_clients_cut_locked(struct thread_clients *table, const struct peer *peer);

#endif
