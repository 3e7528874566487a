/* row.c - see row.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/channels/row.h"

#include <stdlib.h>

#include "server/channels/delivery.h"

enum {
    FULL_COUNT = 64, /* a client that publishes more is not read */
    FULL_BYTES = 4 << 20,
    OVERDUE_SHARE = 16 /* at so many times that, the first delivery goes uncompressed */
};

static bool row_exceeds(const struct row *row, uint32_t count, size_t bytes) {
    return row->count > count || row->bytes > bytes;
}

bool row_is_full_locked(const struct row *row) {
    return row_exceeds(row, FULL_COUNT, FULL_BYTES);
}

/* --- Clients that are not read ----------------------------------------------------------------------------- */

struct paused {
    struct paused *next;
    struct weir_conn *conn; /* with a reference */
};

/* Stops reading a client. If memory is out, the client is still read. */
static void row_pause_locked(struct row *row, struct weir_conn *conn) {
    struct paused *paused = malloc(sizeof *paused);
    if (paused == NULL || !conn_stop_reading(conn)) {
        free(paused);
        return;
    }
    *paused = (struct paused){.next = row->paused, .conn = weir_conn_retain(conn)};
    row->paused = paused;
}

static void row_resume_all_locked(struct row *row, struct task_list *ready) {
    struct paused *paused;
    while ((paused = row->paused) != NULL) {
        row->paused = paused->next;
        conn_read_on(paused->conn, ready);
        weir_conn_release(paused->conn);
        free(paused);
    }
}

/* --- The row ----------------------------------------------------------------------------------------------- */

void row_append_locked(struct channel *channel, struct delivery *delivery) {
    struct row *row = &channel->row;
    mutex_check_held(&channel->mutex);
    atomic_fetch_add_explicit(&delivery->references, 1, memory_order_relaxed);
    delivery->number = ++row->last_number;
    if (row->last == NULL)
        row->first = delivery;
    else
        row->last->next = delivery;
    row->last = delivery;
    row->count++;
    row->bytes += delivery->size;
}

static void row_remove_first(struct row *row) {
    struct delivery *delivery = row->first;
    row->first = delivery->next;
    if (row->first == NULL)
        row->last = NULL;
    row->count--;
    row->bytes -= delivery->size;
    delivery_release(delivery);
}

void row_drop(struct channel *channel) {
    struct paused *paused;
    while (channel->row.first != NULL)
        row_remove_first(&channel->row);
    while ((paused = channel->row.paused) != NULL) {
        channel->row.paused = paused->next;
        weir_conn_release(paused->conn);
        free(paused);
    }
}

/* --- Fan-out ----------------------------------------------------------------------------------------------- */

/* A delivery that is not ready holds up those after it, unless it is overdue. In a channel that has been closed,
 * each one is overdue. */
uint32_t row_count_due_locked(const struct channel *channel, uint32_t max) {
    const struct row *row = &channel->row;
    bool overdue =
        channel->gone || row_exceeds(row, FULL_COUNT * OVERDUE_SHARE, (size_t)FULL_BYTES * OVERDUE_SHARE);
    uint32_t due = 0;
    for (const struct delivery *next = row->first; next != NULL && due < max; next = next->next) {
        if (!next->ready && !overdue)
            break;
        due++;
    }
    return due;
}

void row_end_fanout_locked(struct channel *channel, struct task_list *ready) {
    struct row *row = &channel->row;
    for (; row->fanning_out > 0; row->fanning_out--)
        row_remove_first(row);
    if (row->paused != NULL && !row_exceeds(row, FULL_COUNT / 2, FULL_BYTES / 2))
        row_resume_all_locked(row, ready);
}

bool row_pause_publisher_locked(struct channel *channel) {
    struct weir_conn *conn = row_is_full_locked(&channel->row) ? conn_in_turn() : NULL;
    if (conn != NULL)
        row_pause_locked(&channel->row, conn);
    return conn == NULL && row_is_full_locked(&channel->row);
}
