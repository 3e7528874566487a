/* row.c - see row.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/channels/row.h"

#include <stdlib.h>

#include "server/channels/delivery.h"
#include "server/channels/fanout.h"

enum {
    MANY_MEMBERS = 16, /* from so many on, one fan-out for several messages is worth a task */
    FULL_COUNT = 64,   /* a client that publishes more is not read */
    FULL_BYTES = 4 << 20,
    OVERDUE_SHARE = 16 /* at so many times that, the first delivery goes uncompressed */
};

static bool exceeds(const struct row *row, uint32_t count, size_t bytes) {
    return row->count > count || row->bytes > bytes;
}

static bool is_full(const struct row *row) {
    return exceeds(row, FULL_COUNT, FULL_BYTES);
}

/* --- Clients that are not read ----------------------------------------------------------------------------- */

struct slowed {
    struct slowed *next;
    struct weir_conn *conn; /* with a reference */
};

/* Stops reading a client. If memory is out, the client is still read. */
static void slow_down_locked(struct row *row, struct weir_conn *conn) {
    struct slowed *slowed = malloc(sizeof *slowed);
    if (slowed == NULL || !conn_stop_reading(conn)) {
        free(slowed);
        return;
    }
    *slowed = (struct slowed){.next = row->slowed, .conn = weir_conn_retain(conn)};
    row->slowed = slowed;
}

static void speed_up_locked(struct row *row, struct task_list *ready) {
    struct slowed *slowed;
    while ((slowed = row->slowed) != NULL) {
        row->slowed = slowed->next;
        conn_read_on(slowed->conn, ready);
        weir_conn_release(slowed->conn);
        free(slowed);
    }
}

/* --- The row ----------------------------------------------------------------------------------------------- */

void row_append_locked(struct channel *channel, struct delivery *delivery) {
    struct row *row = &channel->row;
    mutex_check_held(&channel->mutex);
    atomic_fetch_add_explicit(&delivery->references, 1, memory_order_relaxed);
    delivery->place = ++row->last_place;
    if (row->last == NULL)
        row->first = delivery;
    else
        row->last->next = delivery;
    row->last = delivery;
    row->count++;
    row->bytes += delivery->size;
}

static void remove_first(struct row *row) {
    struct delivery *delivery = row->first;
    row->first = delivery->next;
    if (row->first == NULL)
        row->last = NULL;
    row->count--;
    row->bytes -= delivery->size;
    delivery_release(delivery);
}

void row_drop(struct channel *channel) {
    struct slowed *slowed;
    while (channel->row.first != NULL)
        remove_first(&channel->row);
    while ((slowed = channel->row.slowed) != NULL) {
        channel->row.slowed = slowed->next;
        weir_conn_release(slowed->conn);
        free(slowed);
    }
}

/* --- Fan-out ----------------------------------------------------------------------------------------------- */

/* A delivery that is not ready holds up those after it, unless it is overdue. In a channel that has been closed,
 * each one is overdue. */
uint32_t row_count_due_locked(const struct channel *channel) {
    const struct row *row = &channel->row;
    bool overdue = channel->gone || exceeds(row, FULL_COUNT * OVERDUE_SHARE, (size_t)FULL_BYTES * OVERDUE_SHARE);
    uint32_t due = 0;
    for (const struct delivery *next = row->first; next != NULL && due < FANOUT_DELIVERIES_MAX; next = next->next) {
        if (!next->ready && !overdue)
            break;
        due++;
    }
    return due;
}

void row_end_fanout_locked(struct channel *channel, struct task_list *ready) {
    struct row *row = &channel->row;
    for (; row->fanning_out > 0; row->fanning_out--)
        remove_first(row);
    if (row->slowed != NULL && !exceeds(row, FULL_COUNT / 2, FULL_BYTES / 2))
        speed_up_locked(row, ready);
}

void row_hand_out_locked(struct channel *channel, struct task_list *ready) {
    if (fanout_step_locked(channel, ready))
        task_claim_into(&channel->handing_out, ready);
}

void row_hand_out_soon_locked(struct channel *channel, struct task_list *ready) {
    if (pool_is_holding() && channel->members.count >= MANY_MEMBERS && channel->row.count < FANOUT_DELIVERIES_MAX)
        task_claim_into(&channel->handing_out, ready);
    else
        row_hand_out_locked(channel, ready);
}

bool row_slow_down_locked(struct channel *channel) {
    struct weir_conn *conn = is_full(&channel->row) ? conn_in_turn() : NULL;
    if (conn != NULL)
        slow_down_locked(&channel->row, conn);
    return conn == NULL && is_full(&channel->row);
}

/* Takes at most as many steps as one fan-out takes. */
void row_help(struct channel *channel) {
    bool full = true;
    uint32_t steps = 1;
    for (uint32_t i = 0; full && i < steps; i++) {
        struct task_list ready = {0};
        mutex_lock(&channel->mutex);
        steps = channel->members.count / FANOUT_STEP_MEMBERS + 1;
        row_hand_out_locked(channel, &ready);
        full = is_full(&channel->row);
        mutex_unlock(&channel->mutex);
        pool_submit_list(channel->channels->core->pool, &ready);
    }
}

/* --- The task ---------------------------------------------------------------------------------------------- */

#define CHANNEL_OF(task) ((struct channel *)((char *)(task)-offsetof(struct channel, handing_out)))

/* Takes one step in each run: between runs, messages leave for the subscribers that it met. */
static void task_run(struct task *task) {
    struct channel *channel = CHANNEL_OF(task);
    struct pool *pool = channel->channels->core->pool;
    struct task_list ready = {0};
    mutex_lock(&channel->mutex);
    bool more = fanout_step_locked(channel, &ready);
    mutex_unlock(&channel->mutex);
    pool_submit_list(pool, &ready);
    if (more)
        task_again(task);
    pool_finish(pool, task);
}

static void task_retain(struct task *task) {
    channel_retain(CHANNEL_OF(task));
}

static void task_release(struct task *task) {
    channel_release(CHANNEL_OF(task));
}

const struct task_kind row_task_kind = {
    .queue = TASK_IO, .run = task_run, .retain = task_retain, .release = task_release};
