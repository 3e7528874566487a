/* channel.h - channels: named places that any connection can subscribe to, and anybody can publish to.
 *
 * A channel exists as long as it has subscribers, messages that it remembers (history), or a position that it keeps
 * for clients that come back (position_ttl). Its name has 1 to 255 letters, digits and characters of _-.:@/+~ in
 * it. [channel PATTERN] in the ini file gives it its options.
 *
 * Clients get at channels in two ways: on a route with `handler = channel` everything that a client sends reaches
 * every client of its channel as it is; on a route with `handler = channels` clients speak the JSON protocol
 * weir.v1 (docs/protocol.md), which has subscriptions, history and presence. What is published here reaches both.
 *
 * Any thread may call these functions, inside callbacks or outside; none waits for a client.
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
#pragma GCC visibility push(default)

/* Publishes one message; `data` is copied. Messages that one thread publishes to one channel arrive in that order,
 * and every subscriber gets all messages of a channel in the same order. Returns the number of subscribers that
 * it goes to, 0 if nobody listens; or a negative weir_result: WEIR_INVALID (the name, the opcode, or a text that
 * is not UTF-8), WEIR_GONE (the server does not serve), WEIR_LIMIT (it would be one channel too
 * many, and all of them have subscribers), WEIR_NO_MEMORY (nobody has got it). */
long weir_publish(weir_server *server, const char *channel, enum weir_opcode opcode, const void *data, size_t size);

/* Publishes one JSON value, which clients of weir.v1 get as it is and others as a text message. Besides what
 * weir_publish() returns, WEIR_INVALID if it is none (RFC 8259: in UTF-8). */
long weir_publish_json(weir_server *server, const char *channel, const void *json, size_t size);

/* Publishes in the name of a connection, which need not be subscribed; if it is, it gets the message too unless
 * `include_self` is false. Besides what weir_publish() returns, WEIR_DENIED if the channel has publish = no. */
long weir_publish_from(weir_conn *conn, const char *channel, enum weir_opcode opcode, const void *data, size_t size,
                       bool include_self);

/* From now on the connection gets what is published, text and binary messages as they are. In `open` of a handler
 * that never blocks it is so before the client has its 101. WEIR_OK also if it is subscribed already; WEIR_INVALID:
 * the name; WEIR_LIMIT: max_channels, max_channels_per_connection or max_subscribers; WEIR_GONE, WEIR_NO_MEMORY. A
 * connection that ends is subscribed to nothing any more. */
enum weir_result weir_subscribe(weir_conn *conn, const char *channel);

/* WEIR_OK also if it is not subscribed. A message that is being published just now may still come. */
enum weir_result weir_unsubscribe(weir_conn *conn, const char *channel);

/* What the built-in handler `channels` does with a message: a request of weir.v1, answered. A handler of your own
 * that has this as its `message` speaks that protocol, and can say who may do what: with `upgrade` who gets in,
 * with `subscribe` and `publish` (handler.h) who may subscribe and publish where. Returns at once unless these
 * block. */
void weir_channels_message(weir_conn *conn, enum weir_opcode opcode, const void *data, size_t size, void *context);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
