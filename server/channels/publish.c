/* publish.c - one message to all subscribers of a channel. It is encoded before the channel's mutex is taken, once
 * for each form that a subscriber wants, and compressed afterwards. Under the mutex it gets its offset and its
 * place in the row (row.h), and is remembered. Nothing that happens there takes long, or makes a publish fail.
 *
 * The encoded message contains its offset. So it is made with a likely offset, whose digits are replaced at the
 * end.
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include <weir/channel.h>

#include "base/json.h"
#include "server/channels/delivery.h"
#include "server/channels/row.h"
#include "server/channels/wire.h"
#include "server/core/in_hand.h"

static void count_rate_locked(struct channel_rate *rate, uint64_t now) {
    uint64_t elapsed = now - rate->began;
    if (elapsed >= RATE_WINDOW_MS) {
        rate->before = elapsed < 2 * RATE_WINDOW_MS ? rate->now : 0;
        rate->now = 0;
        rate->began = now;
    }
    rate->now++;
}

static void remember_locked(struct channel *channel, const struct delivery *delivery,
                            const struct history_bounds *bounds) {
    struct history_store *store = &channel->channels->store;
    if (bounds->count > 0)
        history_append(store, &channel->history, parcel_plain(&delivery->parcels[FORM_WRAPPED]), bounds);
    else if (channel->remembers)
        history_clear(store, &channel->history);
    channel->remembers = bounds->count > 0;
}

/* --- Publishing -------------------------------------------------------------------------------------------- */

/* A publish under way. */
struct publishing {
    struct encoding_input source;
    struct delivery *delivery;
    struct published *published;
    bool compresses; /* delivery_compress() must follow */
    bool full;       /* row_help() must follow */
    struct task_list ready;
};

static bool may_publish(const struct channel_options *options, const struct publication *publication) {
    return options->may_publish || publication->published_by != PUBLISHED_BY_CLIENT;
}

static bool wants(const struct channel *channel, enum channel_form form, bool remembered) {
    return (form == FORM_WRAPPED && remembered) || channel_wants(channel, form);
}

/* Encodes the forms that are wanted now. Returns -1 if memory is out. */
static int encode_wanted(struct publishing *publishing, bool remembered, uint64_t offset) {
    struct delivery *delivery = publishing->delivery;
    for (int form = 0; form < CHANNEL_FORMS; form++)
        if (wants(publishing->source.channel, (enum channel_form)form, remembered) &&
            delivery_encode(delivery, &publishing->source, (enum channel_form)form, offset) != 0)
            return -1;
    publishing->compresses = delivery_needs_compression(delivery);
    return 0;
}

/* Does everything that can fail, or takes long, with an offset that is likely. */
static enum weir_status prepare(struct publishing *publishing) {
    struct channel *channel = publishing->source.channel;
    const struct publication *publication = publishing->source.publication;
    mutex_lock(&channel->mutex);
    bool allowed = may_publish(&channel->options, publication);
    bool remembered = channel->options.history > 0;
    uint64_t offset = channel->offset + 1;
    publishing->source.names_publisher = channel->options.publisher;
    mutex_unlock(&channel->mutex);
    if (!allowed)
        return WEIR_DENIED;
    if (publishing->delivery == NULL)
        publishing->delivery =
            delivery_create(channel, publication->skip_publisher ? publication->publisher : NULL);
    return publishing->delivery != NULL && encode_wanted(publishing, remembered, offset) == 0 ? WEIR_OK
                                                                                              : WEIR_NO_MEMORY;
}

/* Since the message was encoded, a client may have joined that wants another form, and others may have
 * published. */
static bool is_prepared_locked(const struct publishing *publishing, const struct history_bounds *bounds) {
    struct channel *channel = publishing->source.channel;
    if (!delivery_set_offset(publishing->delivery, channel->offset + 1))
        return false;
    for (int form = 0; form < CHANNEL_FORMS; form++)
        if (wants(channel, (enum channel_form)form, bounds->count > 0) &&
            !delivery_has(publishing->delivery, (enum channel_form)form))
            return false;
    return true;
}

enum commit { COMMIT_DONE, COMMIT_GONE /* the channel */, COMMIT_AGAIN /* it must be encoded again */ };

