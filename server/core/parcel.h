/* parcel.h - one message for many receivers, in the encodings that they want: plain, and compressed for a few
 * windows that all of them can read. It is made outside all locks; under a lock only references are handed out.
 *
 * One thread uses a parcel at a time. Any thread may change the counts of an audience.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CORE_PARCEL_H
#define WEIR_CORE_PARCEL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "server/core/message.h"
#include "ws/extension.h"

struct weir_conn;

/* The number of receivers for each value of conn_send_bits(). */
struct audience {
    _Atomic uint32_t by_bits[WINDOW_BITS_MAX + 1];
};

void audience_add(struct audience *audience, const struct weir_conn *conn);
void audience_remove(struct audience *audience, const struct weir_conn *conn);
bool audience_is_empty(const struct audience *audience);

/* A message with references taken in advance for its receivers, so that one addition serves many of them. */
struct lot {
    struct message *message;
    uint32_t spare;
};

/* Returns the message, with a reference. */
struct message *lot_take(struct lot *lot);

/* Releases the lot's own reference and those that are left over. */
void lot_release(struct lot *lot);

/* The most often that a message is compressed. Clients choose their windows, and compressing takes long. */
enum { PARCEL_WINDOWS_MAX = 3 };

struct parcel {
    struct lot lots[1 + PARCEL_WINDOWS_MAX]; /* the plain message, then the compressed ones */
    uint8_t choice[WINDOW_BITS_MAX + 1];     /* which of them a receiver gets, by conn_send_bits() */
};

/* Takes the caller's reference to the plain message. Until parcel_compress(), every receiver gets that one. */
void parcel_init(struct parcel *parcel, struct message *plain);

static inline struct message *parcel_plain(const struct parcel *parcel) {
    return parcel->lots[0].message;
}

/* Whether any receiver wants a message of this payload size compressed. */
bool parcel_is_compressible(const struct audience *audience, size_t threshold, size_t size);

/* Compresses the plain message for the audience. Uses the smallest window among the receivers, and the one that
 * most of the others have. A receiver may get a smaller window than it asked for, which any decoder can read. A
 * message that cannot be compressed, or does not shrink, goes plain. */
void parcel_compress(struct parcel *parcel, const struct audience *audience, size_t threshold);

/* Returns the message for this receiver, with a reference. */
struct message *parcel_take(struct parcel *parcel, const struct weir_conn *conn);

/* Returns the plain message, with a reference. Another thread may be in parcel_compress() meanwhile. */
struct message *parcel_take_plain(struct parcel *parcel);

void parcel_release(struct parcel *parcel);

#endif
