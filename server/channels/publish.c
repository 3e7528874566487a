/* publish.c - one message to all subscribers of a channel. It is encoded before the channel's mutex is taken, once
 * for each form that a subscriber wants, and compressed afterwards. Under the mutex it gets its offset, is
 * appended to the row (row.h), and is remembered. Nothing that happens there takes long, or makes a publish fail.
 *
 * The encoded message contains its offset. So it is made with a likely offset, whose digits are replaced at the
 * end.
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "server/channels/channel_rules.h"
#include "server/channels/compression.h"
#include "server/channels/fanout.h"
#include "server/channels/find.h"
#include "server/channels/row.h"

static void publish_count_rate_locked(struct channel_rate *rate, uint64_t now) {
    uint64_t elapsed = now - rate->began;
    if (elapsed >= RATE_WINDOW_MS) {
        rate->before = elapsed < 2 * RATE_WINDOW_MS ? rate->now : 0;
        rate->now = 0;
        rate->began = now;
    }
    rate->now++;
}

static void publish_remember_locked(struct channel *channel, const struct delivery *delivery,
                                    const struct history_bounds *bounds) {
    struct history_store *store = &channel->channels->store;
    if (bounds->count > 0)
        history_append(store, &channel->history, encodings_plain(&delivery->encodings[FORM_WRAPPED]), bounds);
    else if (channel->remembers)
        history_clear(store, &channel->history);
    channel->remembers = bounds->count > 0;
}

/* --- Publishing -------------------------------------------------------------------------------------------- */

/* A publish under way. */
struct publishing {
    struct encoding_input input;
    struct delivery *delivery;
    struct published *published;
    bool compresses; /* compression_start() must follow */
    bool full;       /* fanout_help() must follow */
    struct task_list ready;
};

static bool publish_is_allowed(const struct channel_options *options, const struct publication *publication) {
    return options->may_publish || publication->published_by != PUBLISHED_BY_CLIENT;
}

static bool publish_wants(const struct channel *channel, enum channel_form form, bool remembered) {
    return (form == FORM_WRAPPED && remembered) || channel_wants(channel, form);
}

/* Encodes the forms that are wanted now. Returns -1 if memory is out. */
static int publish_encode_wanted(struct publishing *publishing, bool remembered, uint64_t offset) {
    struct delivery *delivery = publishing->delivery;
    for (int form = 0; form < CHANNEL_FORMS; form++)
        if (publish_wants(publishing->input.channel, (enum channel_form)form, remembered) &&
            delivery_encode(delivery, &publishing->input, (enum channel_form)form, offset) != 0)
            return -1;
    publishing->compresses = compression_is_needed(delivery);
    return 0;
}

/* Does everything that can fail, or takes long, with an offset that is likely. */
static enum weir_status publish_prepare(struct publishing *publishing) {
    struct channel *channel = publishing->input.channel;
    const struct publication *publication = publishing->input.publication;
    mutex_lock(&channel->mutex);
    bool allowed = publish_is_allowed(&channel->options, publication);
    bool remembered = channel->options.history > 0;
    uint64_t offset = channel->offset + 1;
    publishing->input.names_publisher = channel->options.publisher;
    mutex_unlock(&channel->mutex);
    if (!allowed)
        return WEIR_DENIED;
    if (publishing->delivery == NULL)
        publishing->delivery =
            delivery_create(channel, publication->skip_publisher ? publication->publisher : NULL);
    return publishing->delivery != NULL && publish_encode_wanted(publishing, remembered, offset) == 0
               ? WEIR_OK
               : WEIR_NO_MEMORY;
}

/* Since the message was encoded, a client may have joined that wants another form, and others may have
 * published. */
static bool publish_is_prepared_locked(const struct publishing *publishing, const struct history_bounds *bounds) {
    struct channel *channel = publishing->input.channel;
    if (!delivery_set_offset(publishing->delivery, channel->offset + 1))
        return false;
    for (int form = 0; form < CHANNEL_FORMS; form++)
        if (publish_wants(channel, (enum channel_form)form, bounds->count > 0) &&
            !delivery_has(publishing->delivery, (enum channel_form)form))
            return false;
    return true;
}

