/* descriptors.h - how the process's descriptors are divided: the HTTP side below a base, adopted connections
 * and what watches over the HTTP side (server/http/watcher.h) above.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_SERVER_DESCRIPTORS_H
#define WEIR_SERVER_DESCRIPTORS_H

#include <stddef.h>

struct descriptor_plan {
    unsigned limit;       /* of the process, raised as far as it may be */
    unsigned base;        /* the first number of an adopted connection */
    unsigned connections; /* how many fit above it, at most the wanted number; 0 wants all */
};

/* Raises the limit and divides it. -1 with one line in `error` if it is too low. */
int descriptors_plan(unsigned http_threads, unsigned connection_queue, unsigned listeners,
                     unsigned wanted_connections, struct descriptor_plan *plan, char *error, size_t error_size);

#endif
