/* handler_calls.c - what a handler calls: weir/channel.h, as far as it is about a connection, and the two functions
 * by which weir_publish() reaches the channels. They check what the program passes.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <string.h>

#include <weir/channel.h>

#include "base/json.h"
#include "server/channels/channels.h"
#include "server/core/conn.h"
#include "server/core/turn.h"

/* --- Subscribing ------------------------------------------------------------------------------------------- */

/* Where a channel stood when a subscription began. */
struct position {
    uint64_t offset;
    char epoch[20];
};

/* An answer that sends nothing. */
static struct message *handler_note_position(const struct joined *joined, void *context) {
    struct position *position = context;
    position->offset = joined->offset;
    snprintf(position->epoch, sizeof position->epoch, "%s", joined->epoch);
    return NULL;
}

static void handler_report_subscribed(weir_conn *conn, const struct position *position,
                                      weir_subscribe_callback *done, void *context) {
    done(conn,
         &(struct weir_subscribe_result){.status = WEIR_OK, .offset = position->offset, .epoch = position->epoch},
         context);
}

/* The connection has been subscribed before. */
static void handler_query_position(struct weir_conn *conn, const char *channel, struct position *position) {
    struct channel_statistics statistics;
    if (channels_query(conn_core(conn)->channels, channel, &statistics) != 0)
        return;
    position->offset = statistics.offset;
    memcpy(position->epoch, statistics.epoch, sizeof position->epoch);
}

enum weir_status weir_conn_subscribe(weir_conn *conn, const char *channel, weir_subscribe_callback *done,
                                     void *context) {
    static const enum weir_status results[] = {
        [JOIN_DONE] = WEIR_OK,
        [JOIN_ALREADY] = WEIR_OK,
        [JOIN_GONE] = WEIR_CLOSED,
        [JOIN_CHANNELS_LIMIT] = WEIR_LIMIT,
        [JOIN_CONNECTION_LIMIT] = WEIR_LIMIT,
        [JOIN_SUBSCRIBERS_LIMIT] = WEIR_LIMIT,
        [JOIN_NO_MEMORY] = WEIR_NO_MEMORY,
    };
    if (!channel_name_valid(channel, strlen(channel)))
        return WEIR_INVALID;
    if (!weir_conn_is_open(conn))
        return WEIR_CLOSED;
    struct position position = {.offset = 0};
    const struct join join = {
        .form = FORM_RAW, .answer = done == NULL ? NULL : handler_note_position, .context = &position};
    enum join_result result = channels_join(conn_core(conn)->channels, conn, channel, &join);
    if (results[result] != WEIR_OK || done == NULL)
        return results[result];
    if (result == JOIN_ALREADY)
        handler_query_position(conn, channel, &position);
    handler_report_subscribed(conn, &position, done, context);
    return WEIR_OK;
}

enum weir_status weir_conn_unsubscribe(weir_conn *conn, const char *channel) {
    if (!channel_name_valid(channel, strlen(channel)))
        return WEIR_INVALID;
    if (!weir_conn_is_open(conn))
        return WEIR_CLOSED;
    channels_leave(conn_core(conn)->channels, conn, channel);
    return WEIR_OK;
}

/* --- Publishing -------------------------------------------------------------------------------------------- */

static enum weir_status handler_publish(struct channels *channels, const struct publication *publication,
                                        weir_publish_callback *done, void *context) {
    struct published published;
    if (!channel_name_valid(publication->channel, strlen(publication->channel)))
        return WEIR_INVALID;
    enum weir_status status = channels_publish(channels, publication, &published);
    if (status == WEIR_OK && done != NULL)
        done(&(struct weir_publish_result){.status = WEIR_OK,
                                           .receivers = published.receivers,
                                           .offset = published.offset,
                                           .epoch = published.epoch},
             context);
    return status;
}

enum weir_status channels_publish_message(struct channels *channels, const char *channel, enum weir_opcode opcode,
                                          const void *data, size_t size, weir_publish_callback *done,
                                          void *context) {
    if (!conn_message_is_valid(opcode, data, size))
        return WEIR_INVALID;
    const struct publication publication = {.channel = channel,
                                            .kind = opcode == WEIR_TEXT ? PUBLICATION_TEXT : PUBLICATION_BINARY,
                                            .data = data,
                                            .size = size,
                                            .published_by = PUBLISHED_BY_HANDLER};
    return handler_publish(channels, &publication, done, context);
}

enum weir_status channels_publish_json(struct channels *channels, const char *channel, const void *json,
                                       size_t size, weir_publish_callback *done, void *context) {
    struct json_value value;
    struct json_error error;
    if (json_check(json, size, &value, &error) != 0)
        return WEIR_INVALID;
    const struct publication publication = {.channel = channel,
                                            .kind = PUBLICATION_JSON,
                                            .data = value.bytes,
                                            .size = value.size,
                                            .published_by = PUBLISHED_BY_HANDLER};
    return handler_publish(channels, &publication, done, context);
}

enum weir_status weir_conn_publish(weir_conn *conn, const char *channel, enum weir_opcode opcode, const void *data,
                                   size_t size, bool include_self, weir_publish_callback *done, void *context) {
    if (!conn_message_is_valid(opcode, data, size))
        return WEIR_INVALID;
    if (!weir_conn_is_open(conn))
        return WEIR_CLOSED;
    const struct publication publication = {.channel = channel,
                                            .kind = opcode == WEIR_TEXT ? PUBLICATION_TEXT : PUBLICATION_BINARY,
                                            .data = data,
                                            .size = size,
                                            .publisher = conn,
                                            .skip_publisher = !include_self,
                                            .published_by = PUBLISHED_BY_CLIENT};
    return handler_publish(conn_core(conn)->channels, &publication, done, context);
}
