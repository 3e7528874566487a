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

/* What the route says; the context of those that follow. A reload may change what is atomic. */
struct builtin_route {
    const char *channel;      /* a template, see channel_template_next() */
    char *const *channels;    /* patterns, NULL-terminated */
    _Atomic bool echo_self;   /* whether a sender gets its own messages */
    _Atomic bool may_publish; /* whether clients may */
};

/* Sends every message to every client of the route. */
extern const struct weir_handler handler_broadcast;

/* Subscribes each client to the channel that its path names, and publishes there what it sends. A client that sends
 * where it may not is closed with 1008. */
extern const struct weir_handler handler_channel;

/* Speaks weir.v1 (docs/protocol.md), about those of the channels that its patterns match. */
extern const struct weir_handler handler_channels;

#endif
