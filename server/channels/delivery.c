/* delivery.c - see delivery.h.
 *
 * A handler task compresses a large message, because the pool always keeps another thread for reading and sending.
 * So all other clients are served meanwhile, whether they publish or not.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/channels/delivery.h"

#include <stdlib.h>

#include "server/channels/row.h"
#include "server/channels/wire.h"
#include "server/core/memory.h"
#include "ws/frame.h"

enum {
    QUICK_MAX = 32 * 1024 /* bytes that the publishing thread compresses itself: in a fifth of a millisecond */
};

static const struct task_kind compressing_kind;

static size_t threshold_of(const struct delivery *delivery) {
    return core_terms(delivery->channel->channels->core)->compression_threshold;
}

/* --- Life -------------------------------------------------------------------------------------------------- */

struct delivery *delivery_create(struct channel *channel, const struct weir_conn *skipped) {
    struct delivery *delivery = calloc(1, sizeof *delivery);
    if (delivery == NULL)
        return NULL;
    memory_count_block(delivery);
    delivery->references = 1;
    delivery->channel = channel;
    delivery->skipped = skipped;
    task_init(&delivery->compressing, &compressing_kind);
    return delivery;
}

void delivery_release(struct delivery *delivery) {
    if (delivery == NULL || atomic_fetch_sub_explicit(&delivery->references, 1, memory_order_acq_rel) > 1)
        return;
    for (int form = 0; form < CHANNEL_FORMS; form++)
        parcel_release(&delivery->parcels[form]);
    memory_uncount_block(delivery);
    free(delivery);
}

/* --- Encoding ---------------------------------------------------------------------------------------------- */

static struct message *encode(const struct encoding_input *source, enum channel_form form, uint64_t offset) {
    const struct publication *publication = source->publication;
    if (form == FORM_WRAPPED)
        return wire_message(source->channel, offset, publication,
                            source->names_publisher ? publication->publisher : NULL);
    uint8_t opcode = publication->kind == PUBLICATION_BINARY ? OPCODE_BINARY : OPCODE_TEXT;
    return message_create(opcode, publication->data, publication->size);
}

bool delivery_has(const struct delivery *delivery, enum channel_form form) {
    return parcel_plain(&delivery->parcels[form]) != NULL;
}

static void set_form(struct delivery *delivery, enum channel_form form, struct message *plain) {
    parcel_init(&delivery->parcels[form], plain);
    delivery->size += plain->size;
}

int delivery_encode(struct delivery *delivery, const struct encoding_input *source, enum channel_form form,
                    uint64_t offset) {
    if (delivery_has(delivery, form))
        return 0;
    struct message *plain = encode(source, form, offset);
    if (plain == NULL)
        return -1;
    set_form(delivery, form, plain);
    return 0;
}

bool delivery_set_offset(struct delivery *delivery, uint64_t offset) {
    struct parcel *parcel = &delivery->parcels[FORM_WRAPPED];
    struct message *plain = parcel_plain(parcel);
    if (plain == NULL || wire_set_offset(plain, delivery->channel, offset))
        return true;
    delivery->size -= plain->size;
    parcel_release(parcel);
    parcel_init(parcel, NULL);
    return false;
}

void delivery_set_announcement(struct delivery *delivery, struct message *message) {
    set_form(delivery, FORM_WRAPPED, message);
    delivery->ready = true;
}

/* --- Compressing ------------------------------------------------------------------------------------------- */

bool delivery_needs_compression(struct delivery *delivery) {
    delivery->ready = true;
    for (int form = 0; form < CHANNEL_FORMS; form++) {
        const struct message *plain = parcel_plain(&delivery->parcels[form]);
        if (plain != NULL && parcel_is_compressible(&delivery->channel->audience[form], threshold_of(delivery),
                                                    message_payload_size(plain)))
            delivery->ready = false;
    }
    return !delivery->ready;
}

/* It may have been handed out uncompressed already; then `ready` has no effect. */
static void set_ready(struct delivery *delivery) {
    struct channel *channel = delivery->channel;
    struct task_list ready = {0};
    mutex_lock(&channel->mutex);
    delivery->ready = true;
    row_hand_out_soon_locked(channel, &ready);
    mutex_unlock(&channel->mutex);
    pool_submit_list(channel->channels->core->pool, &ready);
}

static void compress_here(struct delivery *delivery) {
    for (int form = 0; form < CHANNEL_FORMS; form++)
        if (delivery_has(delivery, (enum channel_form)form))
            parcel_compress(&delivery->parcels[form], &delivery->channel->audience[form], threshold_of(delivery));
    set_ready(delivery);
}

/* No task is used while handlers hold all slots: it would wait until one of them returns. */
void delivery_compress(struct delivery *delivery) {
    struct pool *pool = delivery->channel->channels->core->pool;
    if (delivery->size <= QUICK_MAX)
        compress_here(delivery);
    else if (pool_has_slot(pool))
        pool_submit(pool, &delivery->compressing);
    else
        set_ready(delivery);
}

#define DELIVERY_OF(task) ((struct delivery *)((char *)(task)-offsetof(struct delivery, compressing)))

static void compressing_run(struct task *task) {
    struct pool *pool = DELIVERY_OF(task)->channel->channels->core->pool;
    compress_here(DELIVERY_OF(task));
    pool_finish(pool, task);
}

static void compressing_retain(struct task *task) {
    struct delivery *delivery = DELIVERY_OF(task);
    atomic_fetch_add_explicit(&delivery->references, 1, memory_order_relaxed);
    channel_retain(delivery->channel);
}

static void compressing_release(struct task *task) {
    struct channel *channel = DELIVERY_OF(task)->channel;
    delivery_release(DELIVERY_OF(task));
    channel_release(channel);
}

static struct lane *compressing_lane(struct task *task) {
    return &DELIVERY_OF(task)->channel->channels->compressing;
}

static const struct task_kind compressing_kind = {.queue = TASK_HANDLER,
                                                  .run = compressing_run,
                                                  .retain = compressing_retain,
                                                  .release = compressing_release,
                                                  .lane = compressing_lane};
