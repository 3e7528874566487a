/* slots.c - see slots.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/slots.h"

#include <stdlib.h>

/* Large enough from the start that malloc maps pages for the table alone. Pages that are not touched cost nothing,
 * and growing moves the pages; a smaller table would leave holes as large as itself. */
enum { FIRST_CAPACITY = 16384 };

static int grow(struct slots *slots) {
    uint32_t capacity = slots->capacity == 0 ? FIRST_CAPACITY : slots->capacity * 2;
    struct slot *table = realloc(slots->table, capacity * sizeof *table);
    if (table == NULL)
        return -1;
    slots->table = table;
    slots->capacity = capacity;
    return 0;
}

/* Adds one slot, which is then the only free one. */
static int add(struct slots *slots) {
    if (slots->count == slots->capacity && grow(slots) != 0)
        return -1;
    slots->table[slots->count++] = (struct slot){.next_free = 0};
    slots->first_free = slots->count;
    return 0;
}

uint64_t slots_take(struct slots *slots, void *owner) {
    if (slots->first_free == 0 && add(slots) != 0)
        return SLOTS_NO_KEY;
    uint32_t index = slots->first_free - 1;
    struct slot *slot = &slots->table[index];
    slots->first_free = slot->next_free;
    slot->owner = owner;
    return (uint64_t)slot->generation << 32 | (index + 1);
}

void slots_drop(struct slots *slots, uint64_t key) {
    uint32_t index = (uint32_t)key - 1;
    struct slot *slot = &slots->table[index];
    slot->owner = NULL;
    slot->generation++;
    slot->next_free = slots->first_free;
    slots->first_free = index + 1;
}

void slots_release(struct slots *slots) {
    free(slots->table);
    *slots = (struct slots){0};
}
