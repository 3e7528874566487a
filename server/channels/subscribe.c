/* subscribe.c - a connection joins a channel and leaves it. subscription.h says where a subscription is kept.
 *
 * SPDX-License-Identifier: MIT
 */
#include <time.h>

#include "server/channels/expiry.h"
#include "server/channels/fanout.h"
#include "server/channels/find.h"
#include "server/channels/replay.h"
#include "server/channels/row.h"
#include "server/channels/subscription.h"
#include "server/core/core.h"

/* --- Joining ----------------------------------------------------------------------------------------------- */

/* Seconds since 1970. */
static double subscribe_time(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static enum join_result subscribe_locked(struct channel *channel, struct subscription *subscription,
                                         const struct join *join, uint32_t limit, struct task_list *ready) {
    struct weir_conn *conn = subscription->conn;
    uint32_t most = channel->options.max_subscribers;
    if (members_find(&channel->members, conn) != NULL)
        return JOIN_ALREADY;
    if (most != 0 && channel->members.count >= most)
        return JOIN_SUBSCRIBERS_LIMIT;
    if (members_reserve(&channel->members) != 0)
        return JOIN_NO_MEMORY;
    enum join_result result = subscription_link(subscription, limit);
    if (result != JOIN_DONE)
        return result;
    subscription_add_locked(subscription, ready);
    replay_welcome_locked(channel, conn, join, ready);
    return JOIN_DONE;
}

/* Returns false if the channel has left the table meanwhile. */
static bool subscribe_try(struct channel *channel, struct subscription *subscription, const struct join *join,
                          uint32_t limit, enum join_result *result) {
    struct task_list ready = {0};
    struct channels *channels = channel->channels; /* the client may leave at once, and free the channel */
    mutex_lock(&channel->mutex);
    bool gone = channel->gone;
    if (!gone)
        *result = subscribe_locked(channel, subscription, join, limit, &ready);
    bool unused = channel->members.count == 0;
    struct channel *full = row_pause_publisher_locked(channel) ? channel_retain(channel) : NULL;
    mutex_unlock(&channel->mutex);
    pool_submit_list(channels->core->pool, &ready);
    if (full != NULL)
        fanout_help(full);
    channel_release(full);
    if (unused && !gone)
        channel_reap(channel); /* no client has joined it */
    return !gone;
}

enum join_result channels_join(struct channels *channels, struct weir_conn *conn, const char *name,
                               const struct join *join) {
    struct subscription *subscription = subscription_create();
    if (subscription == NULL)
        return JOIN_NO_MEMORY;
    enum join_result result = JOIN_NO_MEMORY;
    for (;;) {
        struct find_or_create call = {.name = name, .client = conn, .joins = true};
        struct channel *channel = channels_find_or_create(channels, &call);
        *subscription = (struct subscription){
            .channel = channel, .conn = conn, .form = join->form, .joined_at = subscribe_time()};
        if (channel == NULL) {
            result = call.full ? JOIN_CHANNELS_LIMIT : JOIN_NO_MEMORY;
            break;
        }
        bool tried = subscribe_try(channel, subscription, join, call.per_connection, &result);
        if (tried && result == JOIN_DONE) {
            memory_limit_check(channels->core);
            return JOIN_DONE; /* the subscription keeps the reference */
        }
        channel_release(channel);
        if (tried)
            break;
    }
    subscription_free(subscription);
    return result;
}

/* --- Leaving ----------------------------------------------------------------------------------------------- */

/* Releases the subscription's reference and its memory. An unused channel is reaped. */
static void subscribe_discard(struct subscription *subscription, bool unused) {
    struct channel *channel = subscription->channel;
    if (unused)
        channel_reap(channel);
    channel_release(channel);
    subscription_free(subscription);
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
    bool leaves = subscription != NULL && subscription_unlink(subscription);
    if (leaves)
        subscription_remove_locked(subscription, &ready);
    bool unused = channel->members.count == 0;
    bool full = row_pause_publisher_locked(channel);
    mutex_unlock(&channel->mutex);
    pool_submit_list(channels->core->pool, &ready);
    if (full)
        fanout_help(channel);
    if (leaves)
        subscribe_discard(subscription, unused);
    channel_release(channel);
    return leaves;
}

static void subscribe_deliver(struct weir_conn *conn, struct channel *channel, struct task_list *ready) {
    mutex_lock(&channel->mutex);
    struct member *member = members_get(&channel->members, conn);
    if (member != NULL)
        fanout_deliver_to_locked(channel, member, ready);
    mutex_unlock(&channel->mutex);
}

void channels_hand_out(struct weir_conn *conn) {
    struct channel *list[SUBSCRIPTION_CHUNK];
    struct task_list ready = {0};
    uint32_t first = 0, count;
    do {
        count = subscription_list_channels(conn, first, list);
        for (uint32_t i = 0; i < count; i++) {
            subscribe_deliver(conn, list[i], &ready);
            channel_release(list[i]);
        }
        first += count;
    } while (count == SUBSCRIPTION_CHUNK);
    pool_submit_list(conn_core(conn)->pool, &ready);
}

void channels_leave_all(struct weir_conn *conn) {
    struct task_list ready = {0};
    struct subscription *next;
    for (struct subscription *subscription = subscription_take_all(conn); subscription != NULL;
         subscription = next) {
        struct channel *channel = subscription->channel;
        next = subscription->next;
        mutex_lock(&channel->mutex);
        subscription_remove_locked(subscription, &ready);
        bool unused = channel->members.count == 0;
        mutex_unlock(&channel->mutex);
        subscribe_discard(subscription, unused);
    }
    pool_submit_list(conn_core(conn)->pool, &ready);
}
