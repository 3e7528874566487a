/* subscription.c - see subscription.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/channels/subscription.h"

#include <stdlib.h>

#include "server/channels/delivery.h"
#include "server/channels/fanout.h"
#include "server/channels/row.h"
#include "server/channels/wire.h"
#include "server/core/memory.h"

struct subscription *subscription_create(void) {
    struct subscription *subscription = malloc(sizeof *subscription);
    if (subscription != NULL)
        memory_count_block(subscription);
    return subscription;
}

void subscription_free(struct subscription *subscription) {
    memory_uncount_block(subscription);
    free(subscription);
}

/* --- The connection's list --------------------------------------------------------------------------------- */

enum join_result subscription_link(struct subscription *subscription, uint32_t limit) {
    struct weir_conn *conn = subscription->conn;
    enum join_result result = JOIN_DONE;
    small_mutex_lock(&conn->mutex);
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
    small_mutex_unlock(&conn->mutex);
    return result;
}

bool subscription_unlink(struct subscription *subscription) {
    struct weir_conn *conn = subscription->conn;
    small_mutex_lock(&conn->mutex);
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
    small_mutex_unlock(&conn->mutex);
    return ours;
}

struct subscription *subscription_take_all(struct weir_conn *conn) {
    small_mutex_lock(&conn->mutex);
    struct subscription *subscriptions = conn->subscriptions;
    conn->left = true;
    conn->subscriptions = NULL;
    conn->subscription_count = 0;
    small_mutex_unlock(&conn->mutex);
    return subscriptions;
}

uint32_t subscription_list_channels(struct weir_conn *conn, uint32_t first,
                                    struct channel *list[SUBSCRIPTION_CHUNK]) {
    uint32_t count = 0;
    small_mutex_lock(&conn->mutex);
    const struct subscription *subscription = conn->subscriptions;
    for (; subscription != NULL && first > 0; first--)
        subscription = subscription->next;
    for (; subscription != NULL && count < SUBSCRIPTION_CHUNK; subscription = subscription->next)
        list[count++] = channel_retain(subscription->channel);
    small_mutex_unlock(&conn->mutex);
    return count;
}

/* --- The channel's set ------------------------------------------------------------------------------------- */

/* Tells the subscribers of weir.v1 that a client joins or has left; `type` is "join" or "leave". An announcement is
 * in the row, among the messages. If memory is out, it is left out. */
static void subscription_announce_locked(struct channel *channel, const char *type, const struct subscription *who,
                                         struct task_list *ready) {
    if (channel->gone || !channel_wants(channel, FORM_WRAPPED))
        return; /* members sent away need not learn of each other, which would take the square of their number */
    struct message *message = wire_announcement(channel, type, who);
    struct delivery *delivery = message == NULL ? NULL : delivery_create(channel, NULL);
    if (delivery != NULL) {
        delivery_set_announcement(delivery, message);
        row_append_locked(channel, delivery);
        fanout_start_soon_locked(channel, ready);
        delivery_release(delivery);
    } else {
        message_release(message);
    }
}

void subscription_add_locked(struct subscription *subscription, struct task_list *ready) {
    struct channel *channel = subscription->channel;
    if (channel->options.announce)
        subscription_announce_locked(channel, "join", subscription, ready);
    struct member *member = members_add(&channel->members, subscription->conn, subscription);
    member->form = (uint8_t)subscription->form;
    member->delivered = channel->row.last_number;
    channel->used_at = pool_now();
    receivers_add(&channel->receivers[subscription->form], subscription->conn);
    atomic_fetch_add_explicit(&channel->channels->subscriptions, 1, memory_order_relaxed);
}

void subscription_remove_locked(struct subscription *subscription, struct task_list *ready) {
    struct channel *channel = subscription->channel;
    fanout_before_leave_locked(channel, members_get(&channel->members, subscription->conn), ready);
    members_remove(&channel->members, subscription->conn);
    channel->used_at = pool_now();
    receivers_remove(&channel->receivers[subscription->form], subscription->conn);
    atomic_fetch_sub_explicit(&channel->channels->subscriptions, 1, memory_order_relaxed);
    if (channel->options.announce)
        subscription_announce_locked(channel, "leave", subscription, ready);
}
