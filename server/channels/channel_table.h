/* channel_table.h - the table of a server's channels: by name (a hash table), and in an order in which they can be
 * visited while others come and go.
 *
 * The table's mutex (channels->mutex) guards it. It holds one reference to each of its channels.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CHANNELS_CHANNEL_TABLE_H
#define WEIR_CHANNELS_CHANNEL_TABLE_H

#include "server/channels/channel.h"

/* Hashes a name together with a secret. Clients choose names, and without the secret they could choose many that
 * collide. */
unsigned channel_table_hash(const struct channels *channels, const char *name, size_t size);

/* Returns the channel of this name, without a reference of its own; NULL if there is none. */
struct channel *channel_table_find_locked(struct channels *channels, const char *name);

/* Adds a channel whose name is not in the table, and takes over a reference to it. Returns -1 if memory is out. */
int channel_table_add_locked(struct channels *channels, struct channel *channel);

/* Removes the channel; the caller then owns the table's reference. Call it with the table's and the channel's
 * mutex held. */
void channel_table_remove_locked(struct channel *channel);

/* Gets up to `count` channels, each with a reference, from `*position` on, and moves `*position`. It is 0 at
 * first. Returns how many; fewer than `count` only at the end. Takes the table's mutex itself. */
enum { CHANNEL_TABLE_CHUNK = 200 }; /* a good `count` */
uint32_t channel_table_list(struct channels *channels, uint32_t *position, struct channel **list, uint32_t count);

#endif
