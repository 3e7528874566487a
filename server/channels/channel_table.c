/* channel_table.c - see channel_table.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/channels/channel_table.h"

#include <string.h>

#include "base/hash.h"

unsigned channel_table_hash(const struct channels *channels, const char *name, size_t size) {
    uint64_t hash = hash_mix(channels->name_seed ^ size);
    while (size > 0) {
        uint64_t word = 0;
        size_t taken = size < sizeof word ? size : sizeof word;
        memcpy(&word, name, taken);
        hash = hash_mix(hash ^ word);
        name += taken;
        size -= taken;
    }
    return (unsigned)(hash ^ (hash >> 32));
}

struct channel *channel_table_find_locked(struct channels *channels, const char *name) {
    struct channel *channel;
    size_t size = strlen(name);
    HASH_FIND_BYHASHVALUE(hh, channels->by_name, name, size, channel_table_hash(channels, name, size), channel);
    return channel;
}

int channel_table_add_locked(struct channels *channels, struct channel *channel) {
    size_t size = strlen(channel->name);
    channel->key = handle_table_add(&channels->handles, channel);
    if (channel->key == HANDLE_TABLE_NO_KEY)
        return -1;
    HASH_ADD_KEYPTR_BYHASHVALUE(hh, channels->by_name, channel->name, size,
                                channel_table_hash(channels, channel->name, size), channel);
    if (channel->hh.tbl == NULL) {
        handle_table_remove(&channels->handles, channel->key);
        return -1;
    }
    channels->count++;
    return 0;
}

void channel_table_remove_locked(struct channel *channel) {
    struct channels *channels = channel->channels;
    mutex_check_held(&channels->mutex);
    channel->gone = true;
    HASH_DEL(channels->by_name, channel);
    handle_table_remove(&channels->handles, channel->key);
    channels->count--;
}

uint32_t channel_table_list(struct channels *channels, uint32_t *position, struct channel **list, uint32_t count) {
    uint32_t found = 0;
    mutex_lock(&channels->mutex);
    for (; found < count && *position < channels->handles.count; ++*position)
        if (channels->handles.entries[*position].owner != NULL)
            list[found++] = channel_retain(channels->handles.entries[*position].owner);
    mutex_unlock(&channels->mutex);
    return found;
}
