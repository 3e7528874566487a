/* delivery.h - messages on their way from a channel to its subscribers: each encoded once for every form that
 * somebody wants, several handed out in one walk over the subscribers.
 *
 * Made by one thread; once it waits in a channel, the channel's mutex guards it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CHANNELS_DELIVERY_H
#define WEIR_CHANNELS_DELIVERY_H

#include "server/channels/channel.h"

struct delivery {
    struct delivery *next;
    uint64_t offset;
    const struct weir_conn *skipped; /* who does not get it; for comparing alone: it may be gone. NULL: nobody */
    struct parcel parcels[CHANNEL_FORMS]; /* the plain message is NULL where nobody wants the form */
};

/* A message that is to have this offset, not encoded yet. NULL if memory is out. */
struct delivery *delivery_create(const struct publication *publication, uint64_t offset);
void delivery_destroy(struct delivery *delivery);

/* What a message is encoded from. */
struct delivery_source {
    struct channel *channel;
    const struct publication *publication;
    bool names_publisher;
};

/* Encodes a form, unless that has been done. -1 if memory is out. */
int delivery_encode(struct delivery *delivery, const struct delivery_source *source, enum channel_form form);

/* Nobody gets what waits in a channel that ends. */
void delivery_drop(struct channel *channel);

/* Hands out all that waits in the channel, under its mutex: claims what there is to do then into `ready`. */
void delivery_hand_out_locked(struct channel *channel, struct task_list *ready);

#endif
