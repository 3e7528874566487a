/* publish.c - one message to all subscribers of a channel. It is encoded, and compressed, once for each form that
 * somebody wants, before the channel's mutex is taken: under that only references are handed out (delivery.h).
 *
 * Messages of one channel are published one after the other: an offset is part of what is encoded, so nobody may
 * come between its choice and its use. What a client sends in a row is pending for a moment, and handed out in one
 * walk over the subscribers.
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include <weir/channel.h>

#include "server/channels/delivery.h"
#include "server/channels/wire.h"
#include "server/proto/json.h"

enum { MANY_MEMBERS = 16 /* so many that one walk for several messages is worth a task */ };

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
        history_append(store, &channel->history, delivery->parcels[FORM_WRAPPED].plain.message, bounds);
    else if (channel->remembers)
        history_clear(store, &channel->history);
    channel->remembers = bounds->count > 0;
}

/* --- Publishing -------------------------------------------------------------------------------------------- */

/* A publish under way. */
struct publishing {
    struct delivery_source source;
    struct delivery *delivery;
    struct published *published;
    struct task_list ready;
};

static bool may_publish(const struct channel_options *options, const struct publication *publication) {
    return options->may_publish || publication->source != PUBLISHED_BY_CLIENT;
}

/* Encodes what is wanted now. -1 if memory is out. */
static int encode_wanted(const struct publishing *publishing, bool remembered) {
    struct channel *channel = publishing->source.channel;
    for (int form = 0; form < CHANNEL_FORMS; form++)
        if (((form == FORM_WRAPPED && remembered) || channel_wants(channel, (enum channel_form)form)) &&
            delivery_encode(publishing->delivery, &publishing->source, (enum channel_form)form) != 0)
            return -1;
    return 0;
}

/* Begins: the offset is this message's, as long as `publishing` is held. */
static enum weir_result prepare(struct publishing *publishing) {
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
    publishing->delivery = delivery_create(publication, offset);
    return publishing->delivery != NULL && encode_wanted(publishing, remembered) == 0 ? WEIR_OK : WEIR_NO_MEMORY;
}

/* While this thread handles a client's messages one after the other, they are handed out together. */
static void hand_out_soon_locked(struct channel *channel, struct task_list *ready) {
    if (pool_is_holding() && channel->members.count >= MANY_MEMBERS && channel->pending_count < DELIVERIES_MAX)
        task_claim_into(&channel->delivering, ready);
    else
        delivery_hand_out_locked(channel, ready);
}

/* Who came between the encoding and now may want a form that nobody wanted. */
static enum weir_result commit_locked(struct publishing *publishing) {
    struct channel *channel = publishing->source.channel;
    struct delivery *delivery = publishing->delivery;
    const struct history_bounds bounds = channel_bounds_locked(channel);
    if (encode_wanted(publishing, bounds.count > 0) != 0)
        return WEIR_NO_MEMORY;
    bool skips = delivery->skipped != NULL && members_find(&channel->members, delivery->skipped) != NULL;
    channel->offset = delivery->offset;
    count_rate_locked(&channel->rate, bounds.now);
    remember_locked(channel, delivery, &bounds);
    *publishing->published = (struct published){.offset = delivery->offset,
                                                .subscribers = channel->members.count,
                                                .receivers = channel->members.count - skips};
    *channel->pending_end = delivery;
    channel->pending_end = &delivery->next;
    channel->pending_count++;
    publishing->delivery = NULL;
    hand_out_soon_locked(channel, &publishing->ready);
    return WEIR_OK;
}

/* Returns false if the channel has gone meanwhile. */
static bool try_to_publish(struct channel *channel, const struct publication *publication,
                           struct published *published, enum weir_result *result) {
    struct publishing publishing = {.source = {.channel = channel, .publication = publication},
                                    .published = published};
    mutex_lock(&channel->publishing);
    *result = prepare(&publishing);
    mutex_lock(&channel->mutex);
    bool gone = channel->gone;
    if (!gone && *result == WEIR_OK)
        *result = commit_locked(&publishing);
    mutex_unlock(&channel->mutex);
    mutex_unlock(&channel->publishing);
    pool_submit_list(channel->channels->core->pool, &publishing.ready);
    if (publishing.delivery != NULL)
        delivery_destroy(publishing.delivery);
    return !gone;
}

