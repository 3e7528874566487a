/* protocol.c - weir.v1 (docs/protocol.md): one request of a client, and its answer. request.h reads the request,
 * channels.h does what it asks for, and wire.h makes what subscribers are sent.
 *
 * Runs on the thread that runs the handler's `message`, and keeps nothing from one request to the next.
 *
 * SPDX-License-Identifier: MIT
 */
#include <weir/channel.h>

#include "base/json_writer.h"
#include "server/channels/channels.h"
#include "server/channels/request.h"
#include "server/channels/wire.h"
#include "server/core/conn.h"
#include "server/core/message.h"
#include "ws/close_code.h"
#include "ws/decoder.h"

enum { PRESENCE_LISTED_MAX = 100 };

/* --- Answers ----------------------------------------------------------------------------------------------- */

/* Ends an answer, with the id of its request. */
static void protocol_end(struct json_writer *writer, const struct request *request) {
    if (request->id.size > 0) {
        json_key(writer, "id");
        json_write(writer, request->id.bytes, request->id.size);
    }
    json_end_object(writer);
}

/* Sends what has been written, and releases the writer. */
static void protocol_send_answer(struct weir_conn *conn, struct json_writer *writer) {
    if (writer->failed)
        weir_conn_close(conn, CLOSE_INTERNAL_ERROR, "out of memory");
    else
        conn_send(conn, WEIR_TEXT, writer->bytes, writer->size);
    json_writer_release(writer);
}

static void protocol_send_error(struct weir_conn *conn, const struct request *request, const char *code,
                                const char *message) {
    struct json_writer writer = {0};
    wire_begin(&writer, "error", request->channel);
    json_key(&writer, "code");
    json_write_plain(&writer, code);
    json_key(&writer, "message");
    json_write_string(&writer, message);
    protocol_end(&writer, request);
    protocol_send_answer(conn, &writer);
}

/* --- subscribe --------------------------------------------------------------------------------------------- */

struct subscribing {
    const struct request *request;
    bool failed; /* there is no answer: memory was out */
};

static struct message *protocol_make_subscribed(const struct joined *joined, void *context) {
    struct subscribing *subscribing = context;
    const struct request *request = subscribing->request;
    struct json_writer writer = {0};
    wire_begin(&writer, "subscribed", joined->name);
    json_key(&writer, "offset");
    json_write_number(&writer, joined->offset);
    json_key(&writer, "epoch");
    json_write_plain(&writer, joined->epoch);
    if (request->recover) {
        json_key(&writer, "recovered");
        json_write_bool(&writer, joined->recovered);
    }
    if (request->presence) {
        json_key(&writer, "presence");
        json_begin_object(&writer);
        channel_write_presence_locked(joined->channel, PRESENCE_LISTED_MAX, &writer);
        json_end_object(&writer);
    }
    protocol_end(&writer, request);
    struct message *message = wire_take(&writer);
    if (message != NULL)
        message->is_reply = true;
    subscribing->failed = message == NULL;
    return message;
}

static void protocol_refuse_joining(struct weir_conn *conn, const struct request *request,
                                    enum join_result result) {
    static const struct {
        const char *code, *message;
    } errors[] = {
        [JOIN_ALREADY] = {"already_subscribed", "this connection is subscribed to it already"},
        [JOIN_CHANNELS_LIMIT] = {"too_many_channels", "the server has as many channels as it may have"},
        [JOIN_CONNECTION_LIMIT] = {"too_many_subscriptions",
                                   "this connection has as many subscriptions as it may have"},
        [JOIN_SUBSCRIBERS_LIMIT] = {"too_many_subscribers", "this channel has as many subscribers as it may have"},
        [JOIN_NO_MEMORY] = {"internal", "the server is out of memory"},
    };
    if (result != JOIN_GONE) /* the connection is ending: no client would read it */
        protocol_send_error(conn, request, errors[result].code, errors[result].message);
}

static bool protocol_may_subscribe(struct weir_conn *conn, const struct request *request,
                                   const struct channel_options *options) {
    const struct route *route = conn->route;
    if (route->handler->subscribe != NULL && route->handler->subscribe(conn, request->channel, route->context) != 0)
        protocol_send_error(conn, request, "not_permitted", "clients of this route may not subscribe to it");
    else if (!options->may_subscribe)
        protocol_send_error(conn, request, "not_permitted", "clients may not subscribe to it");
    else if (request->presence && !options->presence)
        protocol_send_error(conn, request, "presence_off", "this channel does not tell who is there");
    else
        return true;
    return false;
}

