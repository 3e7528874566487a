/* descriptors.h - how the process's descriptors are divided: how many are reserved for the HTTP side and for files
 * that others open, and how many connections that leaves. Adopted connections get numbers above the reserved ones
 * if possible.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_SERVER_DESCRIPTORS_H
#define WEIR_SERVER_DESCRIPTORS_H

#include <stddef.h>

struct descriptor_plan {
    unsigned limit;       /* of the process, raised to the hard limit */
    unsigned base;        /* reserved descriptors; also the first number of an adopted connection */
    unsigned connections; /* connections that fit: at most the wanted number, or all if that is 0 */
    unsigned queue;       /* the wanted connection_queue, or an eighth of the limit if that is less */
};

/* Raises the limit and divides it. `http` counts the HTTP side's descriptors without those in the queue. Returns 0,
 * or -1 with one line in `error` if the limit is too low. */
int descriptors_plan(unsigned http, unsigned connection_queue, unsigned listeners, unsigned wanted_connections,
                     struct descriptor_plan *plan, char *error, size_t error_size);

#endif