/* The channel that a message is for. NULL if it need not be made, or cannot (then *result says why). */
static struct channel *find_for(struct channels *channels, const struct publication *publication,
                                enum weir_result *result) {
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
    striped_add(&channels->counters.published[publication->source], 1);
    buckets_add(&channels->core->counters.fan_out, buckets_numbers, (uint64_t)published->receivers);
}

enum weir_result channels_publish(struct channels *channels, const struct publication *publication,
                                  struct published *published) {
    enum weir_result result = WEIR_OK;
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

/* --- The task that hands out ------------------------------------------------------------------------------- */

#define CHANNEL_OF(task) ((struct channel *)((char *)(task)-offsetof(struct channel, delivering)))

static void delivering_run(struct task *task) {
    struct channel *channel = CHANNEL_OF(task);
    struct pool *pool = channel->channels->core->pool;
    struct task_list ready = {0};
    mutex_lock(&channel->mutex);
    delivery_hand_out_locked(channel, &ready);
    mutex_unlock(&channel->mutex);
    pool_submit_list(pool, &ready);
    pool_finish(pool, task);
}

static void delivering_retain(struct task *task) {
    channel_retain(CHANNEL_OF(task));
}

static void delivering_release(struct task *task) {
    channel_release(CHANNEL_OF(task));
}

const struct task_kind channel_delivering_kind = {
    .queue = TASK_IO, .run = delivering_run, .retain = delivering_retain, .release = delivering_release};

/* --- Announcements ----------------------------------------------------------------------------------------- */

void channel_announce_locked(struct channel *channel, const char *type, const struct subscription *who,
                             struct task_list *ready) {
    if (channel->gone || !channel_wants(channel, FORM_WRAPPED))
        return; /* who is sent away need not be told of the others, which would take the square of their number */
    delivery_hand_out_locked(channel, ready); /* everybody sees it behind them */
    struct lot lot = {.message = wire_announcement(channel, type, who)};
    for (uint32_t i = 0; lot.message != NULL && i < channel->members.count; i++) {
        const struct member *member = &channel->members.list[i];
        if (member->form == FORM_WRAPPED && weir_conn_is_open(member->conn) &&
            conn_append(member->conn, lot_take(&lot), ready) != WEIR_OK)
            message_release(lot.message);
    }
    lot_release(&lot);
}

/* --- For handlers ------------------------------------------------------------------------------------------ */

static long publish(struct channels *channels, const struct publication *publication) {
    struct published published;
    if (!channel_name_valid(publication->channel, strlen(publication->channel)))
        return WEIR_INVALID;
    enum weir_result result = channels_publish(channels, publication, &published);
    return result == WEIR_OK ? published.receivers : (long)result;
}

long channels_publish_message(struct channels *channels, const char *channel, enum weir_opcode opcode,
                              const void *data, size_t size) {
    if (!conn_message_is_valid(opcode, data, size))
        return WEIR_INVALID;
    const struct publication publication = {.channel = channel,
                                            .kind = opcode == WEIR_TEXT ? PUBLICATION_TEXT : PUBLICATION_BINARY,
                                            .data = data,
                                            .size = size,
                                            .source = PUBLISHED_BY_HANDLER};
    return publish(channels, &publication);
}

long channels_publish_json(struct channels *channels, const char *channel, const void *json, size_t size) {
    struct json_value value;
    struct json_error error;
    if (json_check(json, size, &value, &error) != 0)
        return WEIR_INVALID;
    const struct publication publication = {.channel = channel,
                                            .kind = PUBLICATION_JSON,
                                            .data = value.bytes,
                                            .size = value.size,
                                            .source = PUBLISHED_BY_HANDLER};
    return publish(channels, &publication);
}

long weir_publish_from(weir_conn *conn, const char *channel, enum weir_opcode opcode, const void *data, size_t size,
                       bool include_self) {
    if (!conn_message_is_valid(opcode, data, size))
        return WEIR_INVALID;
    if (!weir_conn_is_open(conn)) /* touch the core only if it is there: a handle may outlive it */
        return WEIR_GONE;
    const struct publication publication = {.channel = channel,
                                            .kind = opcode == WEIR_TEXT ? PUBLICATION_TEXT : PUBLICATION_BINARY,
                                            .data = data,
                                            .size = size,
                                            .publisher = conn,
                                            .skip_publisher = !include_self,
                                            .source = PUBLISHED_BY_CLIENT};
    return publish(conn_core(conn)->channels, &publication);
}
