/* channel.h - channels: named groups of subscribers. Any connection can subscribe, and messages published to a
 * channel reach all its subscribers.
 *
 * A channel exists as long as it has subscribers, messages that it remembers (history), or a position that it keeps
 * for clients that come back (position_ttl). Its name has 1 to 255 letters, digits and characters of _-.:@/+~ in
 * it. [channel PATTERN] in the ini file sets its options.
 *
 * Clients use channels in two ways. On a route with `handler = channel`, every message that a client sends goes
 * unchanged to every subscriber of the channel that its path names. On a route with `handler = channels`, clients
 * speak the JSON protocol weir.v1 (docs/protocol.md), which has subscriptions, history and presence. A message
 * published with the functions below reaches both kinds of client.
 *
 * Any thread may call these functions, inside callbacks or outside. None waits for a client.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CHANNEL_H
#define WEIR_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>

#include <weir/conn.h>
#include <weir/handler.h>
#include <weir/server.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Publishes one message of `size` bytes; `data` is copied. Messages that one thread publishes to one channel arrive
 * in that order, and every subscriber gets all messages of a channel in the same order. Returns the number of
 * subscribers that the message goes to, 0 if there are none, or a negative weir_status (status.h):
 *  - WEIR_INVALID: the channel's name or the opcode is not valid, or a text is not UTF-8;
 *  - WEIR_CLOSED: the server is not running;
 *  - WEIR_LIMIT: the message needs a new channel, but there are max_channels and all of them have subscribers;
 *  - WEIR_NO_MEMORY: out of memory, and no subscriber gets the message. */
WEIR_API long weir_publish(weir_server *server, const char *channel, enum weir_opcode opcode, const void *data,
                           size_t size);

/* Publishes one JSON value of `size` bytes of UTF-8 (RFC 8259); it is copied. Clients of weir.v1 get the value as
 * it is, other clients get it as a text message. Returns what weir_publish() returns, and WEIR_INVALID also if the
 * bytes are not one JSON value. */
WEIR_API long weir_publish_json(weir_server *server, const char *channel, const void *json, size_t size);

/* Publishes one message of `size` bytes as `conn`, which need not be subscribed; `data` is copied. If `conn` is
 * subscribed, it gets the message too, unless `include_self` is false. Returns what weir_publish() returns, but
 * WEIR_CLOSED if `conn` is closing; and WEIR_DENIED if the channel has publish = no. */
WEIR_API long weir_conn_publish(weir_conn *conn, const char *channel, enum weir_opcode opcode, const void *data,
                                size_t size, bool include_self);

/* Subscribes the connection to a channel: from now on it gets the messages published there, text and binary as they
 * are. A handler that never blocks may subscribe in `open`: the subscription then takes effect before the client
 * receives its 101. A connection that ends loses all its subscriptions. Returns WEIR_OK, also if the connection is
 * subscribed already; WEIR_INVALID: the name is not valid; WEIR_LIMIT: max_channels, max_channels_per_connection or
 * max_subscribers is reached; WEIR_CLOSED: the connection is closing; WEIR_NO_MEMORY. */
WEIR_API enum weir_status weir_conn_subscribe(weir_conn *conn, const char *channel);

/* Ends a subscription. A message that is being published at the same time may still arrive. Returns WEIR_OK, also
 * if the connection is not subscribed; WEIR_INVALID: the name is not valid; WEIR_CLOSED: the connection is closing.
 */
WEIR_API enum weir_status weir_conn_unsubscribe(weir_conn *conn, const char *channel);

/* Handles one message as a request of weir.v1, and answers it. This is the `message` callback of the built-in
 * handler `channels`. A handler of your own may use it as its `message`, or call it from there with the same
 * arguments. Then `upgrade` decides who may connect, and `subscribe` and `publish` (handler.h) decide who may
 * subscribe and publish to which channel. These two get the route's context, whatever `context` is here. Never
 * waits, unless these callbacks block. */
WEIR_API void weir_channels_message(weir_conn *conn, enum weir_opcode opcode, const void *data, size_t size,
                                    void *context);

#ifdef __cplusplus
}
#endif

#endif
