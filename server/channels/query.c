/* query.c - what other layers can learn about channels: figures, past messages, which clients are there.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "server/channels/channel.h"
#include "server/channels/wire.h"

/* --- Figures ----------------------------------------------------------------------------------------------- */

/* Messages a second, from the start of the previous window until now. */
static double rate_locked(const struct channel_rate *rate, uint64_t now) {
    uint64_t elapsed = now - rate->began;
    if (rate->began == 0 || elapsed >= 2 * RATE_WINDOW_MS)
        return 0;
    uint64_t window = rate->before > 0 ? elapsed + RATE_WINDOW_MS : elapsed;
    return (double)(rate->now + rate->before) * 1000 / (double)(window < 1000 ? 1000 : window);
}

static void fill(struct channel *channel, struct channel_statistics *figures) {
    memcpy(figures->name, channel->name, strlen(channel->name) + 1);
    memcpy(figures->epoch, channel->epoch, sizeof figures->epoch);
    mutex_lock(&channel->mutex);
    const struct history_bounds bounds = channel_bounds_locked(channel);
    figures->offset = channel->offset;
    figures->subscribers = channel->members.count;
    figures->history = history_trim(&channel->channels->store, &channel->history, &bounds);
    figures->rate = rate_locked(&channel->rate, bounds.now);
    mutex_unlock(&channel->mutex);
}

int channels_query(struct channels *channels, const char *name, struct channel_statistics *figures) {
    struct channel *channel = channels_find(channels, name);
    if (channel == NULL)
        return -1;
    fill(channel, figures);
    channel_release(channel);
    return 0;
}

uint32_t channels_each(struct channels *channels, uint32_t *position, uint32_t count,
                       void (*visit)(const struct channel_statistics *figures, void *arg), void *arg) {
    struct channel *some[CHANNELS_AT_ONCE];
    struct channel_statistics figures;
    uint32_t visited = 0, wanted, found;
    do {
        wanted = count - visited < CHANNELS_AT_ONCE ? count - visited : CHANNELS_AT_ONCE;
        found = channels_some(channels, position, some, wanted);
        for (uint32_t i = 0; i < found; i++) {
            fill(some[i], &figures);
            channel_release(some[i]);
            visit(&figures, arg);
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

/* --- The past ---------------------------------------------------------------------------------------------- */

int channels_read_history(struct channels *channels, const char *name, uint64_t since, uint32_t limit,
                          size_t max_bytes, struct history_page *past) {
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
    *past = (struct history_page){.offset = channel->offset,
                                  .complete = slice.complete,
                                  .more = slice.more,
                                  .messages = slice.messages,
                                  .count = slice.count};
    mutex_unlock(&channel->mutex);
    memcpy(past->epoch, channel->epoch, sizeof past->epoch);
    channel_release(channel);
    if (result != 0)
        errno = ENOMEM;
    return result;
}

void history_page_release(struct history_page *past) {
    struct history_slice slice = {.messages = past->messages, .count = past->count};
    history_slice_release(&slice);
    past->messages = NULL;
    past->count = 0;
}

/* --- Who is there ------------------------------------------------------------------------------------------ */

struct present {
    struct weir_conn *conn; /* with a reference */
    double joined_at;
};

static void write_presence(struct json_writer *writer, uint32_t count, const struct present *present,
                           uint32_t listed) {
    json_write_literal(writer, "\"count\":");
    json_write_number(writer, count);
    json_write_literal(writer, ",\"clients\":[");
    for (uint32_t i = 0; i < listed; i++) {
        json_write_literal(writer, i == 0 ? "" : ",");
        wire_write_client(writer, present[i].conn, present[i].joined_at);
    }
    json_write_literal(writer, "]");
}

/* Gets up to `max` of the members. Returns how many. */
static uint32_t collect_locked(const struct channel *channel, uint32_t max, struct present *present) {
    const struct members *members = &channel->members;
    uint32_t count = 0;
    mutex_check_held(&channel->mutex);
    for (; count < members->count && count < max; count++)
        present[count] = (struct present){.conn = weir_conn_retain(members->list[count].conn),
                                          .joined_at = members->list[count].subscription->joined_at};
    return count;
}

static void release(struct present *present, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        weir_conn_release(present[i].conn);
    free(present);
}

void channel_write_presence_locked(const struct channel *channel, uint32_t max, struct json_writer *writer) {
    struct present *present = calloc(max, sizeof *present);
    uint32_t listed = present == NULL ? 0 : collect_locked(channel, max, present);
    write_presence(writer, channel->members.count, present, listed);
    writer->failed = writer->failed || present == NULL;
    release(present, listed);
}

int channels_write_presence(struct channels *channels, const char *name, uint32_t max, struct json_writer *writer) {
    struct channel *channel = channels_find(channels, name);
    if (channel == NULL)
        return -1;
    struct present *present = calloc(max, sizeof *present);
    mutex_lock(&channel->mutex);
    uint32_t count = channel->members.count;
    uint32_t listed = present == NULL ? 0 : collect_locked(channel, max, present);
    mutex_unlock(&channel->mutex);
    channel_release(channel);
    write_presence(writer, count, present, listed);
    writer->failed = writer->failed || present == NULL;
    release(present, listed);
    return 0;
}