enum commit { COMMIT_DONE, COMMIT_GONE /* the channel */, COMMIT_AGAIN /* it must be encoded again */ };

static enum commit publish_commit_locked(struct publishing *publishing) {
    struct channel *channel = publishing->input.channel;
    struct delivery *delivery = publishing->delivery;
    const struct history_bounds bounds = channel_bounds_locked(channel);
    if (channel->gone)
        return COMMIT_GONE;
    if (!publish_is_prepared_locked(publishing, &bounds))
        return COMMIT_AGAIN;
    bool skips = delivery->skipped != NULL && members_find(&channel->members, delivery->skipped) != NULL;
    channel->offset++;
    publish_count_rate_locked(&channel->rate, bounds.now);
    publish_remember_locked(channel, delivery, &bounds);
    *publishing->published = (struct published){.offset = channel->offset,
                                                .subscribers = channel->members.count,
                                                .receivers = channel->members.count - skips};
    row_append_locked(channel, delivery);
    fanout_start_soon_locked(channel, &publishing->ready);
    publishing->full = row_pause_publisher_locked(channel);
    return COMMIT_DONE;
}

static enum commit publish_commit(struct publishing *publishing) {
    struct channel *channel = publishing->input.channel;
    mutex_lock(&channel->mutex);
    enum commit result = publish_commit_locked(publishing);
    mutex_unlock(&channel->mutex);
    pool_submit_list(channel->channels->core->pool, &publishing->ready);
    return result;
}

/* Returns false if the channel has left the table meanwhile. */
static bool publish_try(struct channel *channel, const struct publication *publication, struct published *published,
                        enum weir_status *result) {
    struct publishing publishing = {.input = {.channel = channel, .publication = publication},
                                    .published = published};
    enum commit outcome = COMMIT_AGAIN;
    while (outcome == COMMIT_AGAIN && (*result = publish_prepare(&publishing)) == WEIR_OK)
        outcome = publish_commit(&publishing);
    if (outcome == COMMIT_DONE)
        memcpy(published->epoch, channel->epoch, sizeof published->epoch);
    if (outcome == COMMIT_DONE && publishing.compresses)
        compression_start(publishing.delivery);
    if (publishing.full)
        fanout_help(channel);
    delivery_release(publishing.delivery);
    return outcome != COMMIT_GONE;
}

/* The channel that a message is for. Returns NULL if it need not be made, or cannot be made (then *result says
 * why). */
static struct channel *publish_find_for(struct channels *channels, const struct publication *publication,
                                        enum weir_status *result) {
    struct find_or_create call = {.name = publication->channel, .client = publication->publisher};
    struct channel *channel = channels_use(channels, publication->channel);
    *result = WEIR_OK;
    if (channel != NULL)
        return channel;
    const struct channel_options options = channels_options(channels, publication->channel);
    if (!publish_is_allowed(&options, publication))
        *result = WEIR_DENIED;
    if (*result != WEIR_OK || options.history == 0)
        return NULL;
    channel = channels_find_or_create(channels, &call);
    if (channel == NULL)
        *result = call.full ? WEIR_LIMIT : WEIR_NO_MEMORY;
    return channel;
}

static void publish_count(struct channels *channels, const struct publication *publication,
                          const struct published *published) {
    thread_counter_add(&channels->counters.published[publication->published_by], 1);
    atomic_histogram_add(&channels->core->counters.fan_out, atomic_histogram_numbers,
                         (uint64_t)published->receivers);
}

enum weir_status channels_publish(struct channels *channels, const struct publication *publication,
                                  struct published *published) {
    enum weir_status result = WEIR_OK;
    bool done = false;
    *published = (struct published){.offset = 0};
    while (!done) {
        struct channel *channel = publish_find_for(channels, publication, &result);
        if (channel == NULL)
            break;
        done = publish_try(channel, publication, published, &result);
        channel_release(channel);
    }
    if (result == WEIR_OK)
        publish_count(channels, publication, published);
    return result;
}
