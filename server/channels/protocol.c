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

static void write_member(struct json_writer *writer, const char *name, uint64_t value) {
    json_write_literal(writer, ",\"");
    json_write_literal(writer, name);
    json_write_literal(writer, "\":");
    json_write_number(writer, value);
}

static void end(struct json_writer *writer, const struct request *request) {
    if (request->id.size > 0) {
        json_write_literal(writer, ",\"id\":");
        json_write(writer, request->id.bytes, request->id.size);
    }
    json_write_literal(writer, "}");
}

/* Sends what has been written, and releases the writer. */
static void send_answer(struct weir_conn *conn, struct json_writer *writer) {
    if (writer->failed)
        weir_conn_close(conn, CLOSE_INTERNAL_ERROR, "out of memory");
    else
        conn_send(conn, WEIR_TEXT, writer->bytes, writer->size);
    json_writer_release(writer);
}

static void send_error(struct weir_conn *conn, const struct request *request, const char *code,
                       const char *message) {
    struct json_writer writer = {0};
    wire_begin(&writer, "error", request->channel);
    json_write_literal(&writer, ",\"code\":\"");
    json_write_literal(&writer, code);
    json_write_literal(&writer, "\",\"message\":");
    json_write_string(&writer, message);
    end(&writer, request);
    send_answer(conn, &writer);
}

/* --- subscribe --------------------------------------------------------------------------------------------- */

struct subscribing {
    const struct request *request;
    bool failed; /* there is no answer: memory was out */
};

static struct message *make_subscribed(const struct joined *joined, void *context) {
    struct subscribing *subscribing = context;
    const struct request *request = subscribing->request;
    struct json_writer writer = {0};
    wire_begin(&writer, "subscribed", joined->name);
    write_member(&writer, "offset", joined->offset);
    json_write_literal(&writer, ",\"epoch\":");
    json_write_string(&writer, joined->epoch);
    if (request->recover)
        json_write_literal(&writer, joined->recovered ? ",\"recovered\":true" : ",\"recovered\":false");
    if (request->presence) {
        json_write_literal(&writer, ",\"presence\":{");
        channel_write_presence_locked(joined->channel, PRESENCE_LISTED_MAX, &writer);
        json_write_literal(&writer, "}");
    }
    end(&writer, request);
    struct message *message = wire_take(&writer);
    if (message != NULL)
        message->is_reply = true;
    subscribing->failed = message == NULL;
    return message;
}

static void refuse_joining(struct weir_conn *conn, const struct request *request, enum join_result result) {
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
        send_error(conn, request, errors[result].code, errors[result].message);
}

static bool may_subscribe(struct weir_conn *conn, const struct request *request,
                          const struct channel_options *options) {
    const struct route *route = conn->route;
    if (route->handler->subscribe != NULL && route->handler->subscribe(conn, request->channel, route->context) != 0)
        send_error(conn, request, "not_permitted", "clients of this route may not subscribe to it");
    else if (!options->may_subscribe)
        send_error(conn, request, "not_permitted", "clients may not subscribe to it");
    else if (request->presence && !options->presence)
        send_error(conn, request, "presence_off", "this channel does not tell who is there");
    else
        return true;
    return false;
}

static void subscribe(struct channels *channels, struct weir_conn *conn, const struct request *request) {
    const struct channel_options options = channels_options(channels, request->channel);
    if (!may_subscribe(conn, request, &options))
        return;
    struct subscribing subscribing = {.request = request};
    const struct join join = {
        .form = FORM_WRAPPED,
        .recover = request->recover,
        .since = request->since,
        .epoch = request->epoch[0] != '\0' ? request->epoch : NULL,
        .last = request->last,
        .answer = make_subscribed,
        .context = &subscribing,
    };
    enum join_result result = channels_join(channels, conn, request->channel, &join);
    if (result != JOIN_DONE)
        refuse_joining(conn, request, result);
    else if (subscribing.failed)
        weir_conn_close(conn, CLOSE_INTERNAL_ERROR, "out of memory");
}

/* --- unsubscribe, publish, presence, ping ------------------------------------------------------------------ */

static void unsubscribe(struct channels *channels, struct weir_conn *conn, const struct request *request) {
    if (!channels_leave(channels, conn, request->channel)) {
        send_error(conn, request, "not_subscribed", "this connection is not subscribed to it");
        return;
    }
    struct json_writer writer = {0};
    wire_begin(&writer, "unsubscribed", request->channel);
    end(&writer, request);
    send_answer(conn, &writer);
}

static bool may_publish(struct weir_conn *conn, const struct request *request) {
    const struct route *route = conn->route;
    if (route->handler->publish == NULL || route->handler->publish(conn, request->channel, request->data.bytes,
                                                                   request->data.size, route->context) == 0)
        return true;
    send_error(conn, request, "not_permitted", "clients of this route may not publish to it");
    return false;
}

static void refuse_publishing(struct weir_conn *conn, const struct request *request, enum weir_status result) {
    if (result == WEIR_DENIED)
        send_error(conn, request, "not_permitted", "clients may not publish to it");
    else
        refuse_joining(conn, request, result == WEIR_LIMIT ? JOIN_CHANNELS_LIMIT : JOIN_NO_MEMORY);
}

static void publish(struct channels *channels, struct weir_conn *conn, const struct request *request) {
    if (!may_publish(conn, request))
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
        refuse_publishing(conn, request, result);
        return;
    }
    struct json_writer writer = {0};
    wire_begin(&writer, "published", request->channel);
    write_member(&writer, "offset", published.offset);
    write_member(&writer, "subscribers", published.subscribers);
    end(&writer, request);
    send_answer(conn, &writer);
}

static void presence(struct channels *channels, struct weir_conn *conn, const struct request *request) {
    struct json_writer writer = {0};
    wire_begin(&writer, "presence", request->channel);
    json_write_literal(&writer, ",");
    if (!channels_options(channels, request->channel).presence) {
        send_error(conn, request, "presence_off", "this channel does not tell who is there");
    } else if (!channels_is_member(channels, conn, request->channel) ||
               channels_write_presence(channels, request->channel, PRESENCE_LISTED_MAX, &writer) != 0) {
        send_error(conn, request, "not_subscribed", "only its subscribers are told who is there");
    } else {
        end(&writer, request);
        send_answer(conn, &writer);
    }
    json_writer_release(&writer);
}

static void ping(struct channels *channels, struct weir_conn *conn, const struct request *request) {
    (void)channels;
    struct json_writer writer = {0};
    wire_begin(&writer, "pong", "");
    end(&writer, request);
    send_answer(conn, &writer);
}

static void (*const serve[REQUEST_TYPES])(struct channels *, struct weir_conn *, const struct request *) = {
    [REQUEST_SUBSCRIBE] = subscribe, [REQUEST_UNSUBSCRIBE] = unsubscribe,
    [REQUEST_PUBLISH] = publish,     [REQUEST_PRESENCE] = presence,
    [REQUEST_PING] = ping,
};

void weir_channels_message(weir_conn *conn, enum weir_opcode opcode, const void *data, size_t size, void *context) {
    (void)context; /* the route's, unless a handler passes one of its own; the hooks get the route's */
    if (opcode != WEIR_TEXT) {
        send_error(conn, &(struct request){0}, "binary", "a request must be a text message");
        return;
    }
    struct request request;
    struct request_error error;
    if (request_parse(data, size, &request, &error) != 0)
        send_error(conn, &request, error.code, error.message);
    else if (conn_core(conn)->channels == NULL)
        send_error(conn, &request, "internal", "this server has no channels");
    else
        serve[request.type](conn_core(conn)->channels, conn, &request);
}
