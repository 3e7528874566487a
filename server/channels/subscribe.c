/* subscribe.c - joining and leaving. A subscription is in its channel's set and in its connection's list. Both
 * change under the channel's mutex and the connection's latch. A connection that ends takes its whole list under
 * the latch alone, then leaves each channel. It never joins one again, so no subscription outlives it.
 *
 * Past messages are appended to the client's outbox in the step that makes it a member, under the channel's mutex.
 * So nothing is lost between the past and the present, and nothing comes twice.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <weir/channel.h>

#include "server/channels/fanout.h"
#include "server/channels/row.h"
#include "server/core/memory.h"

static double seconds_since_1970(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* --- The connection's list --------------------------------------------------------------------------------- */

static enum join_result link_to_conn(struct weir_conn *conn, struct subscription *subscription, uint32_t limit) {
    enum join_result result = JOIN_DONE;
    latch_lock(&conn->latch);
    if (conn->left) {
        result = JOIN_GONE;
    } else if (conn->subscription_count >= limit) {
        result = JOIN_CONNECTION_LIMIT;
    } else {
        subscription->next = conn->subscriptions;
        if (subscription->next != NULL)
            subscription->next->previous = subscription;
        conn->subscriptions = subscription;
        conn->subscription_count++;
    }
    latch_unlock(&conn->latch);
    return result;
}

/* Returns false if the connection is leaving everything just now. Then that removes the subscription. */
static bool unlink_from_conn(struct subscription *subscription) {
    struct weir_conn *conn = subscription->conn;
    latch_lock(&conn->latch);
    bool ours = !conn->left;
    if (ours) {
        if (subscription->previous == NULL)
            conn->subscriptions = subscription->next;
        else
            subscription->previous->next = subscription->next;
        if (subscription->next != NULL)
            subscription->next->previous = subscription->previous;
        conn->subscription_count--;
    }
    latch_unlock(&conn->latch);
    return ours;
}

/* --- The channel's set ------------------------------------------------------------------------------------- */

static void add_locked(struct channel *channel, struct subscription *subscription) {
    struct member *member = members_add(&channel->members, subscription->conn, subscription);
    member->form = (uint8_t)subscription->form;
    member->has = channel->row.last_place;
    channel->used_at = pool_now();
    audience_add(&channel->audience[subscription->form], subscription->conn);
    atomic_fetch_add_explicit(&channel->channels->subscriptions, 1, memory_order_relaxed);
}

static void remove_locked(struct subscription *subscription, struct task_list *ready) {
    struct channel *channel = subscription->channel;
    fanout_before_leave_locked(channel, members_get(&channel->members, subscription->conn), ready);
    members_remove(&channel->members, subscription->conn);
    channel->used_at = pool_now();
    audience_remove(&channel->audience[subscription->form], subscription->conn);
    atomic_fetch_sub_explicit(&channel->channels->subscriptions, 1, memory_order_relaxed);
    if (channel->options.announce)
        channel_announce_locked(channel, "leave", subscription, ready);
}

/* --- The past ---------------------------------------------------------------------------------------------- */

static size_t soft_room(struct weir_conn *conn) {
    latch_lock(&conn->latch);
    size_t bytes = conn->outbox.bytes;
    latch_unlock(&conn->latch);
    size_t soft = conn_terms(conn)->send_buffer_soft;
    return bytes < soft ? soft - bytes : 0;
}

/* Reads what the client has missed. Returns whether all of it is there, and fits into what the client may have
 * waiting. */
static bool read_missed_locked(struct channel *channel, const struct join *join, size_t room,
                               struct history_slice *slice) {
    struct history_store *store = &channel->channels->store;
    if (join->epoch != NULL && strcmp(join->epoch, channel->epoch) != 0)
        return false;
    if (history_read(store, &channel->history, join->since, channel->offset, UINT32_MAX, room, slice) == 0 &&
        slice->complete && !slice->more && slice->bytes + (size_t)slice->count * OUTBOX_MESSAGE_OVERHEAD <= room)
        return true;
    history_slice_release(slice);
    return false;
}

/* Reads what was missed, or else the last messages that were asked for. Returns whether it is what was missed. */
static bool read_past_locked(struct channel *channel, struct weir_conn *conn, const struct join *join,
                             struct history_slice *slice) {
    struct history_store *store = &channel->channels->store;
    const struct history_bounds bounds = channel_bounds_locked(channel);
    size_t room = soft_room(conn);
    history_trim(store, &channel->history, &bounds);
    bool recovered = join->recover && read_missed_locked(channel, join, room, slice);
    if (!recovered && join->last > 0) /* if memory is out, none are sent */
        history_read_last(store, &channel->history, join->last, room, OUTBOX_MESSAGE_OVERHEAD, slice);
    return recovered;
}

enum { SENT_AT_ONCE = 64 /* at most: see conn_append_all() */ };

