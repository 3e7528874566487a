/* builtin.h - the built-in handlers. They use only the public interface, and the rules for names of channels
 * (channel_name.h). They never block.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HANDLERS_BUILTIN_H
#define WEIR_HANDLERS_BUILTIN_H

#include <stdbool.h>

#include <weir/handler.h>

/* Sends every message back to its sender. It needs no context. */
extern const struct weir_handler handler_echo;

/* The options of a route, which are the context of the handlers below. A reload may change the atomic ones. */
struct builtin_route {
    const char *channel;           /* a template, see channel_template_next() */
    char *const *allowed_channels; /* patterns, NULL-terminated */
    _Atomic bool echo_self;        /* whether senders get their own messages */
    _Atomic bool may_publish;      /* whether clients may publish */
};

/* Sends every message to every client of the route, to its sender only if `echo_self`. */
extern const struct weir_handler handler_broadcast;

/* Subscribes each client to the channel that its path names, and publishes its messages there. A client that sends
 * but may not publish is closed with 1008. */
extern const struct weir_handler handler_relay;

/* Speaks weir.v1 (docs/protocol.md). Clients may use the channels that match the route's patterns. */
extern const struct weir_handler handler_pubsub;

#endif
