/* inbox.c - see inbox.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/core/inbox.h"

#include <string.h>

#include "server/core/memory.h"
#include "ws/buffer.h"

struct inbox_item *inbox_item_create(uint8_t opcode, const uint8_t *data, size_t size, uint8_t *heap) {
    struct inbox_item *item = malloc(sizeof *item + (heap == NULL ? size : 0));
    if (item == NULL) {
        buffer_release(heap);
        return NULL;
    }
    size_t data_cost = heap == NULL ? size : buffer_size(heap);
    *item = (struct inbox_item){.size = size, .cost = sizeof *item + data_cost, .opcode = opcode};
    item->data = heap == NULL ? item->copy : heap;
    if (heap == NULL && size > 0)
        memcpy(item->copy, data, size);
    memory_count((int64_t)item->cost);
    return item;
}

void inbox_item_destroy(struct inbox_item *item) {
    memory_count(-(int64_t)item->cost);
    if (item->data != item->copy)
        buffer_release(item->data);
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
