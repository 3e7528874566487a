/* wire.h - messages of weir.v1 (docs/protocol.md), and what channels tell its clients by themselves. Answers to
 * their requests are put together in protocol.c. No locks.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CHANNELS_WIRE_H
#define WEIR_CHANNELS_WIRE_H

#include "server/channels/channel.h"
#include "server/proto/json_writer.h"

/* Begins an object: {"type":"...","channel":"..." - the latter unless it is empty. Names need no escaping. */
void wire_begin(struct json_writer *writer, const char *type, const char *channel);

/* The text message that has been written; releases the writer. NULL if memory was out. */
struct message *wire_take(struct json_writer *writer);

/* {"type":"message","channel":...,"offset":...,"data":...}. With `publisher`, if there is one. NULL if memory is
 * out.
 */
struct message *wire_message(const struct channel *channel, uint64_t offset, const struct publication *publication,
                             const struct weir_conn *publisher);

/* Writes an offset into the message that wire_message() made with another one. False if it has more digits, or
 * fewer. */
bool wire_set_offset(struct message *message, const struct channel *channel, uint64_t offset);

/* {"type":"join","channel":...,"client":{...}} */
struct message *wire_announcement(const struct channel *channel, const char *type, const struct subscription *who);

/* {"connection":"42","user":"ann"}, with "joined_at" unless that is 0. */
void wire_write_client(struct json_writer *writer, const struct weir_conn *conn, double joined_at);

#endif
