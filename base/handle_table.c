/* handle_table.c - see handle_table.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/handle_table.h"

#include <stdlib.h>

/* Large enough from the start that malloc maps pages for the table alone. Pages that are not touched cost nothing,
 * and growing moves the pages; a smaller table would leave holes as large as itself. */
enum { FIRST_CAPACITY = 16384 };

static int handle_table_grow(struct handle_table *table) {
    uint32_t capacity = table->capacity == 0 ? FIRST_CAPACITY : table->capacity * 2;
    struct handle_entry *entries = realloc(table->entries, capacity * sizeof *entries);
    if (entries == NULL)
        return -1;
    table->entries = entries;
    table->capacity = capacity;
    return 0;
}

/* Adds one entry, which is then the only free one. */
static int handle_table_add_free(struct handle_table *table) {
    if (table->count == table->capacity && handle_table_grow(table) != 0)
        return -1;
    table->entries[table->count++] = (struct handle_entry){.next_free = 0};
    table->first_free = table->count;
    return 0;
}

uint64_t handle_table_add(struct handle_table *table, void *owner) {
    if (table->first_free == 0 && handle_table_add_free(table) != 0)
        return HANDLE_TABLE_NO_KEY;
    uint32_t index = table->first_free - 1;
    struct handle_entry *entry = &table->entries[index];
    table->first_free = entry->next_free;
    entry->owner = owner;
    return (uint64_t)entry->generation << 32 | (index + 1);
}

void handle_table_remove(struct handle_table *table, uint64_t key) {
    uint32_t index = (uint32_t)key - 1;
    struct handle_entry *entry = &table->entries[index];
    entry->owner = NULL;
    entry->generation++;
    entry->next_free = table->first_free;
    table->first_free = index + 1;
}

void handle_table_release(struct handle_table *table) {
    free(table->entries);
    *table = (struct handle_table){0};
}
