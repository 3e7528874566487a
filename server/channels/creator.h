/* creator.h - the clients who made channels, by their user's name or else by their address: so that a limit counts
 * for a client, however often it connects. One is known as long as a channel of its making is there.
 *
 * The mutex of the table of channels guards it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CHANNELS_CREATOR_H
#define WEIR_CHANNELS_CREATOR_H

#include "server/channels/channel.h"

struct creator {
    UT_hash_handle hh;
    uint32_t channels;              /* of its making, each of which refers to it */
    uint32_t idle_count;            /* those of them that are idle */
    struct channel *idle;           /* these, the least recently used first; see idle.h */
    struct history_account account; /* of what its channels remember; the history's mutex */
    char name[];
};

/* The creator that a client is, for one more channel. NULL if the client is NULL, or memory is out. */
struct creator *creator_retain_locked(struct channels *channels, const struct weir_conn *client);

/* One channel less. NULL is allowed. */
void creator_release_locked(struct channels *channels, struct creator *creator);

#endif
