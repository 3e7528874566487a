/* row.c - see row.h.
 *
 * A walk goes from the last subscriber to the first. When one leaves, the last takes its place (members.h): one
 * that the walk has met comes to stand before it perhaps, but never the other way round. Each subscriber knows the
 * place in the row up to which it has all: who is met twice gets nothing twice.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/channels/row.h"

#include <stdlib.h>

#include "server/channels/delivery.h"

enum {
    WALK_MAX = 32,      /* deliveries in one walk; 64 at most: see conn_append_all() */
    STEP_MEMBERS = 256, /* subscribers met in one step, and what they are handed: */
    STEP_APPENDS = 2048,
    AHEAD = 8,         /* members that are fetched from memory before it is their turn */
    MANY_MEMBERS = 16, /* so many that one walk for several messages is worth a task */
    FULL_COUNT = 64,   /* clients that publish more are not read */
    FULL_BYTES = 4 << 20,
    OVERDUE_SHARE = 16 /* times that: what is first goes as it is */
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

/* If memory is out, it is read on. */
static void slow_down_locked(struct row *row, struct weir_conn *conn) {
    struct slowed *slowed = malloc(sizeof *slowed);
    if (slowed == NULL || !conn_stop_reading(conn)) {
        free(slowed);
        return;
    }
    *slowed = (struct slowed){.next = row->slowed, .conn = weir_retain(conn)};
    row->slowed = slowed;
}

static void speed_up_locked(struct row *row, struct task_list *ready) {
    struct slowed *slowed;
    while ((slowed = row->slowed) != NULL) {
        row->slowed = slowed->next;
        conn_read_on(slowed->conn, ready);
        weir_release(slowed->conn);
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
        weir_release(slowed->conn);
        free(slowed);
    }
}

/* --- Handing out ------------------------------------------------------------------------------------------- */

/* A step over some subscribers. */
struct step {
    struct delivery *deliveries[WALK_MAX]; /* in the order of the row */
    unsigned count;
    struct task_list *ready;

    struct route *route;      /* of the receivers before, mostly that of all */
    uint64_t messages, bytes; /* accepted for them */
};

static void count_traffic(struct step *step, struct route *next) {
    if (step->route != NULL)
        traffic_sent(&step->route->traffic, step->messages, step->bytes);
    step->route = next;
    step->messages = step->bytes = 0;
}

/* What is handed to one subscriber. */
struct handful {
    const struct message *plain[WALK_MAX]; /* what it reads */
    struct message *messages[WALK_MAX];    /* as they are sent to it, with a reference each */
    unsigned count;
};

static void settle(struct step *step, const struct handful *handful, uint64_t accepted) {
    for (unsigned i = 0; i < handful->count; i++, accepted >>= 1) {
        if ((accepted & 1) == 0) {
            message_release(handful->messages[i]);
            continue;
        }
        step->messages++;
        step->bytes += message_payload_size(handful->plain[i]);
    }
}

/* An announcement has no raw form. */
static void collect(struct handful *handful, struct delivery *delivery, const struct member *member) {
    struct parcel *parcel = &delivery->parcels[member->form];
    if (delivery->place <= member->has || delivery->skipped == member->conn || parcel_plain(parcel) == NULL)
        return;
    handful->plain[handful->count] = parcel_plain(parcel);
    handful->messages[handful->count++] =
        delivery->ready ? parcel_take(parcel, member->conn) : parcel_take_plain(parcel);
}

static void hand_to(struct step *step, struct member *member) {
    struct handful handful;
    uint64_t last = step->deliveries[step->count - 1]->place;
    handful.count = 0;
    if (member->has >= last)
        return; /* it joined later, or has been met before */
    for (unsigned i = 0; i < step->count; i++)
        collect(&handful, step->deliveries[i], member);
    member->has = last;
    if (handful.count == 0)
        return;
    if (member->conn->route != step->route)
        count_traffic(step, member->conn->route);
    settle(step, &handful, conn_append_all(member->conn, handful.messages, handful.count, step->ready));
}

/* Up to WALK_MAX deliveries of the row, from `*delivery` on, which is left at the next one. */
static void take(struct step *step, struct delivery **delivery, uint32_t count) {
    for (step->count = 0; step->count < count && step->count < WALK_MAX && *delivery != NULL;
         *delivery = (*delivery)->next)
        step->deliveries[step->count++] = *delivery;
}

