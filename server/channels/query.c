/* query.c - what other layers can learn about channels: statistics, past messages, which clients are there.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "server/channels/channel_table.h"
#include "server/channels/find.h"
#include "server/channels/wire.h"

/* --- Statistics -------------------------------------------------------------------------------------------- */

/* Messages a second, from the start of the previous window until now. */
static double query_rate_locked(const struct channel_rate *rate, uint64_t now) {
    uint64_t elapsed = now - rate->began;
    if (rate->began == 0 || elapsed >= 2 * RATE_WINDOW_MS)
        return 0;
    uint64_t window = rate->before > 0 ? elapsed + RATE_WINDOW_MS : elapsed;
    return (double)(rate->now + rate->before) * 1000 / (double)(window < 1000 ? 1000 : window);
}

static void query_fill(struct channel *channel, struct channel_statistics *statistics) {
    memcpy(statistics->name, channel->name, strlen(channel->name) + 1);
    memcpy(statistics->epoch, channel->epoch, sizeof statistics->epoch);
    mutex_lock(&channel->mutex);
    const struct history_bounds bounds = channel_bounds_locked(channel);
    statistics->offset = channel->offset;
    statistics->subscribers = channel->members.count;
    statistics->history = history_trim(&channel->channels->store, &channel->history, &bounds);
    statistics->rate = query_rate_locked(&channel->rate, bounds.now);
    mutex_unlock(&channel->mutex);
}

int channels_query(struct channels *channels, const char *name, struct channel_statistics *statistics) {
    struct channel *channel = channels_find(channels, name);
    if (channel == NULL)
        return -1;
    query_fill(channel, statistics);
    channel_release(channel);
    return 0;
}

uint32_t channels_each(struct channels *channels, uint32_t *position, uint32_t count,
                       void (*visit)(const struct channel_statistics *statistics, void *arg), void *arg) {
    struct channel *list[CHANNEL_TABLE_CHUNK];
    struct channel_statistics statistics;
    uint32_t visited = 0, wanted, found;
    do {
        wanted = count - visited < CHANNEL_TABLE_CHUNK ? count - visited : CHANNEL_TABLE_CHUNK;
        found = channel_table_list(channels, position, list, wanted);
        for (uint32_t i = 0; i < found; i++) {
            query_fill(list[i], &statistics);
            channel_release(list[i]);
            visit(&statistics, arg);
        }
        visited += found;
    } while (found == wanted && visited < count);
    return visited;
}

void channels_count(struct channels *channels, uint32_t *count, uint64_t *subscriptions) {
    mutex_lock(&channels->mutex);
    *count = channels->count;
    mutex_unlock(&channels->mutex);
    *subscriptions = atomic_load(&channels->subscriptions);
}

/* --- History ----------------------------------------------------------------------------------------------- */

int channels_read_history(struct channels *channels, const char *name, uint64_t since, uint32_t limit,
                          size_t max_bytes, struct history_page *page) {
    struct channel *channel = channels_find(channels, name);
    if (channel == NULL) {
        errno = ENOENT;
        return -1;
    }
    struct history_slice slice;
    mutex_lock(&channel->mutex);
    const struct history_bounds bounds = channel_bounds_locked(channel);
    history_trim(&channels->store, &channel->history, &bounds);
    int result =
        history_read(&channels->store, &channel->history, since, channel->offset, limit, max_bytes, &slice);
    *page = (struct history_page){.offset = channel->offset,
                                  .complete = slice.complete,
                                  .more = slice.more,
                                  .messages = slice.messages,
                                  .count = slice.count};
    mutex_unlock(&channel->mutex);
    memcpy(page->epoch, channel->epoch, sizeof page->epoch);
    channel_release(channel);
    if (result != 0)
        errno = ENOMEM;
    return result;
}

void history_page_release(struct history_page *page) {
    struct history_slice slice = {.messages = page->messages, .count = page->count};
    history_slice_release(&slice);
    page->messages = NULL;
    page->count = 0;
}

/* --- Presence ---------------------------------------------------------------------------------------------- */

struct present {
    struct weir_conn *conn; /* with a reference */
    double joined_at;
};

static void query_write_presence(struct json_writer *writer, uint32_t count, const struct present *present,
                                 uint32_t listed) {
    json_key(writer, "count");
    json_write_number(writer, count);
    json_key(writer, "clients");
    json_begin_array(writer);
    for (uint32_t i = 0; i < listed; i++)
        wire_write_client(writer, present[i].conn, present[i].joined_at);
    json_end_array(writer);
}

/* Gets up to `max` of the members. Returns how many. */
static uint32_t query_collect_locked(const struct channel *channel, uint32_t max, struct present *present) {
    const struct members *members = &channel->members;
    uint32_t count = 0;
    mutex_check_held(&channel->mutex);
    for (; count < members->count && count < max; count++)
        present[count] = (struct present){.conn = weir_conn_retain(members->list[count].conn),
                                          .joined_at = members->list[count].subscription->joined_at};
    return count;
}

static void query_release_present(struct present *present, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        weir_conn_release(present[i].conn);
    free(present);
}

void channel_write_presence_locked(const struct channel *channel, uint32_t max, struct json_writer *writer) {
    struct present *present = calloc(max, sizeof *present);
    uint32_t listed = present == NULL ? 0 : query_collect_locked(channel, max, present);
    query_write_presence(writer, channel->members.count, present, listed);
    writer->failed = writer->failed || present == NULL;
    query_release_present(present, listed);
}

int channels_write_presence(struct channels *channels, const char *name, uint32_t max, struct json_writer *writer) {
    struct channel *channel = channels_find(channels, name);
    if (channel == NULL)
        return -1;
    struct present *present = calloc(max, sizeof *present);
    mutex_lock(&channel->mutex);
    uint32_t count = channel->members.count;
    uint32_t listed = present == NULL ? 0 : query_collect_locked(channel, max, present);
    mutex_unlock(&channel->mutex);
    channel_release(channel);
    query_write_presence(writer, count, present, listed);
    writer->failed = writer->failed || present == NULL;
    query_release_present(present, listed);
    return 0;
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
