/* idle.h - channels that have no subscribers, but a past: their messages, or their position alone. They are the
 * first to go when there are too many channels, those first that have not been used for longest. Of its own making,
 * a client may leave so many of them behind as it may have subscriptions.
 *
 * The mutex of the table of channels guards it. Who joins a listed channel takes it from the list before; a listed
 * channel may get a subscriber all the same, if another one has just listed it: so eviction looks twice.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CHANNELS_IDLE_H
#define WEIR_CHANNELS_IDLE_H

#include "server/channels/channel.h"

/* Channels that have left the table, with its reference: to be released without locks. */
enum { EVICTED_MAX = 5 };
struct evicted {
    struct channel *channels[EVICTED_MAX];
    unsigned count;
};
void evicted_release(struct evicted *evicted);

/* Lists a channel as the one used last, unless it is listed. If its creator has too many then, or all take too much
 * memory, the oldest go. */
void idle_add_locked(struct channel *channel, struct evicted *evicted);

/* If they are listed: takes it from the list; makes it the one used last. */
void idle_remove_locked(struct channel *channel);
void idle_use_locked(struct channel *channel);

/* Makes room for one channel more, which this client makes: its own go first. Returns whether there is room. */
bool idle_make_room_locked(struct channels *channels, const struct creator *creator, struct evicted *evicted);

#endif
