/* row.h - what is on its way to a channel's subscribers: messages and announcements, in the order in which all
 * subscribers get them. A fan-out hands several of them to all subscribers.
 *
 * No thread waits for a fan-out. It goes step by step, each of some tens of microseconds, on any thread that has
 * the channel's mutex; a task takes the steps that are left. Between two steps subscribers come and go. No thread
 * waits for compression either: a message that is being compressed holds up those after it until there are too
 * many, then it goes uncompressed. A client that publishes faster than that is not read meanwhile.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CHANNELS_ROW_H
#define WEIR_CHANNELS_ROW_H

#include "server/channels/channel.h"

struct delivery;

/* Appends a delivery to the row, with a reference of the row's own. */
void row_append_locked(struct channel *channel, struct delivery *delivery);

/* Call it after an append. If the row is full, the client whose message this thread handles is not read until half
 * of the row has left. Returns true if the row is full and there is no such client. Then fanout_help() must follow,
 * without locks, by which the thread takes some steps itself. */
bool row_pause_publisher_locked(struct channel *channel);
bool row_is_full_locked(const struct row *row);

/* How many deliveries a fan-out may hand out now, from the first on: `max` at most. */
uint32_t row_count_due_locked(const struct channel *channel, uint32_t max);

/* Removes from the row what the fan-out has handed out. If little is left, clients that were not read are read
 * again. */
void row_end_fanout_locked(struct channel *channel, struct task_list *ready);

/* Empties the row of a channel that ends. No subscriber gets what waits. */
void row_drop(struct channel *channel);

#endif
