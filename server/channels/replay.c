/* replay.c - see replay.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/channels/replay.h"

#include <string.h>

static size_t replay_room(struct weir_conn *conn) {
    small_mutex_lock(&conn->mutex);
    size_t bytes = conn->outbox.bytes;
    small_mutex_unlock(&conn->mutex);
    size_t soft = conn_settings(conn)->send_buffer_soft;
    return bytes < soft ? soft - bytes : 0;
}

/* Reads what the client has missed. Returns whether all of it is there, and fits into what the client may have
 * waiting. */
static bool replay_read_missed_locked(struct channel *channel, const struct join *join, size_t room,
                                      struct history_slice *slice) {
    struct history_store *store = &channel->channels->store;
    if (join->epoch != NULL && strcmp(join->epoch, channel->epoch) != 0)
        return false;
    if (history_read(store, &channel->history, join->since, channel->offset, UINT32_MAX, room, slice) == 0 &&
        slice->complete && !slice->more && slice->bytes + (size_t)slice->count * OUTBOX_MESSAGE_OVERHEAD <= room)
        return true;
    history_slice_release(slice);
    return false;
}

/* Reads what was missed, or else the last messages that were asked for. Returns whether it is what was missed. */
static bool replay_read_locked(struct channel *channel, struct weir_conn *conn, const struct join *join,
                               struct history_slice *slice) {
    struct history_store *store = &channel->channels->store;
    const struct history_bounds bounds = channel_bounds_locked(channel);
    size_t room = replay_room(conn);
    history_trim(store, &channel->history, &bounds);
    bool recovered = join->recover && replay_read_missed_locked(channel, join, room, slice);
    if (!recovered && join->last > 0) /* if memory is out, none are sent */
        history_read_last(store, &channel->history, join->last, room, OUTBOX_MESSAGE_OVERHEAD, slice);
    return recovered;
}

enum { REPLAY_CHUNK = 64 /* at most: see conn_append_all() */ };

/* Sends up to REPLAY_CHUNK messages. */
static void replay_send_chunk(struct weir_conn *conn, struct message *const *messages, uint32_t count,
                              struct task_list *ready) {
    uint64_t sent = 0, bytes = 0;
    for (uint32_t i = 0; i < count; i++)
        message_retain(messages[i]);
    uint64_t accepted = conn_append_all(conn, messages, count, ready);
    for (uint32_t i = 0; i < count; i++, accepted >>= 1) {
        if ((accepted & 1) == 0) {
            message_release(messages[i]);
            continue;
        }
        sent++;
        bytes += message_payload_size(messages[i]);
    }
    traffic_sent(&conn->route->traffic, sent, bytes);
}

static void replay_send(struct weir_conn *conn, struct message *const *messages, uint32_t count,
                        struct task_list *ready) {
    for (uint32_t i = 0; i < count; i += REPLAY_CHUNK)
        replay_send_chunk(conn, messages + i, count - i < REPLAY_CHUNK ? count - i : REPLAY_CHUNK, ready);
}

void replay_welcome_locked(struct channel *channel, struct weir_conn *conn, const struct join *join,
                           struct task_list *ready) {
    struct history_slice slice = {.messages = NULL};
    struct channel_counters *counters = &channel->channels->counters;
    struct joined joined = {
        .name = channel->name, .epoch = channel->epoch, .offset = channel->offset, .channel = channel};
    if (join->recover || join->last > 0)
        joined.recovered = replay_read_locked(channel, conn, join, &slice);
    if (join->recover)
        atomic_fetch_add(joined.recovered ? &counters->recovered : &counters->not_recovered, 1);
    struct message *answer = join->answer == NULL ? NULL : join->answer(&joined, join->context);
    if (answer != NULL)
        replay_send(conn, &answer, 1, ready);
    message_release(answer);
    replay_send(conn, slice.messages, slice.count, ready);
    history_slice_release(&slice);
}