/* Sends up to SENT_AT_ONCE messages. */
static void send_some(struct weir_conn *conn, struct message *const *messages, uint32_t count,
                      struct task_list *ready) {
    uint64_t sent = 0, bytes = 0;
    for (uint32_t i = 0; i < count; i++)
        message_retain(messages[i]);
    uint64_t accepted = conn_append_all(conn, messages, count, ready);
    for (uint32_t i = 0; i < count; i++, accepted >>= 1) {
        if ((accepted & 1) == 0) {
            message_release(messages[i]);
            continue;
        }
        sent++;
        bytes += message_payload_size(messages[i]);
    }
    traffic_sent(&conn->route->traffic, sent, bytes);
}

static void send_all(struct weir_conn *conn, struct message *const *messages, uint32_t count,
                     struct task_list *ready) {
    for (uint32_t i = 0; i < count; i += SENT_AT_ONCE)
        send_some(conn, messages + i, count - i < SENT_AT_ONCE ? count - i : SENT_AT_ONCE, ready);
}

/* Sends the new member the answer to its request, and the past messages that it asked for. */
static void welcome_locked(struct channel *channel, struct weir_conn *conn, const struct join *join,
                           struct task_list *ready) {
    struct history_slice slice = {.messages = NULL};
    struct channel_counters *counters = &channel->channels->counters;
    struct joined joined = {
        .name = channel->name, .epoch = channel->epoch, .offset = channel->offset, .channel = channel};
    if (join->recover || join->last > 0)
        joined.recovered = read_past_locked(channel, conn, join, &slice);
    if (join->recover)
        atomic_fetch_add(joined.recovered ? &counters->recovered : &counters->not_recovered, 1);
    struct message *answer = join->answer == NULL ? NULL : join->answer(&joined, join->context);
    if (answer != NULL)
        send_all(conn, &answer, 1, ready);
    message_release(answer);
    send_all(conn, slice.messages, slice.count, ready);
    history_slice_release(&slice);
}

/* --- Joining ----------------------------------------------------------------------------------------------- */

static enum join_result join_locked(struct channel *channel, struct subscription *subscription,
                                    const struct join *join, uint32_t limit, struct task_list *ready) {
    struct weir_conn *conn = subscription->conn;
    uint32_t most = channel->options.max_subscribers;
    if (members_find(&channel->members, conn) != NULL)
        return JOIN_ALREADY;
    if (most != 0 && channel->members.count >= most)
        return JOIN_SUBSCRIBERS_LIMIT;
    if (members_reserve(&channel->members) != 0)
        return JOIN_NO_MEMORY;
    enum join_result result = link_to_conn(conn, subscription, limit);
    if (result != JOIN_DONE)
        return result;
    if (channel->options.announce)
        channel_announce_locked(channel, "join", subscription, ready);
    add_locked(channel, subscription);
    welcome_locked(channel, conn, join, ready);
    return JOIN_DONE;
}

/* Returns false if the channel has left the table meanwhile. */
static bool try_to_join(struct channel *channel, struct subscription *subscription, const struct join *join,
                        uint32_t limit, enum join_result *result) {
    struct task_list ready = {0};
    struct channels *channels = channel->channels; /* the client may leave at once, and free the channel */
    mutex_lock(&channel->mutex);
    bool gone = channel->gone;
    if (!gone)
        *result = join_locked(channel, subscription, join, limit, &ready);
    bool unused = channel->members.count == 0;
    struct channel *full = row_slow_down_locked(channel) ? channel_retain(channel) : NULL;
    mutex_unlock(&channel->mutex);
    pool_submit_list(channels->core->pool, &ready);
    if (full != NULL)
        row_help(full);
    channel_release(full);
    if (unused && !gone)
        channel_reap(channel); /* no client has joined it */
    return !gone;
}

enum join_result channels_join(struct channels *channels, struct weir_conn *conn, const char *name,
                               const struct join *join) {
    struct subscription *subscription = malloc(sizeof *subscription);
    if (subscription == NULL)
        return JOIN_NO_MEMORY;
    enum join_result result = JOIN_NO_MEMORY;
    memory_count_block(subscription);
    for (;;) {
        struct opening opening = {.name = name, .client = conn, .joins = true};
        struct channel *channel = channels_open(channels, &opening);
        *subscription = (struct subscription){
            .channel = channel, .conn = conn, .form = join->form, .joined_at = seconds_since_1970()};
        if (channel == NULL) {
            result = opening.full ? JOIN_CHANNELS_LIMIT : JOIN_NO_MEMORY;
            break;
        }
        bool tried = try_to_join(channel, subscription, join, opening.per_connection, &result);
        if (tried && result == JOIN_DONE) {
            shed_check(channels->core);
            return JOIN_DONE; /* the subscription keeps the reference */
        }
        channel_release(channel);
        if (tried)
            break;
    }
    memory_uncount_block(subscription);
    free(subscription);
    return result;
}

/* --- Leaving ----------------------------------------------------------------------------------------------- */

/* Releases the subscription's reference and its memory. An unused channel is reaped. */
static void discard(struct subscription *subscription, bool unused) {
    struct channel *channel = subscription->channel;
    if (unused)
        channel_reap(channel);
    channel_release(channel);
    memory_uncount_block(subscription);
    free(subscription);
}

