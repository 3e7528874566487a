/* members.c - see members.h. The index uses open addressing: if a cell is taken, the next one is tried. When a
 * member leaves, those after it move up, so there are no tombstones.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/channels/members.h"

#include <stdbool.h>
#include <stdlib.h>

#include "server/core/memory.h"

enum { FIRST_CAPACITY = 4, SHRINK_SHARE = 8 };

static uint32_t members_room(uint32_t capacity) {
    return capacity / 4 * 3;
}

/* The cell in the index where a connection belongs. Heap addresses end alike, so they are mixed (Fibonacci
 * hashing). */
static uint32_t members_home(const struct members *members, const struct weir_conn *conn) {
    uint64_t mixed = (uint64_t)(uintptr_t)conn * UINT64_C(0x9E3779B97F4A7C15);
    return (uint32_t)(mixed >> 32) & (members->capacity - 1);
}

static uint32_t members_next(const struct members *members, uint32_t cell) {
    return (cell + 1) & (members->capacity - 1);
}

static const struct weir_conn *members_conn_at(const struct members *members, uint32_t cell) {
    return members->list[members->index[cell] - 1].conn;
}

/* Where a connection is in the index, or where it would be. There is always a free cell. */
static uint32_t members_find_cell(const struct members *members, const struct weir_conn *conn) {
    uint32_t cell = members_home(members, conn);
    while (members->index[cell] != 0 && members_conn_at(members, cell) != conn)
        cell = members_next(members, cell);
    return cell;
}

struct member *members_get(const struct members *members, const struct weir_conn *conn) {
    uint32_t position = members->count == 0 ? 0 : members->index[members_find_cell(members, conn)];
    return position == 0 ? NULL : &members->list[position - 1];
}

struct subscription *members_find(const struct members *members, const struct weir_conn *conn) {
    const struct member *member = members_get(members, conn);
    return member == NULL ? NULL : member->subscription;
}

static int members_resize(struct members *members, uint32_t capacity) {
    size_t before = memory_of_block(members->list);
    uint32_t *index = calloc(capacity, sizeof *index);
    struct member *list = index == NULL ? NULL : realloc(members->list, members_room(capacity) * sizeof *list);
    if (list == NULL) {
        free(index);
        return -1;
    }
    memory_count((int64_t)(memory_of_block(list) + memory_of_block(index)) - (int64_t)before);
    memory_uncount_block(members->index);
    free(members->index);
    members->list = list;
    members->index = index;
    members->capacity = capacity;
    for (uint32_t i = 0; i < members->count; i++)
        index[members_find_cell(members, list[i].conn)] = i + 1;
    return 0;
}

int members_reserve(struct members *members) {
    if (members->capacity == 0)
        return members_resize(members, FIRST_CAPACITY);
    return members->count < members_room(members->capacity) ? 0 : members_resize(members, members->capacity * 2);
}

struct member *members_add(struct members *members, struct weir_conn *conn, struct subscription *subscription) {
    uint32_t cell = members_find_cell(members, conn);
    struct member *member = &members->list[members->count++];
    members->index[cell] = members->count;
    *member = (struct member){.conn = conn, .subscription = subscription};
    return member;
}

/* Whether one that belongs at `its_home` may stay at `cell` when `gap` becomes free: the gap is not on the way
 * from its home to its cell. */
static bool members_may_stay(uint32_t its_home, uint32_t gap, uint32_t cell) {
    return gap <= cell ? its_home > gap && its_home <= cell : its_home > gap || its_home <= cell;
}

static void members_remove_from_index(struct members *members, uint32_t gap) {
    for (uint32_t cell = members_next(members, gap); members->index[cell] != 0;
         cell = members_next(members, cell)) {
        if (members_may_stay(members_home(members, members_conn_at(members, cell)), gap, cell))
            continue;
        members->index[gap] = members->index[cell];
        gap = cell;
    }
    members->index[gap] = 0;
}

void members_remove(struct members *members, const struct weir_conn *conn) {
    uint32_t cell = members_find_cell(members, conn);
    uint32_t position = members->index[cell];
    members_remove_from_index(members, cell);
    const struct member last = members->list[members->count - 1];
    if (position != members->count) {
        members->index[members_find_cell(members, last.conn)] = position;
        members->list[position - 1] = last;
    }
    members->count--;
    if (members->count == 0)
        members_release(members);
    else if (members->capacity > FIRST_CAPACITY && members->count < members->capacity / SHRINK_SHARE)
        members_resize(members, members->capacity / 2); /* if memory is out, it stays as it is */
}

void members_release(struct members *members) {
    memory_uncount_block(members->list);
    memory_uncount_block(members->index);
    free(members->list);
    free(members->index);
    *members = (struct members){.list = NULL};
}
