/* idle.c - see idle.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/channels/idle.h"

#include <utlist.h>

#include "server/channels/channel_table.h"
#include "server/channels/creator.h"
#include "server/core/memory.h"

enum {
    MADE_ROOM_MAX =
        (EVICTED_MAX - 1) / 2 /* channels evicted for a new one: more than one, in case the limit has shrunk */
};

/* --- The lists --------------------------------------------------------------------------------------------- */

static void idle_append_locked(struct channel *channel) {
    struct channels *channels = channel->channels;
    struct creator *creator = channel->creator;
    channel->is_idle = true;
    channels->idle_count++;
    channels->idle_memory += memory_of_block(channel);
    DL_APPEND2(channels->idle, channel, idle_previous, idle_next);
    if (creator == NULL)
        return;
    creator->idle_count++;
    DL_APPEND2(creator->idle, channel, own_previous, own_next);
}

void idle_remove_locked(struct channel *channel) {
    struct channels *channels = channel->channels;
    struct creator *creator = channel->creator;
    if (!channel->is_idle)
        return;
    channel->is_idle = false;
    channels->idle_count--;
    channels->idle_memory -= memory_of_block(channel);
    DL_DELETE2(channels->idle, channel, idle_previous, idle_next);
    if (creator == NULL)
        return;
    creator->idle_count--;
    DL_DELETE2(creator->idle, channel, own_previous, own_next);
}

void idle_take_out_locked(struct channel *channel) {
    idle_remove_locked(channel);
    channel_table_remove_locked(channel);
}

void idle_use_locked(struct channel *channel) {
    if (!channel->is_idle)
        return;
    idle_remove_locked(channel);
    idle_append_locked(channel);
}

/* --- Eviction ---------------------------------------------------------------------------------------------- */

/* Returns whether the channel has left the table. One that has subscribers only leaves the list. */
static bool idle_evict_locked(struct channel *channel) {
    mutex_lock(&channel->mutex);
    bool leaves = channel->members.count == 0;
    if (leaves)
        idle_take_out_locked(channel);
    mutex_unlock(&channel->mutex);
    if (!leaves)
        idle_remove_locked(channel);
    return leaves;
}

/* Evicts the first channel in this list that has no subscriber. Returns whether there was one. */
static bool idle_evict_first_locked(struct channel *const *list, struct evicted *evicted) {
    for (struct channel *channel = *list; channel != NULL; channel = *list)
        if (idle_evict_locked(channel)) {
            evicted->channels[evicted->count++] = channel;
            return true;
        }
    return false;
}

void idle_add_locked(struct channel *channel, struct evicted *evicted) {
    struct channels *channels = channel->channels;
    const struct creator *creator = channel->creator;
    mutex_check_held(&channels->mutex);
    if (channel->is_idle)
        return;
    idle_append_locked(channel);
    if (creator != NULL && creator->idle_count > channels->limits.per_connection &&
        idle_evict_first_locked(&creator->idle, evicted))
        channels->counters.evicted_own++;
    for (int i = 0; i < MADE_ROOM_MAX && channels->idle_memory > channels->limits.idle_memory; i++)
        channels->counters.evicted_full += idle_evict_first_locked(&channels->idle, evicted);
}

static bool idle_table_is_full_locked(const struct channels *channels) {
    return channels->count >= channels->limits.channels;
}

bool idle_make_room_locked(struct channels *channels, const struct creator *creator, struct evicted *evicted) {
    unsigned before = evicted->count;
    mutex_check_held(&channels->mutex);
    while (idle_table_is_full_locked(channels) && evicted->count - before < MADE_ROOM_MAX &&
           ((creator != NULL && idle_evict_first_locked(&creator->idle, evicted)) ||
            idle_evict_first_locked(&channels->idle, evicted)))
        channels->counters.evicted_full++;
    return !idle_table_is_full_locked(channels) || evicted->count > before;
}

void evicted_release(struct evicted *evicted) {
    while (evicted->count > 0)
        channel_release(evicted->channels[--evicted->count]);
}
