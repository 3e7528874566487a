/* publish.c - one message to all subscribers of a channel. It is encoded, and compressed, once for each form that
 * somebody wants, before the channel's mutex is taken: under that only references are handed out.
 *
 * Messages of one channel are published one after the other: an offset is part of what is encoded, so nobody may
 * come between its choice and its use.
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include <weir/channel.h>

#include "server/channels/channel.h"
#include "server/channels/wire.h"
#include "server/proto/frame.h"
#include "server/proto/json.h"

enum { AHEAD = 8 /* members that are fetched from memory before it is their turn */ };

/* One message on its way. */
struct delivery {
    const struct publication *publication;
    struct channel *channel;
    uint64_t offset;
    bool names_publisher;
    struct parcel parcels[CHANNEL_FORMS]; /* the plain message is NULL where nobody wants the form */
    struct task_list ready;
    long accepted;

    struct route *route;      /* of the receivers before, mostly that of all */
    uint64_t messages, bytes; /* accepted for them */
};

/* --- Encoding ---------------------------------------------------------------------------------------------- */

static struct message *encode(const struct delivery *delivery, enum channel_form form) {
    const struct publication *publication = delivery->publication;
    if (form == FORM_WRAPPED)
        return wire_message(delivery->channel, delivery->offset, publication,
                            delivery->names_publisher ? publication->publisher : NULL);
    uint8_t opcode = publication->kind == PUBLICATION_BINARY ? OPCODE_BINARY : OPCODE_TEXT;
    return message_create(opcode, publication->data, publication->size);
}

static int make_parcel(struct delivery *delivery, enum channel_form form) {
    struct message *plain = encode(delivery, form);
    if (plain == NULL)
        return -1;
    parcel_make(&delivery->parcels[form], plain, &delivery->channel->audience[form],
                core_terms(delivery->channel->channels->core)->compression_threshold);
    return 0;
}

static bool is_wanted(struct channel *channel, enum channel_form form) {
    return atomic_load_explicit(&channel->forms[form], memory_order_relaxed) > 0;
}

static int make_parcels(struct delivery *delivery, bool remembered) {
    struct channel *channel = delivery->channel;
    if ((remembered || is_wanted(channel, FORM_WRAPPED)) && make_parcel(delivery, FORM_WRAPPED) != 0)
        return -1;
    return is_wanted(channel, FORM_RAW) ? make_parcel(delivery, FORM_RAW) : 0;
}

static void release_parcels(struct delivery *delivery) {
    for (int form = 0; form < CHANNEL_FORMS; form++)
        parcel_release(&delivery->parcels[form]);
}

/* --- Handing out ------------------------------------------------------------------------------------------- */

/* Who came between the encoding and the mutex may want a form that nobody wanted. */
static struct message *message_for(struct delivery *delivery, const struct subscription *subscription) {
    struct parcel *parcel = &delivery->parcels[subscription->form];
    if (parcel->plain == NULL && make_parcel(delivery, subscription->form) != 0)
        return NULL;
    return parcel_for(parcel, subscription->conn);
}

static void count_traffic(struct delivery *delivery, struct route *next) {
    if (delivery->route != NULL)
        traffic_sent(&delivery->route->traffic, delivery->messages, delivery->bytes);
    delivery->route = next;
    delivery->messages = delivery->bytes = 0;
}

static void count_accepted(struct delivery *delivery, const struct subscription *subscription) {
    size_t size;
    message_payload(delivery->parcels[subscription->form].plain, &size);
    if (subscription->conn->route != delivery->route)
        count_traffic(delivery, subscription->conn->route);
    delivery->messages++;
    delivery->bytes += size;
    delivery->accepted++;
}

static void hand_out_locked(struct delivery *delivery) {
    const struct members *members = &delivery->channel->members;
    const struct weir_conn *skipped =
        delivery->publication->skip_publisher ? delivery->publication->publisher : NULL;
    for (uint32_t place = 0; place < members->capacity; place++) {
        if (place + AHEAD < members->capacity && members->table[place + AHEAD].conn != NULL)
            conn_prefetch(members->table[place + AHEAD].conn);
        const struct member *member = &members->table[place];
        if (member->conn == NULL || member->conn == skipped)
            continue;
        struct message *message = message_for(delivery, member->subscription);
        if (message == NULL)
            weir_close(member->conn, 1011, "out of memory"); /* it must not go unnoticed */
        else if (conn_append(member->conn, message, &delivery->ready) == WEIR_OK)
            count_accepted(delivery, member->subscription);
    }
    count_traffic(delivery, NULL);
}

static void count_rate_locked(struct channel_rate *rate, uint64_t now) {
    uint64_t elapsed = now - rate->began;
    if (elapsed >= RATE_WINDOW_MS) {
        rate->before = elapsed < 2 * RATE_WINDOW_MS ? rate->now : 0;
        rate->now = 0;
        rate->began = now;
    }
    rate->now++;
}

