/* front.h - where clients come in: the public addresses, the service that answers there, and the watcher of
 * unfinished requests. Keep-alive is off, because an idle client would hold a thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HTTP_FRONT_H
#define WEIR_HTTP_FRONT_H

#include <stddef.h>
#include <stdint.h>

#include "server/http/service.h"

struct front;

struct front_options {
    char *const *listen; /* "0.0.0.0:9000", "[::1]:9000"; NULL-terminated */
    unsigned threads;
    unsigned connection_queue; /* accepted connections that may wait for a thread */
    uint64_t handshake_timeout_ms;
    unsigned max_half_open_per_ip; /* unfinished requests of one address; 0: no limit */
};

/* Listens, and answers through `service`, until front_stop(). Returns NULL with one line in `error`. */
struct front *front_start(const struct front_options *options, struct service *service, char *error,
                          size_t error_size);

/* Returns the port that the address at this index of `listen` is bound to. */
uint16_t front_port(const struct front *front, size_t index);

/* Stops listening and ends the threads. NULL is allowed. */
void front_stop(struct front *front);

#endif
