/* in_service.h - which clients the HTTP threads have in hand: from the moment a request is answered until the
 * connection has been closed.
 *
 * It makes the library's descriptors safe to use for threads that find them by looking (watcher.h,
 * request_guard.h). The library's number of a client changes only while the client is in this table: when it is
 * adopted, and when it is closed. So while the lock is held, the number of a client that is not in the table keeps
 * its socket, and may be written to and shut down. So does the number of one that is in the table, unless its
 * state says that it is being closed.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HTTP_CIVETWEB_IN_SERVICE_H
#define WEIR_HTTP_CIVETWEB_IN_SERVICE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "server/http/civetweb/peer.h"

struct in_service_client;

struct in_service {
    pthread_mutex_t mutex; /* guards the clients */
    struct in_service_client *clients;
    unsigned threads; /* each has at most one client */
    struct peer *cut; /* clients that have been cut off, until their threads know it */
    unsigned cut_count, sockets;
};

/* `sockets` is how many clients there may be, including those that have no thread yet. Returns -1 if memory is
 * out. */
int in_service_init(struct in_service *table, unsigned threads, unsigned sockets);
void in_service_destroy(struct in_service *table);

/* --- For an HTTP thread, about its own client --- */

/* Puts the client into the table with a state, which is not 0. If it is there already, only its state changes.
 * Returns false, once, if the client has been cut off. */
bool in_service_begin(struct in_service *table, const char *address, uint16_t port, uint16_t local_port,
                      uint64_t state);
void in_service_change(struct in_service *table, uint64_t state);
void in_service_end(struct in_service *table); /* does nothing if it is not in the table */

/* --- For a thread that looks --- */

void in_service_lock(struct in_service *table);
void in_service_unlock(struct in_service *table);

/* Returns the client's state; 0 if it is not in the table. */
uint64_t in_service_state_locked(const struct in_service *table, const struct peer *peer);

/* Records that the caller has answered the client and shut it down. */
void in_service_cut_locked(struct in_service *table, const struct peer *peer);

#endif
