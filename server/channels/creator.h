/* creator.h - the clients that have made channels, by user name, or by address where there is no user. So a limit
 * applies to a client however often it connects. A creator is known as long as one of its channels exists.
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
    uint32_t channels;              /* channels that it has made; each refers to it */
    uint32_t idle_count;            /* how many of them are idle */
    struct channel *idle;           /* its idle channels, the least recently used first; see idle.h */
    struct history_account account; /* memory of its channels' histories; the history store's mutex guards it */
    char name[];
};

/* Finds or makes the creator that a client is, and counts one more channel for it. Returns NULL if the client is
 * NULL, or memory is out. */
struct creator *creator_retain_locked(struct channels *channels, const struct weir_conn *client);

/* Counts one channel less, and frees a creator that has none left. NULL is allowed. */
void creator_release_locked(struct channels *channels, struct creator *creator);

#endif
