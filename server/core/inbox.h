/* inbox.h - decoded messages that wait for their handler, counted in bytes of memory, overhead included.
 *
 * It has no lock of its own: the connection's mutex guards it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CORE_INBOX_H
#define WEIR_CORE_INBOX_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "server/core/payload.h"

struct inbox_item {
    struct inbox_item *next; /* in the last item: the first one */
    struct payload payload;  /* its bytes are the copy after this struct, or in a buffer */
    size_t cost;             /* bytes of memory: this struct and its copy, or the full size of the buffer */
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

/* Creates an item. Takes the payload's buffer, even on failure; bytes that are in none are copied. Returns NULL if
 * memory is exhausted. */
struct inbox_item *inbox_item_create(struct payload *payload);
void inbox_item_destroy(struct inbox_item *item);

void inbox_push(struct inbox *inbox, struct inbox_item *item);
struct inbox_item *inbox_pop(struct inbox *inbox); /* NULL if it is empty */
void inbox_release(struct inbox *inbox);

#endif
