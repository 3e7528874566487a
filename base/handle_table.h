/* handle_table.h - a table of owners found by number. A number is an index and a generation, so a number that was
 * given back never finds another owner. No locks: the user guards the table.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BASE_HANDLE_TABLE_H
#define WEIR_BASE_HANDLE_TABLE_H

#include <stddef.h>
#include <stdint.h>

enum { HANDLE_TABLE_NO_KEY = 0 };

struct handle_entry {
    void *owner; /* NULL: the entry is free */
    uint32_t generation;
    uint32_t next_free;
};

/* All zero is an empty table. */
struct handle_table {
    struct handle_entry *entries;
    uint32_t count;      /* entries that have been used at least once, including free ones */
    uint32_t capacity;   /* entries in the allocation; those at and beyond count have not been touched and cost
                            nothing yet */
    uint32_t first_free; /* index + 1; 0: no entry below count is free */
};

/* Returns a key for the owner, or HANDLE_TABLE_NO_KEY if memory is exhausted. */
uint64_t handle_table_add(struct handle_table *table, void *owner);
void handle_table_remove(struct handle_table *table, uint64_t key);

/* Returns NULL if the key has been removed. */
static inline void *handle_table_find(const struct handle_table *table, uint64_t key) {
    uint32_t index = (uint32_t)key - 1; /* no key is 0 */
    if (index >= table->count || table->entries[index].generation != (uint32_t)(key >> 32))
        return NULL;
    return table->entries[index].owner;
}

void handle_table_release(struct handle_table *table);

#endif
