/* expiry.c - the task that forgets what is too old, every five seconds. It works in turns, so that its thread can
 * do other work in between, however many channels there are.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/channels/channel.h"

enum { EXPIRY_INTERVAL_MS = 5000, CHUNKS_IN_A_TURN = 5 /* 1,000 channels: less than a millisecond */ };

/* Returns whether it has come to the end. */
static bool expiry_run_turn(struct channels *channels) {
    struct channel *some[CHANNELS_AT_ONCE];
    uint32_t count = CHANNELS_AT_ONCE;
    for (int chunk = 0; chunk < CHUNKS_IN_A_TURN && count == CHANNELS_AT_ONCE; chunk++) {
        count = channels_some(channels, &channels->expiry_position, some, CHANNELS_AT_ONCE);
        for (uint32_t i = 0; i < count; i++) {
            channel_forget_old(some[i]);
            channel_release(some[i]);
        }
    }
    return count < CHANNELS_AT_ONCE;
}

static void run(struct task *task) {
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
static void keep(struct task *task) {
    (void)task;
}

const struct task_kind expiry_task_kind = {.queue = TASK_IO, .run = run, .retain = keep, .release = keep};

int channels_start(struct channels *channels) {
    return pool_set_timer(channels->core->pool, &channels->expiry_timer, pool_now() + EXPIRY_INTERVAL_MS);
}
