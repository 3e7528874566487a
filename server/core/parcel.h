/* parcel.h - one message for many receivers, in the encodings that they want: plain, and compressed for few windows
 * that all of them can read. Made outside all locks; under one only references are handed out.
 *
 * One thread uses a parcel at a time; the counts of an audience any thread may change.
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

/* How often a message is compressed at most. Clients choose their windows, and compressing takes long. */
enum { PARCEL_WINDOWS_MAX = 3 };

struct parcel {
    struct lot lots[1 + PARCEL_WINDOWS_MAX]; /* the plain message, then the compressed ones */
    uint8_t choice[WINDOW_BITS_MAX + 1];     /* which of them a receiver gets, by conn_send_bits() */
};

/* Takes the caller's reference to the plain message. Every receiver gets that one for now. */
void parcel_init(struct parcel *parcel, struct message *plain);

static inline struct message *parcel_plain(const struct parcel *parcel) {
    return parcel->lots[0].message;
}

/* Whether a receiver wants a message of this payload size compressed. */
bool parcel_is_compressible(const struct audience *audience, size_t threshold, size_t size);

/* Compresses the plain message for the audience. A receiver may get a smaller window than it asked for: any decoder
 * can read that. The smallest window among the receivers is used, and the one that most of the others have. What
 * fails, or gains nothing, goes plain. */
void parcel_compress(struct parcel *parcel, const struct audience *audience, size_t threshold);

/* For this receiver, with a reference. */
struct message *parcel_take(struct parcel *parcel, const struct weir_conn *conn);

/* The plain message, with a reference. Another thread may be in parcel_compress(). */
struct message *parcel_take_plain(struct parcel *parcel);

void parcel_release(struct parcel *parcel);

#endif