static enum commit commit_locked(struct publishing *publishing) {
    struct channel *channel = publishing->source.channel;
    struct delivery *delivery = publishing->delivery;
    const struct history_bounds bounds = channel_bounds_locked(channel);
    if (channel->gone)
        return COMMIT_GONE;
    if (!is_prepared_locked(publishing, &bounds))
        return COMMIT_AGAIN;
    bool skips = delivery->skipped != NULL && members_find(&channel->members, delivery->skipped) != NULL;
    channel->offset++;
    count_rate_locked(&channel->rate, bounds.now);
    remember_locked(channel, delivery, &bounds);
    *publishing->published = (struct published){.offset = channel->offset,
                                                .subscribers = channel->members.count,
                                                .receivers = channel->members.count - skips};
    row_append_locked(channel, delivery);
    row_hand_out_soon_locked(channel, &publishing->ready);
    publishing->full = row_slow_down_locked(channel);
    return COMMIT_DONE;
}

static enum commit commit(struct publishing *publishing) {
    struct channel *channel = publishing->source.channel;
    mutex_lock(&channel->mutex);
    enum commit result = commit_locked(publishing);
    mutex_unlock(&channel->mutex);
    pool_submit_list(channel->channels->core->pool, &publishing->ready);
    return result;
}

/* Returns false if the channel has left the table meanwhile. */
static bool try_to_publish(struct channel *channel, const struct publication *publication,
                           struct published *published, enum weir_status *result) {
    struct publishing publishing = {.source = {.channel = channel, .publication = publication},
                                    .published = published};
    enum commit outcome = COMMIT_AGAIN;
    while (outcome == COMMIT_AGAIN && (*result = prepare(&publishing)) == WEIR_OK)
        outcome = commit(&publishing);
    if (outcome == COMMIT_DONE)
        memcpy(published->epoch, channel->epoch, sizeof published->epoch);
    if (outcome == COMMIT_DONE && publishing.compresses)
        delivery_compress(publishing.delivery);
    if (publishing.full)
        row_help(channel);
    delivery_release(publishing.delivery);
    return outcome != COMMIT_GONE;
}

/* The channel that a message is for. Returns NULL if it need not be made, or cannot be made (then *result says
 * why). */
static struct channel *find_for(struct channels *channels, const struct publication *publication,
                                enum weir_status *result) {
    struct opening opening = {.name = publication->channel, .client = publication->publisher};
    struct channel *channel = channels_use(channels, publication->channel);
    *result = WEIR_OK;
    if (channel != NULL)
        return channel;
    const struct channel_options options = channels_options(channels, publication->channel);
    if (!may_publish(&options, publication))
        *result = WEIR_DENIED;
    if (*result != WEIR_OK || options.history == 0)
        return NULL;
    channel = channels_open(channels, &opening);
    if (channel == NULL)
        *result = opening.full ? WEIR_LIMIT : WEIR_NO_MEMORY;
    return channel;
}

static void count(struct channels *channels, const struct publication *publication,
                  const struct published *published) {
    striped_add(&channels->counters.published[publication->published_by], 1);
    buckets_add(&channels->core->counters.fan_out, buckets_numbers, (uint64_t)published->receivers);
}

enum weir_status channels_publish(struct channels *channels, const struct publication *publication,
                                  struct published *published) {
    enum weir_status result = WEIR_OK;
    bool done = false;
    *published = (struct published){.offset = 0};
    while (!done) {
        struct channel *channel = find_for(channels, publication, &result);
        if (channel == NULL)
            break;
        done = try_to_publish(channel, publication, published, &result);
        channel_release(channel);
    }
    if (result == WEIR_OK)
        count(channels, publication, published);
    return result;
}

/* --- Announcements ----------------------------------------------------------------------------------------- */

/* An announcement has its place among the messages. If memory is out, it is left out. */
void channel_announce_locked(struct channel *channel, const char *type, const struct subscription *who,
                             struct task_list *ready) {
    if (channel->gone || !channel_wants(channel, FORM_WRAPPED))
        return; /* members sent away need not learn of each other, which would take the square of their number */
    struct message *message = wire_announcement(channel, type, who);
    struct delivery *delivery = message == NULL ? NULL : delivery_create(channel, NULL);
    if (delivery != NULL) {
        delivery_set_announcement(delivery, message);
        row_append_locked(channel, delivery);
        row_hand_out_soon_locked(channel, ready);
        delivery_release(delivery);
    } else {
        message_release(message);
    }
}

/* --- For handlers ------------------------------------------------------------------------------------------ */

static enum weir_status publish(struct channels *channels, const struct publication *publication,
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
    return publish(channels, &publication, done, context);
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
    return publish(channels, &publication, done, context);
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
    return publish(conn_core(conn)->channels, &publication, done, context);
}
