/* delivery.c - see delivery.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/channels/delivery.h"

#include <stdlib.h>

#include "server/channels/wire.h"
#include "server/core/memory.h"
#include "ws/frame.h"

/* --- Life -------------------------------------------------------------------------------------------------- */

struct delivery *delivery_create(struct channel *channel, const struct weir_conn *skipped) {
    struct delivery *delivery = calloc(1, sizeof *delivery);
    if (delivery == NULL)
        return NULL;
    memory_count_block(delivery);
    delivery->references = 1;
    delivery->channel = channel;
    delivery->skipped = skipped;
    return delivery;
}

void delivery_release(struct delivery *delivery) {
    if (delivery == NULL || atomic_fetch_sub_explicit(&delivery->references, 1, memory_order_acq_rel) > 1)
        return;
    for (int form = 0; form < CHANNEL_FORMS; form++)
        encodings_release(&delivery->encodings[form]);
    memory_uncount_block(delivery);
    free(delivery);
}

/* --- Encoding ---------------------------------------------------------------------------------------------- */

static struct message *delivery_encode_form(const struct encoding_input *input, enum channel_form form,
                                            uint64_t offset) {
    const struct publication *publication = input->publication;
    if (form == FORM_WRAPPED)
        return wire_message(input->channel, offset, publication,
                            input->names_publisher ? publication->publisher : NULL);
    uint8_t opcode = publication->kind == PUBLICATION_BINARY ? OPCODE_BINARY : OPCODE_TEXT;
    return message_create(opcode, publication->data, publication->size);
}

bool delivery_has(const struct delivery *delivery, enum channel_form form) {
    return encodings_plain(&delivery->encodings[form]) != NULL;
}

static void delivery_set_form(struct delivery *delivery, enum channel_form form, struct message *plain) {
    encodings_init(&delivery->encodings[form], plain);
    delivery->size += plain->size;
}

int delivery_encode(struct delivery *delivery, const struct encoding_input *input, enum channel_form form,
                    uint64_t offset) {
    if (delivery_has(delivery, form))
        return 0;
    struct message *plain = delivery_encode_form(input, form, offset);
    if (plain == NULL)
        return -1;
    delivery_set_form(delivery, form, plain);
    return 0;
}

bool delivery_set_offset(struct delivery *delivery, uint64_t offset) {
    struct encodings *encodings = &delivery->encodings[FORM_WRAPPED];
    struct message *plain = encodings_plain(encodings);
    if (plain == NULL || wire_set_offset(plain, delivery->channel, offset))
        return true;
    delivery->size -= plain->size;
    encodings_release(encodings);
    encodings_init(encodings, NULL);
    return false;
}

void delivery_set_announcement(struct delivery *delivery, struct message *message) {
    delivery_set_form(delivery, FORM_WRAPPED, message);
    delivery->ready = true;
}
