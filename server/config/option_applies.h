/* option_applies.h - which options have an effect, given the values of others. `weir check` leaves out options that
 * have no effect.
 *
 * `section` is the struct that contains the option's field.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CONFIG_OPTION_APPLIES_H
#define WEIR_CONFIG_OPTION_APPLIES_H

#include <stdbool.h>

struct config;

typedef bool option_applies(const struct config *config, const void *section);

/* [server], [websocket], [admin] */
option_applies applies_if_drain_timeout, applies_if_compression, applies_if_rate, applies_if_pings,
    applies_if_admin;

/* [channel PATTERN] */
option_applies applies_if_history;

/* [route PATTERN] */
option_applies applies_if_plugin, applies_if_relay, applies_if_pubsub, applies_if_publishing, applies_if_sends_back,
    applies_if_subprotocols;

#endif
