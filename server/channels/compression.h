/* compression.h - compresses deliveries after they have been appended to the row, outside all locks: on the
 * publisher's thread if that is quick, in a task of the pool otherwise.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CHANNELS_COMPRESSION_H
#define WEIR_CHANNELS_COMPRESSION_H

#include "server/channels/delivery.h"

/* Set and drop the limit of how many tasks compress at once. */
void compression_init(struct channels *channels);
void compression_release(struct channels *channels);

/* Returns whether any form of the delivery is to be compressed, and sets `ready` to the opposite. */
bool compression_is_needed(struct delivery *delivery);

/* Compresses a delivery that waits in the row and is not ready: here, or in a task if that takes long. If no
 * thread is free for the task, it stays uncompressed. Then hands out what it held up. Call it without locks. */
void compression_start(struct delivery *delivery);

#endif
