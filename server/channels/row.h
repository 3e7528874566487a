/* row.h - what is on its way to a channel's subscribers: messages and announcements, in the order in which all
 * subscribers get them. They are handed out by walks over the subscribers, several in one walk.
 *
 * Nobody waits for a walk: it is taken step by step, each of some tens of microseconds, by any thread that has the
 * channel's mutex; a task takes the steps that are left. Between two steps subscribers come and go. Nobody waits
 * for a message that is being compressed either: it holds up those that come after it until too many do, then it
 * goes plain. A client that publishes faster than that is not read meanwhile.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CHANNELS_ROW_H
#define WEIR_CHANNELS_ROW_H

#include "server/channels/channel.h"

struct delivery;

extern const struct task_kind row_task_kind;

/* The last of the row from now on; with a reference of the row's own. */
void row_append_locked(struct channel *channel, struct delivery *delivery);

/* One step. What is left is for the task: it and other tasks are claimed into `ready`. */
void row_hand_out_locked(struct channel *channel, struct task_list *ready);

/* The same; but while this thread handles a client's messages one after the other, they wait for each other. */
void row_hand_out_soon_locked(struct channel *channel, struct task_list *ready);

/* After something has been appended: if the row is full, the client whose message this thread handles is not read
 * until half of it has left. Returns true if it is full and there is no such client: then row_help() is due, with
 * no lock held, by which the thread takes some steps itself. */
bool row_slow_down_locked(struct channel *channel);
void row_help(struct channel *channel);

/* For a walk: how many deliveries may go now, from the first on. */
uint32_t row_count_due_locked(const struct channel *channel);

/* What the walk has handed out leaves the row; clients that were not read are, if little is left. */
void row_end_walk_locked(struct channel *channel, struct task_list *ready);

/* In a channel that ends: nobody gets what waits. */
void row_drop(struct channel *channel);

#endif
