/* fanout.c - see fanout.h.
 *
 * A fan-out goes from the first subscriber to the last, in the order of memory, which is faster (members.h). When a
 * subscriber leaves that the fan-out has reached, the last one moves to its index, and is handed everything that
 * waits first. Each subscriber knows the number of the last delivery that it has, so one that is met twice gets
 * nothing twice.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/channels/fanout.h"

#include "server/channels/delivery.h"
#include "server/channels/row.h"

enum {
    DELIVERIES_MAX = 32, /* in one fan-out; conn_append_all() takes 64 at most */
    STEP_MEMBERS = 256,  /* subscribers that one step reaches, which takes a fifth of a millisecond at most */
    MANY_MEMBERS = 16,   /* from so many on, one fan-out for several messages is worth a task */
    AHEAD = 8            /* how many members ahead memory is prefetched */
};

/* --- Handing out ------------------------------------------------------------------------------------------- */

/* A step over some subscribers. */
struct step {
    struct delivery *deliveries[DELIVERIES_MAX]; /* in the order of the row */
    unsigned count;
    uint64_t last; /* the number of the last one */
    struct task_list *ready;

    struct route *route;      /* of the receivers so far; mostly all have the same */
    uint64_t messages, bytes; /* accepted by their connections */
};

static void fanout_count_traffic(struct step *step, struct route *next) {
    if (step->route != NULL)
        traffic_sent(&step->route->traffic, step->messages, step->bytes);
    step->route = next;
    step->messages = step->bytes = 0;
}

/* What is handed to one subscriber. */
struct batch {
    const struct message *plain[DELIVERIES_MAX]; /* what the client will read */
    struct message *messages[DELIVERIES_MAX];    /* what is sent to it, compressed or not, with a reference each */
    unsigned count;
};

static void fanout_count_accepted(struct step *step, const struct batch *batch, uint64_t accepted) {
    for (unsigned i = 0; i < batch->count; i++, accepted >>= 1) {
        if ((accepted & 1) == 0) {
            message_release(batch->messages[i]);
            continue;
        }
        step->messages++;
        step->bytes += message_payload_size(batch->plain[i]);
    }
}

/* Adds a delivery, unless the member has it already, is to be skipped, or gets no message of that form: an
 * announcement has no raw form. */
static void fanout_collect(struct batch *batch, struct delivery *delivery, const struct member *member) {
    struct encodings *encodings = &delivery->encodings[member->form];
    if (delivery->number <= member->delivered || delivery->skipped == member->conn ||
        encodings_plain(encodings) == NULL)
        return;
    batch->plain[batch->count] = encodings_plain(encodings);
    batch->messages[batch->count++] =
        delivery->ready ? encodings_take(encodings, member->conn) : encodings_take_plain(encodings);
}

static void fanout_deliver_to(struct step *step, struct member *member) {
    struct batch batch;
    batch.count = 0;
    if (member->delivered >= step->last)
        return; /* it joined later, or has been met before */
    for (unsigned i = 0; i < step->count; i++)
        fanout_collect(&batch, step->deliveries[i], member);
    member->delivered = step->last;
    if (batch.count == 0)
        return;
    if (member->conn->route != step->route)
        fanout_count_traffic(step, member->conn->route);
    fanout_count_accepted(step, &batch, conn_append_all(member->conn, batch.messages, batch.count, step->ready));
}

/* Takes up to `count` deliveries of the row, DELIVERIES_MAX at most, from `*delivery` on, which is left at
 * the next one. */
static void fanout_take(struct step *step, struct delivery **delivery, uint32_t count) {
    for (step->count = 0; step->count < count && step->count < DELIVERIES_MAX && *delivery != NULL;
         *delivery = (*delivery)->next) {
        step->deliveries[step->count++] = *delivery;
        step->last = (*delivery)->number;
    }
}

void fanout_deliver_to_locked(struct channel *channel, struct member *member, struct task_list *ready) {
    struct step step = {.ready = ready};
    mutex_check_held(&channel->mutex);
    for (struct delivery *next = channel->row.first; next != NULL;) {
        fanout_take(&step, &next, DELIVERIES_MAX);
        fanout_deliver_to(&step, member);
    }
    fanout_count_traffic(&step, NULL);
}

