/* fanout.c - see fanout.h.
 *
 * A fan-out goes from the first subscriber to the last, in the order of memory, which is faster (members.h). When a
 * subscriber leaves that the fan-out has reached, the last one takes its place, and is handed everything that waits
 * first. Each subscriber knows the place in the row up to which it has everything, so one that is met twice gets
 * nothing twice.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/channels/fanout.h"

#include "server/channels/delivery.h"
#include "server/channels/row.h"

enum { AHEAD = 8 /* how many members ahead memory is prefetched */ };

/* --- Handing out ------------------------------------------------------------------------------------------- */

/* A step over some subscribers. */
struct step {
    struct delivery *deliveries[FANOUT_DELIVERIES_MAX]; /* in the order of the row */
    unsigned count;
    uint64_t last; /* the place in the row of the last one */
    struct task_list *ready;

    struct route *route;      /* of the receivers so far; mostly all have the same */
    uint64_t messages, bytes; /* accepted by their connections */
};

static void count_traffic(struct step *step, struct route *next) {
    if (step->route != NULL)
        traffic_sent(&step->route->traffic, step->messages, step->bytes);
    step->route = next;
    step->messages = step->bytes = 0;
}

/* What is handed to one subscriber. */
struct handful {
    const struct message *plain[FANOUT_DELIVERIES_MAX]; /* what the client will read */
    struct message
        *messages[FANOUT_DELIVERIES_MAX]; /* what is sent to it, compressed or not, with a reference each */
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

/* Adds a delivery, unless the member has it already, is to be skipped, or gets no message of that form: an
 * announcement has no raw form. */
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
    handful.count = 0;
    if (member->has >= step->last)
        return; /* it joined later, or has been met before */
    for (unsigned i = 0; i < step->count; i++)
        collect(&handful, step->deliveries[i], member);
    member->has = step->last;
    if (handful.count == 0)
        return;
    if (member->conn->route != step->route)
        count_traffic(step, member->conn->route);
    settle(step, &handful, conn_append_all(member->conn, handful.messages, handful.count, step->ready));
}

/* Takes up to `count` deliveries of the row, FANOUT_DELIVERIES_MAX at most, from `*delivery` on, which is left at
 * the next one. */
static void take(struct step *step, struct delivery **delivery, uint32_t count) {
    for (step->count = 0; step->count < count && step->count < FANOUT_DELIVERIES_MAX && *delivery != NULL;
         *delivery = (*delivery)->next) {
        step->deliveries[step->count++] = *delivery;
        step->last = (*delivery)->place;
    }
}

void fanout_deliver_to_locked(struct channel *channel, struct member *member, struct task_list *ready) {
    struct step step = {.ready = ready};
    mutex_check_held(&channel->mutex);
    for (struct delivery *next = channel->row.first; next != NULL;) {
        take(&step, &next, FANOUT_DELIVERIES_MAX);
        hand_to(&step, member);
    }
    count_traffic(&step, NULL);
}

void fanout_before_leave_locked(struct channel *channel, const struct member *member, struct task_list *ready) {
    const struct members *members = &channel->members;
    uint32_t last = members->count - 1, place = (uint32_t)(member - members->list);
    if (channel->row.fanning_out > 0 && place < channel->row.cursor && last >= channel->row.cursor)
        fanout_deliver_to_locked(channel, &members->list[last], ready);
}

/* --- Steps ------------------------------------------------------------------------------------------------- */

static void fanout_continue_locked(struct channel *channel, struct task_list *ready) {
    struct row *row = &channel->row;
    const struct members *members = &channel->members;
    struct step step = {.ready = ready};
    struct delivery *first = row->first;
    take(&step, &first, row->fanning_out);
    uint32_t left = FANOUT_STEP_MEMBERS;
    for (; row->cursor < members->count && left > 0; left--) {
        if (row->cursor + AHEAD < members->count)
            conn_prefetch(members->list[row->cursor + AHEAD].conn);
        hand_to(&step, &members->list[row->cursor++]);
    }
    count_traffic(&step, NULL);
    if (row->cursor >= members->count)
        row_end_fanout_locked(channel, ready);
}

/* Sends away some of the subscribers that are left in a channel that has been closed. */
static void send_away_some_locked(struct channel *channel, struct task_list *ready) {
    struct row *row = &channel->row;
    uint32_t count = channel->members.count, left = FANOUT_STEP_MEMBERS;
    if (row->sent_away > count)
        row->sent_away = count;
    for (; row->sent_away > 0 && left > 0; left--)
        conn_send_away(channel->members.list[--row->sent_away].conn, "the channel was closed", ready);
}

bool fanout_step_locked(struct channel *channel, struct task_list *ready) {
    struct row *row = &channel->row;
    mutex_check_held(&channel->mutex);
    if (row->fanning_out == 0) {
        row->fanning_out = row_count_due_locked(channel);
        row->cursor = 0;
    }
    if (row->fanning_out > 0)
        fanout_continue_locked(channel, ready);
    else
        send_away_some_locked(channel, ready);
    return row->fanning_out > 0 || row->sent_away > 0 || row_count_due_locked(channel) > 0;
}
