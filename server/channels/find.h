/* find.h - how the parts of this folder find a channel, and create it when it is first needed (channels.c).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CHANNELS_FIND_H
#define WEIR_CHANNELS_FIND_H

#include "server/channels/channel.h"

/* Returns the channel of this name, with a reference; NULL if there is none. */
struct channel *channels_find(struct channels *channels, const char *name);

/* Does what channels_find() does, and makes an idle channel the last one to be evicted. */
struct channel *channels_use(struct channels *channels, const char *name);

struct find_or_create {
    const char *name;
    struct weir_conn *client; /* the client that it is created for; NULL: none */
    bool joins;               /* the caller will add a subscriber; if that fails, it must call channel_reap() */

    bool full;               /* result: there are too many channels */
    uint32_t per_connection; /* result: the limit in force */
};

/* Returns the channel of this name with a reference, or NULL if there are too many channels or memory is out. */
struct channel *channels_find_or_create(struct channels *channels, struct find_or_create *call);

#endif
