/* outbox.c - see outbox.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/core/outbox.h"

#include <stdlib.h>

static uint32_t outbox_cost(const struct message *message) {
    return (uint32_t)message->size + OUTBOX_MESSAGE_OVERHEAD;
}

static void outbox_count(struct outbox *outbox, const struct message *message) {
    outbox->bytes += outbox_cost(message);
    if (message->is_reply)
        outbox->reply_bytes += outbox_cost(message);
}

static void outbox_uncount(struct outbox *outbox, const struct message *message) {
    outbox->bytes -= outbox_cost(message);
    if (message->is_reply)
        outbox->reply_bytes -= outbox_cost(message);
}

static uint32_t outbox_capacity(const struct outbox *outbox) {
    return outbox->ring_order == 0 ? OUTBOX_FEW : UINT32_C(1) << outbox->ring_order;
}

static uint32_t outbox_index(const struct outbox *outbox, uint32_t index) {
    return (outbox->first + index) & (outbox_capacity(outbox) - 1);
}

static struct message **outbox_cell(struct outbox *outbox, uint32_t index) {
    struct message **ring = outbox->ring_order == 0 ? outbox->few : outbox->ring;
    return &ring[outbox_index(outbox, index)];
}

static int outbox_grow(struct outbox *outbox) {
    unsigned order = outbox->ring_order == 0 ? OUTBOX_ORDER_MIN : outbox->ring_order + 1u;
    struct message **ring = malloc(sizeof *ring << order);
    if (ring == NULL)
        return -1;
    for (uint32_t i = 0; i < outbox->count; i++)
        ring[i] = *outbox_cell(outbox, i);
    if (outbox->ring_order > 0)
        free(outbox->ring);
    outbox->ring = ring;
    outbox->ring_order = (uint8_t)order;
    outbox->first = 0;
    return 0;
}

int outbox_push(struct outbox *outbox, struct message *message) {
    if (outbox->count == outbox_capacity(outbox) && outbox_grow(outbox) != 0)
        return -1;
    *outbox_cell(outbox, outbox->count++) = message;
    outbox_count(outbox, message);
    return 0;
}

int outbox_prepend(struct outbox *outbox, struct outbox *front) {
    for (uint32_t i = 0; i < outbox->count; i++) {
        struct message *message = message_retain(*outbox_cell(outbox, i));
        if (outbox_push(front, message) != 0) {
            message_release(message);
            return -1;
        }
    }
    outbox_release(outbox);
    front->sent_messages = outbox->sent_messages;
    front->sent_payload = outbox->sent_payload;
    front->sent_wire = outbox->sent_wire;
    *outbox = *front;
    *front = (struct outbox){0};
    return 0;
}

int outbox_fill_vectors(struct outbox *outbox, struct iovec *vectors, int max) {
    int vector_count = 0;
    size_t offset = outbox->offset;
    uint32_t i = 0;
    for (; i < outbox->count && vector_count < max; i++) {
        struct message *message = *outbox_cell(outbox, i);
        if (message->form == MESSAGE_OWN)
            vectors[vector_count++] = (struct iovec){message->bytes + offset, message->size - offset};
        else
            vector_count += message_fill_vectors(message, offset, vectors + vector_count, max - vector_count);
        offset = 0;
    }
    outbox->in_flight = (uint8_t)i;
    return vector_count;
}

static void outbox_pop(struct outbox *outbox) {
    struct message *message = *outbox_cell(outbox, 0);
    outbox_uncount(outbox, message);
    outbox->offset = 0;
    outbox->first = outbox_index(outbox, 1);
    outbox->count--;
    if (outbox->committed > 0)
        outbox->committed--;
    message_release(message);
}

static void outbox_count_sent(struct outbox *outbox) {
    const struct message *message = *outbox_cell(outbox, 0);
    if (!message_is_data(message))
        return;
    outbox->sent_messages++;
    outbox->sent_payload += message->plain_size;
}

void outbox_trim(struct outbox *outbox) {
    if (outbox->count > 0)
        return;
    if (outbox->ring_order > 0)
        free(outbox->ring);
    outbox->ring_order = 0;
    outbox->first = 0;
}

void outbox_sent(struct outbox *outbox, size_t size) {
    outbox->in_flight = 0;
    outbox->sent_wire += size;
    while (size > 0) {
        size_t left = (*outbox_cell(outbox, 0))->size - outbox->offset;
        if (size < left) {
            outbox->offset += (uint32_t)size;
            return;
        }
        size -= left;
        outbox_count_sent(outbox);
        outbox_pop(outbox);
    }
    if (outbox->ring_order > OUTBOX_ORDER_KEPT)
        outbox_trim(outbox);
}

struct message *outbox_commit(struct outbox *outbox) {
    return outbox->committed == outbox->count ? NULL : *outbox_cell(outbox, outbox->committed++);
}

void outbox_replace_committed(struct outbox *outbox, struct message *message) {
    struct message **cell = outbox_cell(outbox, outbox->committed - 1);
    outbox_uncount(outbox, *cell);
    message_release(*cell);
    *cell = message;
    outbox_count(outbox, message);
}

/* The number of messages at the front that are certain to be sent. */
static uint32_t outbox_kept_count(const struct outbox *outbox) {
    uint32_t kept = outbox->in_flight > outbox->committed ? outbox->in_flight : outbox->committed;
    return kept == 0 && outbox->offset > 0 ? 1 : kept;
}

bool outbox_drop_oldest(struct outbox *outbox) {
    uint32_t kept = outbox_kept_count(outbox);
    while (kept < outbox->count && message_is_control(*outbox_cell(outbox, kept)))
        kept++;
    if (outbox->count <= kept)
        return false;
    struct message *message = *outbox_cell(outbox, kept);
    for (uint32_t i = kept; i > 0; i--)
        *outbox_cell(outbox, i) = *outbox_cell(outbox, i - 1);
    outbox->first = outbox_index(outbox, 1);
    outbox->count--;
    outbox_uncount(outbox, message);
    message_release(message);
    return true;
}

void outbox_drop_unsent(struct outbox *outbox) {
    uint32_t kept = outbox_kept_count(outbox);
    while (outbox->count > kept) {
        struct message *message = *outbox_cell(outbox, --outbox->count);
        outbox_uncount(outbox, message);
        message_release(message);
    }
}

void outbox_release(struct outbox *outbox) {
    while (outbox->count > 0)
        outbox_pop(outbox);
    if (outbox->ring_order > 0)
        free(outbox->ring);
    *outbox = (struct outbox){.sent_messages = outbox->sent_messages,
                              .sent_payload = outbox->sent_payload,
                              .sent_wire = outbox->sent_wire};
}
