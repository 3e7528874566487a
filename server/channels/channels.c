/* channels.c - see channels.h: finds, creates and closes channels; the start and the end of all.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/channels/channels.h"

#include <sys/random.h>

#include "server/channels/channel_rules.h"
#include "server/channels/channel_table.h"
#include "server/channels/compression.h"
#include "server/channels/creator.h"
#include "server/channels/expiry.h"
#include "server/channels/fanout.h"
#include "server/channels/find.h"
#include "server/channels/idle.h"
#include "server/core/memory.h"

/* --- Finding and creating ---------------------------------------------------------------------------------- */

static struct channel *channels_retain(struct channel *channel) {
    return channel == NULL ? NULL : channel_retain(channel);
}

struct channel *channels_find(struct channels *channels, const char *name) {
    mutex_lock(&channels->mutex);
    struct channel *channel = channels_retain(channel_table_find_locked(channels, name));
    mutex_unlock(&channels->mutex);
    return channel;
}

struct channel *channels_use(struct channels *channels, const char *name) {
    mutex_lock(&channels->mutex);
    struct channel *channel = channels_retain(channel_table_find_locked(channels, name));
    if (channel != NULL)
        idle_use_locked(channel);
    mutex_unlock(&channels->mutex);
    return channel;
}

/* Returns NULL if memory is out. */
static struct channel *channels_add_locked(struct channels *channels, const char *name, struct creator *creator) {
    struct channel *channel = channel_create_locked(channels, name, creator);
    if (channel == NULL)
        return NULL;
    channel->options = channel_rules_options_locked(channels, name);
    fanout_init(channel);
    if (channel_table_add_locked(channels, channel) == 0)
        return channel_retain(channel);
    channel_free(channel);
    return NULL;
}

/* Returns NULL if there are too many, or memory is out. */
static struct channel *channels_create_locked(struct channels *channels, struct find_or_create *call,
                                              struct evicted *evicted) {
    struct creator *creator = creator_retain_locked(channels, call->client);
    struct channel *channel = NULL;
    bool unknown = call->client != NULL && creator == NULL; /* memory is out: it would count for no client */
    if (!unknown)
        call->full = !idle_make_room_locked(channels, creator, evicted);
    if (!unknown && !call->full)
        channel = channels_add_locked(channels, call->name, creator);
    if (channel == NULL)
        creator_release_locked(channels, creator);
    return channel;
}

struct channel *channels_find_or_create(struct channels *channels, struct find_or_create *call) {
    struct evicted evicted = {.count = 0};
    mutex_lock(&channels->mutex);
    call->per_connection = channels->limits.per_connection;
    call->full = false;
    struct channel *channel = channels_retain(channel_table_find_locked(channels, call->name));
    bool is_new = channel == NULL;
    if (is_new)
        channel = channels_create_locked(channels, call, &evicted);
    if (channel != NULL && call->joins)
        idle_remove_locked(channel);
    else if (channel != NULL && is_new)
        idle_add_locked(channel, &evicted);
    mutex_unlock(&channels->mutex);
    evicted_release(&evicted);
    return channel;
}

/* --- Closing ----------------------------------------------------------------------------------------------- */

/* The caller then owns the table's reference. */
static struct channel *channels_take_out(struct channels *channels, const char *name) {
    mutex_lock(&channels->mutex);
    struct channel *channel = channel_table_find_locked(channels, name);
    if (channel != NULL) {
        mutex_lock(&channel->mutex);
        idle_take_out_locked(channel);
        mutex_unlock(&channel->mutex);
    }
    mutex_unlock(&channels->mutex);
    return channel;
}

/* Members stay members until their connections have ended. A client that subscribes to the name from now on joins
 * another channel. Members get what waits for them before they are sent away. */
long channels_close(struct channels *channels, const char *name) {
    struct task_list ready = {0};
    struct channel *channel = channels_take_out(channels, name);
    if (channel == NULL)
        return -1;
    mutex_lock(&channel->mutex);
    long closed = channel->members.count;
    channel->row.sent_away = channel->members.count;
    fanout_start_locked(channel, &ready);
    mutex_unlock(&channel->mutex);
    history_clear(&channels->store, &channel->history);
    pool_submit_list(channels->core->pool, &ready);
    channel_release(channel);
    return closed;
}

/* --- Life -------------------------------------------------------------------------------------------------- */

int channels_init(struct channels *channels, struct core *core) {
    *channels = (struct channels){
        .core = core,
        .limits = {
            .channels = 100000, .per_connection = 1000, .history_memory = 64 << 20, .idle_memory = SIZE_MAX}};
    uint64_t seeds[2];
    if (getrandom(seeds, sizeof seeds, 0) != sizeof seeds)
        return -1;
    channels->epoch_seed = seeds[0];
    channels->name_seed = seeds[1];
    mutex_init(&channels->mutex, CHANNELS_LOCK_RANK);
    compression_init(channels);
    history_store_init(&channels->store, channels->limits.history_memory);
    expiry_init(channels);
    return 0;
}

void channels_release(struct channels *channels) {
    compression_release(channels);
    struct channel *channel = channels->by_name, *next;
    HASH_CLEAR(hh, channels->by_name); /* the links between the items stay */
    for (; channel != NULL; channel = next) {
        next = channel->hh.next;
        channel_release(channel);
    }
    handle_table_release(&channels->handles);
    channel_rules_free(channels->rules, channels->rule_count);
    history_store_release(&channels->store);
    mutex_destroy(&channels->mutex);
}
