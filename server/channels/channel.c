/* channel.c - see channel.h: one channel, from its creation to its last reference.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/channels/channel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "server/channels/creator.h"
#include "server/channels/row.h"
#include "server/core/memory.h"

struct channel *channel_create_locked(struct channels *channels, const char *name, struct creator *creator) {
    size_t size = strlen(name) + 1;
    struct channel *channel = calloc(1, sizeof *channel + size);
    if (channel == NULL)
        return NULL;
    memcpy(channel->name, name, size);
    memory_count_block(channel);
    channel->channels = channels;
    channel->creator = creator;
    channel->history.account = creator == NULL ? NULL : &creator->account;
    channel->references = 1;
    mutex_init(&channel->mutex, CHANNEL_LOCK_RANK);
    snprintf(channel->epoch, sizeof channel->epoch, "%016llx",
             (unsigned long long)hash_mix(channels->epoch_seed + channels->epochs++));
    return channel;
}

void channel_free(struct channel *channel) {
    mutex_destroy(&channel->mutex);
    memory_uncount_block(channel);
    free(channel);
}

static void channel_destroy(struct channel *channel) {
    struct channels *channels = channel->channels;
    history_clear(&channels->store, &channel->history);
    if (channel->creator != NULL) {
        mutex_lock(&channels->mutex);
        creator_release_locked(channels, channel->creator);
        mutex_unlock(&channels->mutex);
    }
    row_drop(channel);
    members_release(&channel->members);
    channel_free(channel);
}

void channel_release(struct channel *channel) {
    if (channel != NULL && atomic_fetch_sub_explicit(&channel->references, 1, memory_order_acq_rel) == 1)
        channel_destroy(channel);
}

struct history_bounds channel_bounds_locked(const struct channel *channel) {
    return (struct history_bounds){
        .count = channel->options.history, .age_ms = channel->options.history_age_ms, .now = pool_now()};
}

static bool channel_keeps_position_locked(const struct channel *channel, uint64_t now) {
    uint64_t appended_at = channel->history.appended_at;
    uint64_t used_at = appended_at > channel->used_at ? appended_at : channel->used_at;
    return channel->options.history > 0 && used_at != 0 && now < used_at + channel->options.position_ttl_ms;
}

bool channel_has_past_locked(struct channel *channel) {
    const struct history_bounds bounds = channel_bounds_locked(channel);
    return history_trim(&channel->channels->store, &channel->history, &bounds) > 0 ||
           channel_keeps_position_locked(channel, bounds.now);
}
