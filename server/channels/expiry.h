/* expiry.h - forgets what channels need no longer: a channel that its last subscriber leaves, and every five
 * seconds, in a task of the pool, messages and channels that are too old.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CHANNELS_EXPIRY_H
#define WEIR_CHANNELS_EXPIRY_H

#include "server/channels/channel.h"

/* Prepares the task. channels_start() starts it. */
void expiry_init(struct channels *channels);

/* If the channel has no subscriber: removes it from the table if it has no past either, otherwise lists it as
 * idle. */
void channel_reap(struct channel *channel);

#endif