static void protocol_subscribe(struct channels *channels, struct weir_conn *conn, const struct request *request) {
    const struct channel_options options = channels_options(channels, request->channel);
    if (!protocol_may_subscribe(conn, request, &options))
        return;
    struct subscribing subscribing = {.request = request};
    const struct join join = {
        .form = FORM_WRAPPED,
        .recover = request->recover,
        .since = request->since,
        .epoch = request->epoch[0] != '\0' ? request->epoch : NULL,
        .last = request->last,
        .answer = protocol_make_subscribed,
        .context = &subscribing,
    };
    enum join_result result = channels_join(channels, conn, request->channel, &join);
    if (result != JOIN_DONE)
        protocol_refuse_joining(conn, request, result);
    else if (subscribing.failed)
        weir_conn_close(conn, CLOSE_INTERNAL_ERROR, "out of memory");
}

/* --- unsubscribe, publish, presence, ping ------------------------------------------------------------------ */

static void protocol_unsubscribe(struct channels *channels, struct weir_conn *conn, const struct request *request) {
    if (!channels_leave(channels, conn, request->channel)) {
        protocol_send_error(conn, request, "not_subscribed", "this connection is not subscribed to it");
        return;
    }
    struct json_writer writer = {0};
    wire_begin(&writer, "unsubscribed", request->channel);
    protocol_end(&writer, request);
    protocol_send_answer(conn, &writer);
}

static bool protocol_may_publish(struct weir_conn *conn, const struct request *request) {
    const struct route *route = conn->route;
    if (route->handler->publish == NULL || route->handler->publish(conn, request->channel, request->data.bytes,
                                                                   request->data.size, route->context) == 0)
        return true;
    protocol_send_error(conn, request, "not_permitted", "clients of this route may not publish to it");
    return false;
}

static void protocol_refuse_publishing(struct weir_conn *conn, const struct request *request,
                                       enum weir_status result) {
    if (result == WEIR_DENIED)
        protocol_send_error(conn, request, "not_permitted", "clients may not publish to it");
    else
        protocol_refuse_joining(conn, request, result == WEIR_LIMIT ? JOIN_CHANNELS_LIMIT : JOIN_NO_MEMORY);
}

static void protocol_publish(struct channels *channels, struct weir_conn *conn, const struct request *request) {
    if (!protocol_may_publish(conn, request))
        return;
    const struct publication publication = {
        .channel = request->channel,
        .kind = PUBLICATION_JSON,
        .data = request->data.bytes,
        .size = request->data.size,
        .publisher = conn,
        .published_by = PUBLISHED_BY_CLIENT,
    };
    struct published published;
    enum weir_status result = channels_publish(channels, &publication, &published);
    if (result != WEIR_OK) {
        protocol_refuse_publishing(conn, request, result);
        return;
    }
    struct json_writer writer = {0};
    wire_begin(&writer, "published", request->channel);
    json_key(&writer, "offset");
    json_write_number(&writer, published.offset);
    json_key(&writer, "subscribers");
    json_write_number(&writer, published.subscribers);
    protocol_end(&writer, request);
    protocol_send_answer(conn, &writer);
}

static void protocol_presence(struct channels *channels, struct weir_conn *conn, const struct request *request) {
    struct json_writer writer = {0};
    wire_begin(&writer, "presence", request->channel);
    if (!channels_options(channels, request->channel).presence) {
        protocol_send_error(conn, request, "presence_off", "this channel does not tell who is there");
    } else if (!channels_is_member(channels, conn, request->channel) ||
               channels_write_presence(channels, request->channel, PRESENCE_LISTED_MAX, &writer) != 0) {
        protocol_send_error(conn, request, "not_subscribed", "only its subscribers are told who is there");
    } else {
        protocol_end(&writer, request);
        protocol_send_answer(conn, &writer);
    }
    json_writer_release(&writer);
}

static void protocol_ping(struct channels *channels, struct weir_conn *conn, const struct request *request) {
    (void)channels;
    struct json_writer writer = {0};
    wire_begin(&writer, "pong", "");
    protocol_end(&writer, request);
    protocol_send_answer(conn, &writer);
}

static void (*const serve[REQUEST_TYPES])(struct channels *, struct weir_conn *, const struct request *) = {
    [REQUEST_SUBSCRIBE] = protocol_subscribe, [REQUEST_UNSUBSCRIBE] = protocol_unsubscribe,
    [REQUEST_PUBLISH] = protocol_publish,     [REQUEST_PRESENCE] = protocol_presence,
    [REQUEST_PING] = protocol_ping,
};

void weir_pubsub_message(weir_conn *conn, enum weir_opcode opcode, const void *data, size_t size, void *context) {
    (void)context; /* the route's, unless a handler passes one of its own; the hooks get the route's */
    if (opcode != WEIR_TEXT) {
        protocol_send_error(conn, &(struct request){0}, "binary", "a request must be a text message");
        return;
    }
    struct request request;
    struct request_error error;
    if (request_parse(data, size, &request, &error) != 0)
        protocol_send_error(conn, &request, error.code, error.message);
    else if (conn_core(conn)->channels == NULL)
        protocol_send_error(conn, &request, "internal", "this server has no channels");
    else
        serve[request.type](conn_core(conn)->channels, conn, &request);
}
