/* expiry.c - see expiry.h. The task works in turns, so that its thread can do other work in between, however many
 * channels there are.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/channels/expiry.h"

#include "server/channels/channel_table.h"
#include "server/channels/idle.h"

enum { EXPIRY_INTERVAL_MS = 5000, CHUNKS_IN_A_TURN = 5 /* 1,000 channels: less than a millisecond */ };

/* --- Reaping ----------------------------------------------------------------------------------------------- */

/* Returns whether the channel has left the table. One that stays without subscribers is listed as idle. The
 * table's mutex is held. */
static bool expiry_reap_locked(struct channel *channel, struct evicted *evicted) {
    mutex_lock(&channel->mutex);
    bool unused = !channel->gone && channel->members.count == 0;
    bool leaves = unused && !channel_has_past_locked(channel);
    if (leaves)
        idle_take_out_locked(channel);
    mutex_unlock(&channel->mutex);
    if (unused && !leaves)
        idle_add_locked(channel, evicted);
    return leaves;
}

void channel_reap(struct channel *channel) {
    struct channels *channels = channel->channels;
    struct evicted evicted = {.count = 0};
    mutex_lock(&channels->mutex);
    bool left = expiry_reap_locked(channel, &evicted);
    mutex_unlock(&channels->mutex);
    evicted_release(&evicted);
    if (left)
        channel_release(channel); /* the table's reference */
}

/* Forgets messages that are too old, and the channel if it has no subscriber and nothing of it is left. Waits for
 * the channel without holding the table's mutex, since a channel with many subscribers may be busy for a while. */
static void expiry_visit(struct channel *channel) {
    mutex_lock(&channel->mutex);
    bool is_over = !channel_has_past_locked(channel) && channel->members.count == 0;
    mutex_unlock(&channel->mutex);
    if (is_over)
        channel_reap(channel);
}

/* --- The task ---------------------------------------------------------------------------------------------- */

/* Returns whether it has come to the end. */
static bool expiry_run_turn(struct channels *channels) {
    struct channel *list[CHANNEL_TABLE_CHUNK];
    uint32_t count = CHANNEL_TABLE_CHUNK;
    for (int chunk = 0; chunk < CHUNKS_IN_A_TURN && count == CHANNEL_TABLE_CHUNK; chunk++) {
        count = channel_table_list(channels, &channels->expiry_position, list, CHANNEL_TABLE_CHUNK);
        for (uint32_t i = 0; i < count; i++) {
            expiry_visit(list[i]);
            channel_release(list[i]);
        }
    }
    return count < CHANNEL_TABLE_CHUNK;
}

static void expiry_run(struct task *task) {
    struct channels *channels = (struct channels *)((char *)task - offsetof(struct channels, expiry));
    if (expiry_run_turn(channels)) {
        channels->expiry_position = 0;
        channels_start(channels); /* if memory is out, old messages stay until their channel is next looked at */
    } else {
        task_again(task);
    }
    pool_finish(channels->core->pool, task);
}

/* The task lives as long as the pool, so there is no reference to count. */
static void expiry_keep(struct task *task) {
    (void)task;
}

static const struct task_kind expiry_task_kind = {
    .queue = TASK_IO, .run = expiry_run, .retain = expiry_keep, .release = expiry_keep};

void expiry_init(struct channels *channels) {
    task_init(&channels->expiry, &expiry_task_kind);
    timer_init(&channels->expiry_timer, &channels->expiry);
}

int channels_start(struct channels *channels) {
    return pool_set_timer(channels->core->pool, &channels->expiry_timer, pool_now() + EXPIRY_INTERVAL_MS);
}
