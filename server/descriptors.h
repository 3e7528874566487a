/* descriptors.h - how the process's descriptors are divided: how many are kept for the HTTP side and for what
 * others open, and how many connections that leaves. Adopted connections get numbers above those kept, if they can.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_SERVER_DESCRIPTORS_H
#define WEIR_SERVER_DESCRIPTORS_H

#include <stddef.h>

struct descriptor_plan {
    unsigned limit;       /* of the process, raised as far as it may be */
    unsigned base;        /* so many are kept; the first number of an adopted connection */
    unsigned connections; /* how many fit beside it, at most the wanted number; 0 wants all */
    unsigned queue;       /* the wanted connection_queue, or an eighth of the limit if that is less */
};

/* Raises the limit and divides it. `http` are the HTTP side's besides those in the queue. -1 with one line in
 * `error` if it is too low. */
int descriptors_plan(unsigned http, unsigned connection_queue, unsigned listeners, unsigned wanted_connections,
                     struct descriptor_plan *plan, char *error, size_t error_size);

#endif
