/* builtin.h - the handlers that come with the server, written against the public interface alone, and the rules for
 * names of channels.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HANDLERS_BUILTIN_H
#define WEIR_HANDLERS_BUILTIN_H

#include <stdbool.h>

#include <weir/handler.h>

/* Sends every message back. No context. */
extern const struct weir_handler handler_echo;

/* Sends every message to every client of the route. Context: a const bool, whether the sender is one of them. */
extern const struct weir_handler handler_broadcast;

/* Subscribes each client to the channel that its path names, and publishes there what it sends. Context: a const
 * struct channel_route. */
extern const struct weir_handler handler_channel;

struct channel_route {
    const char *channel;      /* the name, with parameters of the path in it: "room:{name}", "{*}" */
    _Atomic bool echo_self;   /* whether a sender gets its own messages */
    _Atomic bool may_publish; /* else a client that sends is closed with 1008 */
};

/* Speaks weir.v1 (docs/protocol.md). Context: a const struct channels_route. */
extern const struct weir_handler handler_channels;

struct channels_route {
    char *const *patterns;    /* of the channels that its clients may use, NULL-terminated */
    _Atomic bool may_publish; /* whether they may publish there too */
};

#endif
