/* wire.c - see wire.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/channels/wire.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ws/frame.h"

void wire_begin(struct json_writer *writer, const char *type, const char *channel) {
    json_begin_object(writer);
    json_key(writer, "type");
    json_write_plain(writer, type);
    if (channel[0] != '\0') {
        json_key(writer, "channel");
        json_write_plain(writer, channel);
    }
}

struct message *wire_take(struct json_writer *writer) {
    struct message *message = writer->failed ? NULL : message_create(OPCODE_TEXT, writer->bytes, writer->size);
    json_writer_release(writer);
    return message;
}

static void wire_write_data(struct json_writer *writer, const struct publication *publication) {
    json_key(writer, publication->kind == PUBLICATION_BINARY ? "base64" : "data");
    switch (publication->kind) {
    case PUBLICATION_JSON:
        json_write(writer, publication->data, publication->size);
        return;
    case PUBLICATION_TEXT:
        json_write_text(writer, publication->data, publication->size);
        return;
    case PUBLICATION_BINARY:
        json_write_base64(writer, publication->data, publication->size);
        return;
    }
}

struct message *wire_message(const struct channel *channel, uint64_t offset, const struct publication *publication,
                             const struct weir_conn *publisher) {
    struct json_writer writer = {0};
    wire_begin(&writer, "message", channel->name);
    json_key(&writer, "offset");
    json_write_number(&writer, offset);
    wire_write_data(&writer, publication);
    if (publisher != NULL) {
        json_key(&writer, "publisher");
        wire_write_client(&writer, publisher, 0);
    }
    json_end_object(&writer);
    return wire_take(&writer);
}

/* Relies on what wire_message() writes before the offset. */
bool wire_set_offset(struct message *message, const struct channel *channel, uint64_t offset) {
    char digits[24];
    size_t before = strlen("{\"type\":\"message\",\"channel\":\"\",\"offset\":") + strlen(channel->name);
    char *in_message = (char *)message->bytes + message->header_size + before;
    size_t count = (size_t)snprintf(digits, sizeof digits, "%" PRIu64, offset);
    if (strspn(in_message, "0123456789") != count)
        return false;
    memcpy(in_message, digits, count);
    return true;
}

struct message *wire_announcement(const struct channel *channel, const char *type, const struct subscription *who) {
    struct json_writer writer = {0};
    wire_begin(&writer, type, channel->name);
    json_key(&writer, "client");
    wire_write_client(&writer, who->conn, who->joined_at);
    json_end_object(&writer);
    return wire_take(&writer);
}

void wire_write_client(struct json_writer *writer, const struct weir_conn *conn, double joined_at) {
    const char *user = weir_conn_user(conn);
    json_begin_object(writer);
    json_key(writer, "connection");
    json_write_quoted_number(writer, weir_conn_id(conn));
    if (user != NULL) {
        json_key(writer, "user");
        json_write_string(writer, user);
    }
    if (joined_at != 0) {
        json_key(writer, "joined_at");
        json_write_seconds(writer, joined_at);
    }
    json_end_object(writer);
}
