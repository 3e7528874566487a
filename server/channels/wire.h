/* wire.h - messages of weir.v1 (docs/protocol.md) that channels send of their own accord. protocol.c makes the
 * answers to requests. No locks.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CHANNELS_WIRE_H
#define WEIR_CHANNELS_WIRE_H

#include "base/json_writer.h"
#include "server/channels/channel.h"

/* Begins an object: {"type":"...","channel":"...". An empty channel is left out. Neither needs escaping. The caller
 * ends the object. */
void wire_begin(struct json_writer *writer, const char *type, const char *channel);

/* Makes a text message of what has been written, and releases the writer. Returns NULL if memory was out. */
struct message *wire_take(struct json_writer *writer);

/* {"type":"message","channel":...,"offset":...,"data":...}, and "publisher" unless `publisher` is NULL. Returns
 * NULL if memory is out. */
struct message *wire_message(const struct channel *channel, uint64_t offset, const struct publication *publication,
                             const struct weir_conn *publisher);

/* Writes an offset into a message that wire_message() made with another one. Returns false if the number of digits
 * differs. */
bool wire_set_offset(struct message *message, const struct channel *channel, uint64_t offset);

/* {"type":"join","channel":...,"client":{...}}. Returns NULL if memory is out. */
struct message *wire_announcement(const struct channel *channel, const char *type, const struct subscription *who);

/* {"connection":"42","user":"ann"}, with "joined_at" unless that is 0. */
void wire_write_client(struct json_writer *writer, const struct weir_conn *conn, double joined_at);

#endif
