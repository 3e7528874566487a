/* walk.h - how a channel's row is handed out to its subscribers, step by step. Call everything here under the
 * channel's mutex.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CHANNELS_WALK_H
#define WEIR_CHANNELS_WALK_H

#include "server/channels/channel.h"

/* WALK_MAX: deliveries in one walk; conn_append_all() takes 64 at most. WALK_STEP_MEMBERS: subscribers that one
 * step meets, which takes a fifth of a millisecond at most. */
enum { WALK_MAX = 32, WALK_STEP_MEMBERS = 256 };

/* Takes one step: of the walk under way, else of the next one, else of sending away the subscribers of a channel
 * that has been closed. Returns whether there is more to do. */
bool walk_step_locked(struct channel *channel, struct task_list *ready);

/* Call it before a subscriber leaves. It makes sure that the one that takes its place misses nothing. */
void walk_let_leave_locked(struct channel *channel, const struct member *member, struct task_list *ready);

/* Hands one subscriber everything that waits. */
void walk_hand_to_locked(struct channel *channel, struct member *member, struct task_list *ready);

#endif
