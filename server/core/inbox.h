/* inbox.h - decoded messages that wait for their handler, counted in bytes of memory, overhead included.
 *
 * It has no lock of its own: the connection's latch guards it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CORE_INBOX_H
#define WEIR_CORE_INBOX_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

struct inbox_item {
    struct inbox_item *next; /* in the last item: the first one */
    uint8_t *data; /* the copy after this struct, or a buffer (buffer.h) taken over from the decoder; NULL: it was
                      handed on */
    size_t size;
    size_t cost; /* bytes of memory: this struct and its copy, or the full size of the buffer */
    uint8_t opcode;
    uint8_t copy[];
};

/* All zero is an empty inbox. */
struct inbox {
    struct inbox_item *last; /* NULL: the inbox is empty */
    size_t bytes;
};

static inline bool inbox_is_empty(const struct inbox *inbox) {
    return inbox->last == NULL;
}

/* Creates an item. If `heap` is not NULL it is taken over, even on failure; otherwise `data` is copied. Returns
 * NULL if memory is exhausted. */
struct inbox_item *inbox_item_create(uint8_t opcode, const uint8_t *data, size_t size, uint8_t *heap);
void inbox_item_destroy(struct inbox_item *item);

void inbox_push(struct inbox *inbox, struct inbox_item *item);
struct inbox_item *inbox_pop(struct inbox *inbox); /* NULL if it is empty */
void inbox_release(struct inbox *inbox);

#endif
