/* idle.h - channels that have no subscriber, but a past: messages, or only a position. When there are too many
 * channels, these are evicted first, the least recently used before others. A client may leave as many idle
 * channels of its own as it may have subscriptions.
 *
 * The mutex of the table of channels guards it. A client that joins a listed channel takes it from the list first.
 * A listed channel may still get a subscriber, if another thread has just listed it; so eviction looks twice.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CHANNELS_IDLE_H
#define WEIR_CHANNELS_IDLE_H

#include "server/channels/channel.h"

/* Channels that have left the table, each with the table's reference. Release them without holding locks. */
enum { EVICTED_MAX = 5 };
struct evicted {
    struct channel *channels[EVICTED_MAX];
    unsigned count;
};
void evicted_release(struct evicted *evicted);

/* Lists a channel as the most recently used, unless it is listed already. If its creator then has too many, or all
 * take too much memory, evicts the oldest. */
void idle_add_locked(struct channel *channel, struct evicted *evicted);

/* If the channel is listed, the first takes it from the list, and the second makes it the most recently used. */
void idle_remove_locked(struct channel *channel);
void idle_use_locked(struct channel *channel);

/* Takes a channel from the list and from the table. The caller then owns the table's reference. Call it with the
 * table's and the channel's mutex held. */
void idle_take_out_locked(struct channel *channel);

/* Makes room for one more channel, which this creator makes; its own channels are evicted first. Returns whether
 * there is room. */
bool idle_make_room_locked(struct channels *channels, const struct creator *creator, struct evicted *evicted);

#endif
