/* delivery.h - a message on its way from a channel to its subscribers: encoded once for each form that a
 * subscriber wants, then compressed. row.h says how it waits for its turn and is handed out.
 *
 * One thread makes it. After row_append_locked() it is immutable, except for what the channel's mutex guards, and
 * for the compressed encodings. Those belong to the compressing thread until the delivery is ready.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CHANNELS_DELIVERY_H
#define WEIR_CHANNELS_DELIVERY_H

#include "server/channels/channel.h"

struct delivery {
    _Atomic uint32_t references;               /* held by its maker, the row and the task */
    struct channel *channel;                   /* the task holds a reference to it */
    struct task compressing;                   /* set up only if the task is used, see compression.h */
    const struct weir_conn *skipped;           /* does not get it; only compared, as it may be gone. NULL: none */
    struct encodings encodings[CHANNEL_FORMS]; /* the plain message is NULL in a form that no subscriber wants */
    size_t size;                               /* of the plain messages */

    struct delivery *next; /* the channel's mutex guards these three */
    uint64_t number;       /* in the row: deliveries are numbered from 1 on */
    bool ready;            /* no thread compresses it, now or later */
};

/* What a message is encoded from. */
struct encoding_input {
    struct channel *channel;
    const struct publication *publication;
    bool names_publisher;
};

/* Makes one that is not encoded yet, with the caller's reference. Returns NULL if memory is out. */
struct delivery *delivery_create(struct channel *channel, const struct weir_conn *skipped);
void delivery_release(struct delivery *delivery); /* NULL is allowed */

/* Encodes a form, unless that has been done. delivery_set_offset() can replace the offset by another with as many
 * digits. Returns -1 if memory is out. */
int delivery_encode(struct delivery *delivery, const struct encoding_input *input, enum channel_form form,
                    uint64_t offset);

bool delivery_has(const struct delivery *delivery, enum channel_form form);

/* Writes the offset into what has been encoded. Returns false if the number of digits differs: then the form that
 * contains an offset must be encoded again. */
bool delivery_set_offset(struct delivery *delivery, uint64_t offset);

/* Makes it an announcement of weir.v1, which is ready at once. Takes over the caller's reference to the
 * message. */
void delivery_set_announcement(struct delivery *delivery, struct message *message);

#endif
