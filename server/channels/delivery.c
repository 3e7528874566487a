/* delivery.c - see delivery.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/channels/delivery.h"

#include <stdlib.h>

#include "server/channels/wire.h"
#include "server/proto/frame.h"

enum { AHEAD = 8 /* members that are fetched from memory before it is their turn */ };

/* --- Life -------------------------------------------------------------------------------------------------- */

struct delivery *delivery_create(const struct publication *publication, uint64_t offset) {
    struct delivery *delivery = calloc(1, sizeof *delivery);
    if (delivery == NULL)
        return NULL;
    delivery->offset = offset;
    delivery->skipped = publication->skip_publisher ? publication->publisher : NULL;
    return delivery;
}

void delivery_destroy(struct delivery *delivery) {
    for (int form = 0; form < CHANNEL_FORMS; form++)
        parcel_release(&delivery->parcels[form]);
    free(delivery);
}

static struct message *encode(const struct delivery *delivery, const struct delivery_source *source,
                              enum channel_form form) {
    const struct publication *publication = source->publication;
    if (form == FORM_WRAPPED)
        return wire_message(source->channel, delivery->offset, publication,
                            source->names_publisher ? publication->publisher : NULL);
    uint8_t opcode = publication->kind == PUBLICATION_BINARY ? OPCODE_BINARY : OPCODE_TEXT;
    return message_create(opcode, publication->data, publication->size);
}

int delivery_encode(struct delivery *delivery, const struct delivery_source *source, enum channel_form form) {
    struct channel *channel = source->channel;
    if (delivery->parcels[form].plain.message != NULL)
        return 0;
    struct message *plain = encode(delivery, source, form);
    if (plain == NULL)
        return -1;
    parcel_make(&delivery->parcels[form], plain, &channel->audience[form],
                core_terms(channel->channels->core)->compression_threshold);
    return 0;
}

/* --- Handing out ------------------------------------------------------------------------------------------- */

/* One walk over the subscribers. */
struct walk {
    struct delivery *deliveries[DELIVERIES_MAX]; /* in the order of their offsets */
    unsigned count;
    struct task_list *ready;

    struct route *route;      /* of the receivers before, mostly that of all */
    uint64_t messages, bytes; /* accepted for them */
};

static void count_traffic(struct walk *walk, struct route *next) {
    if (walk->route != NULL)
        traffic_sent(&walk->route->traffic, walk->messages, walk->bytes);
    walk->route = next;
    walk->messages = walk->bytes = 0;
}

/* What is handed to one subscriber. */
struct handful {
    const struct message *plain[DELIVERIES_MAX]; /* what it reads */
    struct message *messages[DELIVERIES_MAX];    /* as they are sent to it, with a reference each */
    unsigned count;
};

static void settle(struct walk *walk, const struct handful *handful, uint64_t accepted) {
    for (unsigned i = 0; i < handful->count; i++, accepted >>= 1) {
        if ((accepted & 1) == 0) {
            message_release(handful->messages[i]);
            continue;
        }
        walk->messages++;
        walk->bytes += message_payload_size(handful->plain[i]);
    }
}

/* Who joined behind a message has been told that it is past, and what of it was missed. */
static void hand_to(struct walk *walk, const struct member *member) {
    struct handful handful;
    handful.count = 0;
    for (unsigned i = 0; i < walk->count; i++) {
        struct delivery *delivery = walk->deliveries[i];
        if (delivery->offset <= member->joined_behind || delivery->skipped == member->conn)
            continue;
        struct parcel *parcel = &delivery->parcels[member->form];
        handful.plain[handful.count] = parcel->plain.message;
        handful.messages[handful.count++] = parcel_take(parcel, member->conn);
    }
    if (handful.count == 0)
        return;
    if (member->conn->route != walk->route)
        count_traffic(walk, member->conn->route);
    settle(walk, &handful, conn_append_all(member->conn, handful.messages, handful.count, walk->ready));
}

static void walk_locked(const struct members *members, struct walk *walk) {
    for (uint32_t i = 0; i < members->count; i++) {
        if (i + AHEAD < members->count)
            conn_prefetch(members->list[i + AHEAD].conn);
        hand_to(walk, &members->list[i]);
    }
    count_traffic(walk, NULL);
}

void delivery_drop(struct channel *channel) {
    struct delivery *next;
    for (struct delivery *delivery = channel->pending; delivery != NULL; delivery = next) {
        next = delivery->next;
        delivery_destroy(delivery);
    }
    channel->pending = NULL;
    channel->pending_end = &channel->pending;
    channel->pending_count = 0;
}

void delivery_hand_out_locked(struct channel *channel, struct task_list *ready) {
    struct walk walk = {.ready = ready};
    mutex_check_held(&channel->mutex);
    for (struct delivery *delivery = channel->pending; delivery != NULL; delivery = delivery->next)
        walk.deliveries[walk.count++] = delivery;
    if (walk.count == 0)
        return;
    walk_locked(&channel->members, &walk);
    delivery_drop(channel);
}
