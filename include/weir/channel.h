/* channel.h - channels: named groups of subscribers. Any connection can subscribe, and messages published to a
 * channel reach all its subscribers.
 *
 * A channel exists as long as it has subscribers, messages that it remembers (history), or a position that it keeps
 * for clients that come back (position_ttl). Its name has 1 to 255 letters, digits and characters of _-.:@/+~ in
 * it. [channel PATTERN] in the ini file sets its options.
 *
 * Clients use channels in two ways. On a route with `handler = relay`, every message that a client sends goes
 * unchanged to every subscriber of the channel that its path names. On a route with `handler = pubsub`, clients
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
#include <stdint.h>

#include <weir/conn.h>
#include <weir/handler.h>
#include <weir/server.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What became of a publish that was accepted. Valid until the callback returns; later versions may add members. */
struct weir_publish_result {
    enum weir_status status; /* WEIR_OK; the members below are then set */
    uint64_t receivers;      /* subscribers that the message goes to */
    uint64_t offset;         /* of the message in its channel, from 1 on; 0: the channel does not exist */
    const char *epoch;       /* the series that the offset belongs to; "": the channel does not exist */
};

/* Called once for each publish that was accepted, with the context that was passed to it. On one machine that is
 * before the call returns, on the same thread. A server that shares its channels with others calls it later, on any
 * thread, and may then report an error. It must not block. */
typedef void weir_publish_callback(const struct weir_publish_result *result, void *context);

/* Publishes one message of `size` bytes; `data` is copied. Messages that one thread publishes to one channel arrive
 * in that order, and every subscriber gets all messages of a channel in the same order. `done` may be NULL. Returns
 * WEIR_OK if the message was accepted, also if the channel has no subscribers. Otherwise `done` is not called, no
 * subscriber gets the message, and the result is:
 *  - WEIR_INVALID: the channel's name or the opcode is not valid, or a text is not UTF-8;
 *  - WEIR_CLOSED: the server is not running;
 *  - WEIR_LIMIT: the message needs a new channel, but there are max_channels and all of them have subscribers;
 *  - WEIR_NO_MEMORY: out of memory. */
WEIR_API enum weir_status weir_publish(weir_server *server, const char *channel, enum weir_opcode opcode,
                                       const void *data, size_t size, weir_publish_callback *done, void *context);

/* Publishes one JSON value of `size` bytes of UTF-8 (RFC 8259); it is copied. Clients of weir.v1 get the value as
 * it is, other clients get it as a text message. Otherwise this does what weir_publish() does. WEIR_INVALID also
 * means that the bytes are not one JSON value. */
WEIR_API enum weir_status weir_publish_json(weir_server *server, const char *channel, const void *json, size_t size,
                                            weir_publish_callback *done, void *context);

/* Publishes one message of `size` bytes as `conn`, which need not be subscribed; `data` is copied. If `conn` is
 * subscribed, it gets the message too, unless `include_self` is false. Otherwise this does what weir_publish()
 * does, but WEIR_CLOSED means that `conn` is closing. WEIR_DENIED: the channel has publish = no. */
WEIR_API enum weir_status weir_conn_publish(weir_conn *conn, const char *channel, enum weir_opcode opcode,
                                            const void *data, size_t size, bool include_self,
                                            weir_publish_callback *done, void *context);

/* What became of a subscription that was accepted. Valid until the callback returns; later versions may add
 * members. */
struct weir_subscribe_result {
    enum weir_status status; /* WEIR_OK; the members below are then set */
    uint64_t offset;         /* of the channel's last message when the subscription began; 0: there was none */
    const char *epoch;       /* the series that the offset belongs to */
};

/* Called once for each subscription that was accepted. When and where: see weir_publish_callback. `conn` is valid
 * until the callback returns, but may be closed. */
typedef void weir_subscribe_callback(weir_conn *conn, const struct weir_subscribe_result *result, void *context);

/* Subscribes the connection to a channel: from now on it gets the messages published there, text and binary as they
 * are. A handler that never blocks may subscribe in `open`: the subscription then takes effect before the client
 * receives its 101. A connection that ends loses all its subscriptions. `done` may be NULL.
 *
 * Returns WEIR_OK if the subscription was accepted, also if the connection is subscribed already. Otherwise `done`
 * is not called, and the result is WEIR_INVALID: the name is not valid; WEIR_LIMIT: max_channels,
 * max_channels_per_connection or max_subscribers is reached; WEIR_CLOSED: the connection is closing;
 * WEIR_NO_MEMORY. */
WEIR_API enum weir_status weir_conn_subscribe(weir_conn *conn, const char *channel, weir_subscribe_callback *done,
                                              void *context);

/* Ends a subscription. A message that is being published at the same time may still arrive. Returns WEIR_OK, also
 * if the connection is not subscribed; WEIR_INVALID: the name is not valid; WEIR_CLOSED: the connection is closing.
 */
WEIR_API enum weir_status weir_conn_unsubscribe(weir_conn *conn, const char *channel);

/* Handles one message as a request of weir.v1, and answers it. This is the `message` callback of the built-in
 * handler `pubsub`. A handler of your own may use it as its `message`, or call it from there with the same
 * arguments. Then `upgrade` decides who may connect, and `subscribe` and `publish` (handler.h) decide who may
 * subscribe and publish to which channel. These two get the route's context, whatever `context` is here. Never
 * waits, unless these callbacks block. */
WEIR_API void weir_pubsub_message(weir_conn *conn, enum weir_opcode opcode, const void *data, size_t size,
                                  void *context);

#ifdef __cplusplus
}
#endif

#endif
