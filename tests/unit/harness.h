/* harness.h - connections over socket pairs, without HTTP: a core, a pool, channels, a route, and the client's end.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_TESTS_UNIT_HARNESS_H
#define WEIR_TESTS_UNIT_HARNESS_H

#include "server/channels/channels.h"
#include "server/core/conn.h"

struct harness {
    struct settings settings;
    struct core core;
    struct channels channels; /* nothing expires by itself */
    struct route route;
};

void harness_start(struct harness *harness, unsigned workers, const struct weir_handler *handler, void *context);

/* Waits until every connection has ended, then ends the pool. */
void harness_stop(struct harness *harness);

/* A new connection; returns the client's blocking end, from which the "101" has been read. */
int harness_connect(struct harness *harness);
int harness_connect_as(struct harness *harness, const char *user, const char *peer); /* `user` may be NULL */
int harness_connect_at(struct harness *harness, const char *path);

/* Sends a masked frame; `first` is FIN, RSV and opcode. */
void client_send(int client, uint8_t first, const void *payload, size_t size);

/* Reads one unmasked frame. Returns its first byte, -1 at the end of the stream; payload is terminated. */
int client_receive(int client, char *payload, size_t capacity, size_t *size);

/* Answers the server's Close, sees the end of the stream, and closes. Returns the code. */
unsigned client_expect_close(int client);

/* Closes properly with 1000. */
void client_close(int client);

#endif
