/* walk.h - the way of a channel's row over its subscribers, step by step. All under the channel's mutex.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CHANNELS_WALK_H
#define WEIR_CHANNELS_WALK_H

#include "server/channels/channel.h"

/* Deliveries in one walk, 64 at most: see conn_append_all(). Subscribers that one step meets, which takes a fifth
 * of a millisecond at most. */
enum { WALK_MAX = 32, WALK_STEP_MEMBERS = 256 };

/* One step: of the walk under way, else of the next one, else of sending away who is left in a channel that has
 * been closed. Returns whether there is more to do. */
bool walk_step_locked(struct channel *channel, struct task_list *ready);

/* Before a subscriber leaves: see to it that the one who takes its place misses nothing. */
void walk_let_leave_locked(struct channel *channel, const struct member *member, struct task_list *ready);

/* Hands one subscriber all that waits. */
void walk_hand_to_locked(struct channel *channel, struct member *member, struct task_list *ready);

#endif