void row_hand_to_locked(struct channel *channel, struct member *member, struct task_list *ready) {
    struct step step = {.ready = ready};
    mutex_check_held(&channel->mutex);
    for (struct delivery *next = channel->row.first; next != NULL;) {
        take(&step, &next, WALK_MAX);
        hand_to(&step, member);
    }
    count_traffic(&step, NULL);
}

/* --- Walks ------------------------------------------------------------------------------------------------- */

/* How many deliveries may go now, from the first on. One that is not ready holds up the others, unless it is
 * overdue; in a channel that has been closed, each is. */
static uint32_t count_due_locked(const struct channel *channel) {
    const struct row *row = &channel->row;
    bool overdue = channel->gone || exceeds(row, FULL_COUNT * OVERDUE_SHARE, (size_t)FULL_BYTES * OVERDUE_SHARE);
    uint32_t due = 0;
    for (const struct delivery *next = row->first; next != NULL && due < WALK_MAX; next = next->next) {
        if (!next->ready && !overdue)
            break;
        due++;
    }
    return due;
}

static void end_walk_locked(struct row *row, struct task_list *ready) {
    for (; row->walking > 0; row->walking--)
        remove_first(row);
    if (row->slowed != NULL && !exceeds(row, FULL_COUNT / 2, FULL_BYTES / 2))
        speed_up_locked(row, ready);
}

static void walk_on_locked(struct channel *channel, struct task_list *ready) {
    struct row *row = &channel->row;
    const struct members *members = &channel->members;
    struct step step = {.ready = ready};
    struct delivery *first = row->first;
    take(&step, &first, row->walking);
    uint32_t left = STEP_APPENDS / row->walking < STEP_MEMBERS ? STEP_APPENDS / row->walking : STEP_MEMBERS;
    if (row->cursor > members->count)
        row->cursor = members->count;
    for (; row->cursor > 0 && left > 0; left--) {
        if (row->cursor > AHEAD)
            conn_prefetch(members->list[row->cursor - 1 - AHEAD].conn);
        hand_to(&step, &members->list[--row->cursor]);
    }
    count_traffic(&step, NULL);
    if (row->cursor == 0)
        end_walk_locked(row, ready);
}

/* Sends away some of those who are left in a channel that has been closed. */
static void send_away_some_locked(struct channel *channel, struct task_list *ready) {
    struct row *row = &channel->row;
    uint32_t count = channel->members.count, left = STEP_MEMBERS;
    if (row->sent_away > count)
        row->sent_away = count;
    for (; row->sent_away > 0 && left > 0; left--)
        conn_send_away(channel->members.list[--row->sent_away].conn, "the channel was closed", ready);
}

/* Returns whether there is more to do. */
static bool step_locked(struct channel *channel, struct task_list *ready) {
    struct row *row = &channel->row;
    mutex_check_held(&channel->mutex);
    if (row->walking == 0) {
        row->walking = count_due_locked(channel);
        row->cursor = channel->members.count;
    }
    if (row->walking > 0)
        walk_on_locked(channel, ready);
    else
        send_away_some_locked(channel, ready);
    return row->walking > 0 || row->sent_away > 0 || count_due_locked(channel) > 0;
}

void row_hand_out_locked(struct channel *channel, struct task_list *ready) {
    if (step_locked(channel, ready))
        task_claim_into(&channel->handing_out, ready);
}

void row_hand_out_soon_locked(struct channel *channel, struct task_list *ready) {
    if (pool_is_holding() && channel->members.count >= MANY_MEMBERS && channel->row.count < WALK_MAX)
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

/* So many steps at most as one walk takes. */
void row_help(struct channel *channel) {
    bool full = true;
    uint32_t steps = 1;
    for (uint32_t i = 0; full && i < steps; i++) {
        struct task_list ready = {0};
        mutex_lock(&channel->mutex);
        steps = channel->members.count / (STEP_APPENDS / WALK_MAX) + 1;
        row_hand_out_locked(channel, &ready);
        full = is_full(&channel->row);
        mutex_unlock(&channel->mutex);
        pool_submit_list(channel->channels->core->pool, &ready);
    }
}

/* --- The task ---------------------------------------------------------------------------------------------- */

#define CHANNEL_OF(task) ((struct channel *)((char *)(task)-offsetof(struct channel, handing_out)))

/* One step for each run: what the subscribers met are to be sent leaves in between. */
static void task_run(struct task *task) {
    struct channel *channel = CHANNEL_OF(task);
    struct pool *pool = channel->channels->core->pool;
    struct task_list ready = {0};
    mutex_lock(&channel->mutex);
    bool more = step_locked(channel, &ready);
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
