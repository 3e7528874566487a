/* replay.h - what a client gets first when it subscribes: the answer, then the messages that it missed or asked
 * for.
 *
 * They are appended to the client's outbox in the step that makes it a member, under the channel's mutex. So
 * nothing is lost between the past and the present, and nothing comes twice.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CHANNELS_REPLAY_H
#define WEIR_CHANNELS_REPLAY_H

#include "server/channels/channel.h"

/* Sends the new member the answer to its request, and the past messages that it asked for. */
void replay_welcome_locked(struct channel *channel, struct weir_conn *conn, const struct join *join,
                           struct task_list *ready);

#endif
