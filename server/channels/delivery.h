/* delivery.h - a message on its way from a channel to its subscribers: encoded once for every form that somebody
 * wants, then compressed. How it waits for its turn, and is handed out: row.h.
 *
 * One thread makes it. From row_append_locked() on it is immutable, but for what the channel's mutex guards, and
 * for the compressed encodings, which belong to the thread that compresses until the delivery is ready.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CHANNELS_DELIVERY_H
#define WEIR_CHANNELS_DELIVERY_H

#include "server/channels/channel.h"

struct delivery {
    _Atomic uint32_t references; /* its maker's, the row's, the task's */
    struct channel *channel;     /* the task has a reference to it */
    struct task compressing;
    const struct weir_conn *skipped; /* who does not get it; for comparing alone: it may be gone. NULL: nobody */
    struct parcel parcels[CHANNEL_FORMS]; /* the plain message is NULL where nobody wants the form */
    size_t size;                          /* of the plain messages */

    struct delivery *next; /* these three: the channel's mutex */
    uint64_t place;        /* in the row */
    bool ready;            /* nobody compresses it, now or later */
};

/* What a message is encoded from. */
struct delivery_source {
    struct channel *channel;
    const struct publication *publication;
    bool names_publisher;
};

/* Not encoded yet, with the caller's reference. NULL if memory is out. */
struct delivery *delivery_create(struct channel *channel, const struct weir_conn *skipped);
void delivery_release(struct delivery *delivery); /* NULL is allowed */

/* Encodes a form, unless that has been done: with an offset that has as many digits as this one. -1 if memory is
 * out. */
int delivery_encode(struct delivery *delivery, const struct delivery_source *source, enum channel_form form,
                    uint64_t offset);

bool delivery_has(const struct delivery *delivery, enum channel_form form);

/* Writes the offset into what has been encoded. False if it has another number of digits: then what has an offset
 * in it is to be encoded again. */
bool delivery_set_offset(struct delivery *delivery, uint64_t offset);

/* An announcement of weir.v1, which is ready. Takes the caller's reference to the message. */
void delivery_set_announcement(struct delivery *delivery, struct message *message);

/* Sets whether it is ready as it is, and returns that. */
bool delivery_judge(struct delivery *delivery);

/* Has one that waits in the row, and is not ready, compressed: here, or by a task if that takes long; or leaves it
 * as it is, if no thread is to be had for that. Then hands out what it held up. No lock is held. */
void delivery_compress(struct delivery *delivery);

#endif