static void deliver_locked(struct delivery *delivery, struct published *published) {
    struct channel *channel = delivery->channel;
    const struct history_bounds bounds = channel_bounds_locked(channel);
    struct message *wrapped = delivery->parcels[FORM_WRAPPED].plain;
    channel->offset = delivery->offset;
    count_rate_locked(&channel->rate, bounds.now);
    if (bounds.count > 0 && (wrapped != NULL || make_parcel(delivery, FORM_WRAPPED) == 0))
        history_append(&channel->channels->store, &channel->history, delivery->parcels[FORM_WRAPPED].plain,
                       &bounds);
    else
        history_clear(&channel->channels->store, &channel->history);
    hand_out_locked(delivery);
    *published = (struct published){
        .offset = delivery->offset, .subscribers = channel->members.count, .accepted = delivery->accepted};
}

/* --- Publishing -------------------------------------------------------------------------------------------- */

static bool may_publish(const struct channel_options *options, const struct publication *publication) {
    return options->may_publish || publication->source != PUBLISHED_BY_CLIENT;
}

/* Returns false if the channel has gone meanwhile. */
static bool try_to_publish(struct channel *channel, const struct publication *publication,
                           struct published *published, enum weir_result *result) {
    struct channels *channels = channel->channels;
    struct delivery delivery = {.publication = publication, .channel = channel};
    mutex_lock(&channel->publishing);
    mutex_lock(&channel->mutex);
    bool remembered = channel->options.history > 0, gone = channel->gone;
    bool allowed = may_publish(&channel->options, publication);
    delivery.offset = channel->offset + 1;
    delivery.names_publisher = channel->options.publisher;
    mutex_unlock(&channel->mutex);
    *result = !allowed ? WEIR_DENIED : gone || make_parcels(&delivery, remembered) == 0 ? WEIR_OK : WEIR_NO_MEMORY;
    if (!gone && *result == WEIR_OK) {
        mutex_lock(&channel->mutex);
        gone = channel->gone;
        if (!gone)
            deliver_locked(&delivery, published);
        mutex_unlock(&channel->mutex);
    }
    pool_submit_list(channels->core->pool, &delivery.ready);
    mutex_unlock(&channel->publishing);
    release_parcels(&delivery);
    return !gone;
}

/* The channel that a message is for. NULL if it need not be made, or cannot (then *result says why). */
static struct channel *find_for(struct channels *channels, const struct publication *publication,
                                enum weir_result *result) {
    bool full = false;
    struct channels_limits limits;
    struct channel *channel = channels_find(channels, publication->channel);
    *result = WEIR_OK;
    if (channel != NULL)
        return channel;
    const struct channel_options options = channels_options(channels, publication->channel);
    if (!may_publish(&options, publication))
        *result = WEIR_DENIED;
    if (*result != WEIR_OK || options.history == 0)
        return NULL;
    channel = channels_open(channels, publication->channel, &full, &limits);
    if (channel == NULL)
        *result = full ? WEIR_LIMIT : WEIR_NO_MEMORY;
    return channel;
}

static void count(struct channels *channels, const struct publication *publication,
                  const struct published *published) {
    striped_add(&channels->counters.published[publication->source], 1);
    buckets_add(&channels->core->counters.fan_out, buckets_numbers, (uint64_t)published->accepted);
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

/* --- Announcements ----------------------------------------------------------------------------------------- */

void channel_announce_locked(struct channel *channel, const char *type, const struct subscription *who,
                             struct task_list *ready) {
    if (channel->gone || !is_wanted(channel, FORM_WRAPPED))
        return; /* who is sent away need not be told of the others, which would take the square of their number */
    struct message *message = wire_announcement(channel, type, who);
    for (uint32_t place = 0; message != NULL && place < channel->members.capacity; place++) {
        const struct member *member = &channel->members.table[place];
        if (member->conn != NULL && member->subscription->form == FORM_WRAPPED && weir_conn_is_open(member->conn))
            conn_append(member->conn, message, ready);
    }
    message_release(message);
}

/* --- For handlers ------------------------------------------------------------------------------------------ */

static long publish(struct channels *channels, const struct publication *publication) {
    struct published published;
    if (!channel_name_valid(publication->channel, strlen(publication->channel)))
        return WEIR_INVALID;
    enum weir_result result = channels_publish(channels, publication, &published);
    return result == WEIR_OK ? published.accepted : (long)result;
}

long channels_publish_message(struct channels *channels, const char *channel, enum weir_opcode opcode,
                              const void *data, size_t size) {
    if (!core_is_message(opcode))
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
    if (!core_is_message(opcode))
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
    return publish(conn->core->channels, &publication);
}