bool channels_leave(struct channels *channels, struct weir_conn *conn, const char *name) {
    struct channel *channel = channels_find(channels, name);
    if (channel == NULL)
        return false;
    struct task_list ready = {0};
    mutex_lock(&channel->mutex);
    struct member *member = members_get(&channel->members, conn);
    struct subscription *subscription = member == NULL ? NULL : member->subscription;
    if (member != NULL)
        fanout_deliver_to_locked(channel, member, &ready); /* it also gets what was published before it leaves */
    bool leaves = subscription != NULL && unlink_from_conn(subscription);
    if (leaves)
        remove_locked(subscription, &ready);
    bool unused = channel->members.count == 0;
    bool full = row_slow_down_locked(channel);
    mutex_unlock(&channel->mutex);
    pool_submit_list(channels->core->pool, &ready);
    if (full)
        row_help(channel);
    if (leaves)
        discard(subscription, unused);
    channel_release(channel);
    return leaves;
}

enum { SOME_CHANNELS = 64 };

/* Gets channels of the connection's list from this place on, with a reference each. Returns how many; fewer than
 * SOME_CHANNELS only at the end. */
static uint32_t some_channels(struct weir_conn *conn, uint32_t place, struct channel *some[SOME_CHANNELS]) {
    uint32_t count = 0;
    latch_lock(&conn->latch);
    const struct subscription *subscription = conn->subscriptions;
    for (; subscription != NULL && place > 0; place--)
        subscription = subscription->next;
    for (; subscription != NULL && count < SOME_CHANNELS; subscription = subscription->next)
        some[count++] = channel_retain(subscription->channel);
    latch_unlock(&conn->latch);
    return count;
}

static void hand_out_to(struct weir_conn *conn, struct channel *channel, struct task_list *ready) {
    mutex_lock(&channel->mutex);
    struct member *member = members_get(&channel->members, conn);
    if (member != NULL)
        fanout_deliver_to_locked(channel, member, ready);
    mutex_unlock(&channel->mutex);
}

void channels_hand_out(struct weir_conn *conn) {
    struct channel *some[SOME_CHANNELS];
    struct task_list ready = {0};
    uint32_t place = 0, count;
    do {
        count = some_channels(conn, place, some);
        for (uint32_t i = 0; i < count; i++) {
            hand_out_to(conn, some[i], &ready);
            channel_release(some[i]);
        }
        place += count;
    } while (count == SOME_CHANNELS);
    pool_submit_list(conn_core(conn)->pool, &ready);
}

static struct subscription *take_all(struct weir_conn *conn) {
    latch_lock(&conn->latch);
    struct subscription *subscriptions = conn->subscriptions;
    conn->left = true;
    conn->subscriptions = NULL;
    conn->subscription_count = 0;
    latch_unlock(&conn->latch);
    return subscriptions;
}

void channels_leave_all(struct weir_conn *conn) {
    struct task_list ready = {0};
    struct subscription *next;
    for (struct subscription *subscription = take_all(conn); subscription != NULL; subscription = next) {
        struct channel *channel = subscription->channel;
        next = subscription->next;
        mutex_lock(&channel->mutex);
        remove_locked(subscription, &ready);
        bool unused = channel->members.count == 0;
        mutex_unlock(&channel->mutex);
        discard(subscription, unused);
    }
    pool_submit_list(conn_core(conn)->pool, &ready);
}

bool channels_is_member(struct channels *channels, const struct weir_conn *conn, const char *name) {
    struct channel *channel = channels_find(channels, name);
    if (channel == NULL)
        return false;
    mutex_lock(&channel->mutex);
    bool is_member = members_find(&channel->members, conn) != NULL;
    mutex_unlock(&channel->mutex);
    channel_release(channel);
    return is_member;
}

/* --- For handlers ------------------------------------------------------------------------------------------ */

/* Where a channel stood when a subscription began. */
struct position {
    uint64_t offset;
    char epoch[20];
};

/* An answer that sends nothing. */
static struct message *note_position(const struct joined *joined, void *context) {
    struct position *position = context;
    position->offset = joined->offset;
    snprintf(position->epoch, sizeof position->epoch, "%s", joined->epoch);
    return NULL;
}

static void report_subscribed(weir_conn *conn, const struct position *position, weir_subscribe_callback *done,
                              void *context) {
    done(conn,
         &(struct weir_subscribe_result){.status = WEIR_OK, .offset = position->offset, .epoch = position->epoch},
         context);
}

/* The connection has been subscribed before. */
static void query_position(struct weir_conn *conn, const char *channel, struct position *position) {
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
        .form = FORM_RAW, .answer = done == NULL ? NULL : note_position, .context = &position};
    enum join_result result = channels_join(conn_core(conn)->channels, conn, channel, &join);
    if (results[result] != WEIR_OK || done == NULL)
        return results[result];
    if (result == JOIN_ALREADY)
        query_position(conn, channel, &position);
    report_subscribed(conn, &position, done, context);
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
