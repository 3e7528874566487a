/* fanout.h - how a channel's row is handed out to its subscribers, step by step. Call everything here under the
 * channel's mutex.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CHANNELS_FANOUT_H
#define WEIR_CHANNELS_FANOUT_H

#include "server/channels/channel.h"

/* FANOUT_DELIVERIES_MAX: deliveries in one fan-out; conn_append_all() takes 64 at most. FANOUT_STEP_MEMBERS:
 * subscribers that one step meets, which takes a fifth of a millisecond at most. */
enum { FANOUT_DELIVERIES_MAX = 32, FANOUT_STEP_MEMBERS = 256 };

/* Takes one step: of the fan-out under way, else of the next one, else of sending away the subscribers of a channel
 * that has been closed. Returns whether there is more to do. */
bool fanout_step_locked(struct channel *channel, struct task_list *ready);

/* Call it before a subscriber leaves. It makes sure that the one that takes its place misses nothing. */
void fanout_before_leave_locked(struct channel *channel, const struct member *member, struct task_list *ready);

/* Hands one subscriber everything that waits. */
void fanout_deliver_to_locked(struct channel *channel, struct member *member, struct task_list *ready);

#endif
