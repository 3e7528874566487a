/* inbox.c - see inbox.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/core/inbox.h"

#include <string.h>

#include "server/core/memory.h"
#include "ws/buffer.h"

struct inbox_item *inbox_item_create(struct payload *payload) {
    bool copies = payload->buffer == NULL;
    struct inbox_item *item = malloc(sizeof *item + (copies ? payload->size : 0));
    if (item == NULL) {
        payload_release(payload);
        return NULL;
    }
    *item = (struct inbox_item){.payload = *payload};
    item->cost = sizeof *item + (copies ? payload->size : buffer_size(payload_take(payload)));
    if (copies)
        item->payload.data = item->copy;
    if (copies && payload->size > 0)
        memcpy(item->copy, payload->data, payload->size);
    memory_count((int64_t)item->cost);
    return item;
}

void inbox_item_destroy(struct inbox_item *item) {
    memory_count(-(int64_t)item->cost);
    payload_release(&item->payload);
    free(item);
}

void inbox_push(struct inbox *inbox, struct inbox_item *item) {
    struct inbox_item *last = inbox->last;
    item->next = last == NULL ? item : last->next;
    if (last != NULL)
        last->next = item;
    inbox->last = item;
    inbox->bytes += item->cost;
}

struct inbox_item *inbox_pop(struct inbox *inbox) {
    if (inbox_is_empty(inbox))
        return NULL;
    struct inbox_item *item = inbox->last->next;
    if (item == inbox->last)
        inbox->last = NULL;
    else
        inbox->last->next = item->next;
    inbox->bytes -= item->cost;
    return item;
}

void inbox_release(struct inbox *inbox) {
    struct inbox_item *item;
    while ((item = inbox_pop(inbox)) != NULL)
        inbox_item_destroy(item);
}
