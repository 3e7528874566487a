/* encodings.h - one message for many receivers, in the encodings that they want: plain, and compressed for a few
 * windows that all of them can read. It is made outside all locks; under a lock only references are handed out.
 *
 * One thread uses a struct encodings at a time. Any thread may change the counts of receivers.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CORE_ENCODINGS_H
#define WEIR_CORE_ENCODINGS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "server/core/message.h"
#include "ws/extension.h"

struct weir_conn;

/* The number of receivers for each value of conn_send_bits(). */
struct receivers {
    _Atomic uint32_t by_bits[WINDOW_BITS_MAX + 1];
};

void receivers_add(struct receivers *receivers, const struct weir_conn *conn);
void receivers_remove(struct receivers *receivers, const struct weir_conn *conn);
bool receivers_is_empty(const struct receivers *receivers);

/* A message with references taken in advance for its receivers, so that one addition serves many of them. */
struct reference_batch {
    struct message *message;
    uint32_t spare;
};

/* Returns the message, with a reference. */
struct message *reference_batch_take(struct reference_batch *batch);

/* Releases the batch's own reference and those that are left over. */
void reference_batch_release(struct reference_batch *batch);

/* The most often that a message is compressed. Clients choose their windows, and compressing takes long. */
enum { ENCODINGS_WINDOWS_MAX = 3 };

struct encodings {
    struct reference_batch batches[1 + ENCODINGS_WINDOWS_MAX]; /* the plain message, then the compressed ones */
    uint8_t choice[WINDOW_BITS_MAX + 1]; /* which of them a receiver gets, by conn_send_bits() */
};

/* Takes the caller's reference to the plain message. Until encodings_compress(), every receiver gets that one. */
void encodings_init(struct encodings *encodings, struct message *plain);

static inline struct message *encodings_plain(const struct encodings *encodings) {
    return encodings->batches[0].message;
}

/* Whether any receiver wants a message of this payload size compressed. */
bool encodings_is_compressible(const struct receivers *receivers, size_t threshold, size_t size);

/* Compresses the plain message for the receivers. Uses the smallest window among the receivers, and the one that
 * most of the others have. A receiver may get a smaller window than it asked for, which any decoder can read. A
 * message that cannot be compressed, or does not shrink, goes plain. */
void encodings_compress(struct encodings *encodings, const struct receivers *receivers, size_t threshold);

/* Returns the message for this receiver, with a reference. */
struct message *encodings_take(struct encodings *encodings, const struct weir_conn *conn);

/* Returns the plain message, with a reference. Another thread may be in encodings_compress() meanwhile. */
struct message *encodings_take_plain(struct encodings *encodings);

void encodings_release(struct encodings *encodings);

#endif
