/* inbox.h - messages that have been decoded and wait for their handler, counted in bytes with what they cost in
 * memory.
 *
 * No lock of its own: the connection's latch guards it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CORE_INBOX_H
#define WEIR_CORE_INBOX_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

struct inbox_item {
    struct inbox_item *next; /* of the last: the first */
    uint8_t *data; /* behind this struct, or a buffer (buffer.h) taken over from the decoder; NULL: it is gone */
    size_t size;
    size_t cost; /* bytes of memory: of this struct, and of a buffer as large as it is */
    uint8_t opcode;
    uint8_t copy[];
};

/* All zero is an empty inbox. */
struct inbox {
    struct inbox_item *last; /* NULL: it is empty */
    size_t bytes;
};

static inline bool inbox_is_empty(const struct inbox *inbox) {
    return inbox->last == NULL;
}

/* A new item. `heap` is taken over if it is not NULL (also if this fails), else `data` is copied. NULL if memory is
 * out. */
struct inbox_item *inbox_item_create(uint8_t opcode, const uint8_t *data, size_t size, uint8_t *heap);
void inbox_item_destroy(struct inbox_item *item);

void inbox_push(struct inbox *inbox, struct inbox_item *item);
struct inbox_item *inbox_pop(struct inbox *inbox); /* NULL if it is empty */
void inbox_release(struct inbox *inbox);

#endif
