/* parcel.h - one message for many receivers, in the encodings that they want: plain, and compressed for each window
 * that somebody has asked for. Made before any lock is taken; under one only references are handed out.
 *
 * One thread uses a parcel; the counts of an audience any thread may change.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CORE_PARCEL_H
#define WEIR_CORE_PARCEL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "server/core/message.h"
#include "server/proto/extension.h"

struct weir_conn;

/* How many receivers there are by conn_send_bits(). */
struct audience {
    _Atomic uint32_t by_bits[WINDOW_BITS_MAX + 1];
};

void audience_add(struct audience *audience, const struct weir_conn *conn);
void audience_remove(struct audience *audience, const struct weir_conn *conn);
bool audience_is_empty(const struct audience *audience);

/* A message, with references that have been taken for receivers to come: one addition for many of them. */
struct lot {
    struct message *message;
    uint32_t spare;
};

/* With a reference. */
struct message *lot_take(struct lot *lot);

/* Gives back its own reference and those that are left. */
void lot_release(struct lot *lot);

struct parcel {
    struct lot plain;
    struct lot deflated[WINDOW_BITS_MAX + 1]; /* by the window that it keeps to; NULL: plain will do */
};

/* Takes the caller's reference to the plain message, of this opcode and payload, and compresses it for the
 * audience; nearly always that is for one window. Who comes with another one just now gets it plain. */
void parcel_make(struct parcel *parcel, struct message *plain, const struct audience *audience, size_t threshold);

/* For this receiver, with a reference. */
struct message *parcel_take(struct parcel *parcel, const struct weir_conn *conn);

void parcel_release(struct parcel *parcel);

#endif