void fanout_before_leave_locked(struct channel *channel, const struct member *member, struct task_list *ready) {
    const struct members *members = &channel->members;
    uint32_t last = members->count - 1, index = (uint32_t)(member - members->list);
    if (channel->row.fanning_out > 0 && index < channel->row.cursor && last >= channel->row.cursor)
        fanout_deliver_to_locked(channel, &members->list[last], ready);
}

/* --- Steps ------------------------------------------------------------------------------------------------- */

static void fanout_continue_locked(struct channel *channel, struct task_list *ready) {
    struct row *row = &channel->row;
    const struct members *members = &channel->members;
    struct step step = {.ready = ready};
    struct delivery *first = row->first;
    fanout_take(&step, &first, row->fanning_out);
    uint32_t left = STEP_MEMBERS;
    for (; row->cursor < members->count && left > 0; left--) {
        if (row->cursor + AHEAD < members->count)
            conn_prefetch(members->list[row->cursor + AHEAD].conn);
        fanout_deliver_to(&step, &members->list[row->cursor++]);
    }
    fanout_count_traffic(&step, NULL);
    if (row->cursor >= members->count)
        row_end_fanout_locked(channel, ready);
}

/* Sends away some of the subscribers that are left in a channel that has been closed. */
static void fanout_send_away_some_locked(struct channel *channel, struct task_list *ready) {
    struct row *row = &channel->row;
    uint32_t count = channel->members.count, left = STEP_MEMBERS;
    if (row->sent_away > count)
        row->sent_away = count;
    for (; row->sent_away > 0 && left > 0; left--)
        conn_send_away(channel->members.list[--row->sent_away].conn, "the channel was closed", ready);
}

/* Takes one step: of the fan-out under way, else of the next one, else of sending away the subscribers of a channel
 * that has been closed. Returns whether there is more to do. */
static bool fanout_step_locked(struct channel *channel, struct task_list *ready) {
    struct row *row = &channel->row;
    mutex_check_held(&channel->mutex);
    if (row->fanning_out == 0) {
        row->fanning_out = row_count_due_locked(channel, DELIVERIES_MAX);
        row->cursor = 0;
    }
    if (row->fanning_out > 0)
        fanout_continue_locked(channel, ready);
    else
        fanout_send_away_some_locked(channel, ready);
    return row->fanning_out > 0 || row->sent_away > 0 || row_count_due_locked(channel, DELIVERIES_MAX) > 0;
}

/* --- Starting ---------------------------------------------------------------------------------------------- */

void fanout_start_locked(struct channel *channel, struct task_list *ready) {
    if (fanout_step_locked(channel, ready))
        task_claim_into(&channel->fanout, ready);
}

void fanout_start_soon_locked(struct channel *channel, struct task_list *ready) {
    if (pool_is_deferring() && channel->members.count >= MANY_MEMBERS && channel->row.count < DELIVERIES_MAX)
        task_claim_into(&channel->fanout, ready);
    else
        fanout_start_locked(channel, ready);
}

/* Takes at most as many steps as one fan-out takes. */
void fanout_help(struct channel *channel) {
    bool full = true;
    uint32_t steps = 1;
    for (uint32_t i = 0; full && i < steps; i++) {
        struct task_list ready = {0};
        mutex_lock(&channel->mutex);
        steps = channel->members.count / STEP_MEMBERS + 1;
        fanout_start_locked(channel, &ready);
        full = row_is_full_locked(&channel->row);
        mutex_unlock(&channel->mutex);
        pool_submit_list(channel->channels->core->pool, &ready);
    }
}

/* --- The task ---------------------------------------------------------------------------------------------- */

#define CHANNEL_OF(task) ((struct channel *)((char *)(task)-offsetof(struct channel, fanout)))

/* Takes one step in each run: between runs, messages leave for the subscribers that it met. */
static void fanout_task_run(struct task *task) {
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

static void fanout_task_retain(struct task *task) {
    channel_retain(CHANNEL_OF(task));
}

static void fanout_task_release(struct task *task) {
    channel_release(CHANNEL_OF(task));
}

static const struct task_kind fanout_task_kind = {
    .queue = TASK_IO, .run = fanout_task_run, .retain = fanout_task_retain, .release = fanout_task_release};

void fanout_init(struct channel *channel) {
    task_init(&channel->fanout, &fanout_task_kind);
}
