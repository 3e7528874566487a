/* fanout.h - how a channel's row is handed out to its subscribers, step by step, on any thread that has the
 * channel's mutex; a task of the pool takes the steps that are left.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CHANNELS_FANOUT_H
#define WEIR_CHANNELS_FANOUT_H

#include "server/channels/channel.h"

/* Prepares the task of a new channel. */
void fanout_init(struct channel *channel);

/* Takes one step. The task takes what is left: it and other tasks are claimed into `ready`. */
void fanout_start_locked(struct channel *channel, struct task_list *ready);

/* Does what fanout_start_locked() does. But while this thread handles several messages of a client in a row, they
 * may be left to the task, which hands them out together. */
void fanout_start_soon_locked(struct channel *channel, struct task_list *ready);

/* Takes some steps on this thread, which waits for nothing else. See row_pause_publisher_locked(). */
void fanout_help(struct channel *channel);

/* Call it before a subscriber leaves. It makes sure that the subscriber that moves to its index misses nothing. */
void fanout_before_leave_locked(struct channel *channel, const struct member *member, struct task_list *ready);

/* Hands one subscriber everything that waits. */
void fanout_deliver_to_locked(struct channel *channel, struct member *member, struct task_list *ready);

#endif
