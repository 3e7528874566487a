/* slots.h - a table of owners found by number. A number is a slot and the slot's generation, so a number that was
 * given back never finds another owner. No locks: the user guards the table.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BASE_SLOTS_H
#define WEIR_BASE_SLOTS_H

#include <stddef.h>
#include <stdint.h>

enum { SLOTS_NO_KEY = 0 };

struct slot {
    void *owner; /* NULL: the slot is free */
    uint32_t generation;
    uint32_t next_free;
};

/* All zero is an empty table. */
struct slots {
    struct slot *table;
    uint32_t count;      /* slots that have been used at least once, including free ones */
    uint32_t capacity;   /* slots in the allocation; those at and beyond count have not been touched and cost
                            nothing yet */
    uint32_t first_free; /* index + 1; 0: no slot below count is free */
};

/* Returns a key for the owner, or SLOTS_NO_KEY if memory is exhausted. */
uint64_t slots_take(struct slots *slots, void *owner);
void slots_drop(struct slots *slots, uint64_t key);

/* Returns NULL if the key has been dropped. */
static inline void *slots_find(const struct slots *slots, uint64_t key) {
    uint32_t index = (uint32_t)key - 1; /* no key is 0 */
    if (index >= slots->count || slots->table[index].generation != (uint32_t)(key >> 32))
        return NULL;
    return slots->table[index].owner;
}

void slots_release(struct slots *slots);

#endif
