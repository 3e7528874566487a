/* channel_rules.h - the rules of a configuration, its [channel PATTERN] sections: which options a channel has.
 *
 * The mutex of the table of channels guards the rules.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CHANNELS_CHANNEL_RULES_H
#define WEIR_CHANNELS_CHANNEL_RULES_H

#include "server/channels/channel.h"

/* The options that the rules give this name. */
struct channel_options channel_rules_options_locked(const struct channels *channels, const char *name);

void channel_rules_free(struct channel_rule *rules, size_t count);

#endif
