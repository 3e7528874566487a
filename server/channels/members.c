/* members.c - see members.h. Open addressing: a place that is taken sends one on to the next, and who leaves has
 * those behind move up, so there are no gravestones.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/channels/members.h"

#include <stdbool.h>
#include <stdlib.h>

enum { FIRST_CAPACITY = 4, SHRINK_SHARE = 8 };

/* The place where a connection belongs. Addresses of the heap end alike, so they are mixed (Fibonacci hashing). */
static uint32_t home(const struct members *members, const struct weir_conn *conn) {
    uint64_t mixed = (uint64_t)(uintptr_t)conn * UINT64_C(0x9E3779B97F4A7C15);
    return (uint32_t)(mixed >> 32) & (members->capacity - 1);
}

static uint32_t next(const struct members *members, uint32_t place) {
    return (place + 1) & (members->capacity - 1);
}

/* Where it is, or where it would be. There is always a free place. */
static uint32_t find_place(const struct members *members, const struct weir_conn *conn) {
    uint32_t place = home(members, conn);
    while (members->table[place].conn != NULL && members->table[place].conn != conn)
        place = next(members, place);
    return place;
}

struct subscription *members_find(const struct members *members, const struct weir_conn *conn) {
    return members->count == 0 ? NULL : members->table[find_place(members, conn)].subscription;
}

static int resize(struct members *members, uint32_t capacity) {
    struct members resized = {.table = calloc(capacity, sizeof *resized.table), .capacity = capacity};
    if (resized.table == NULL)
        return -1;
    for (uint32_t place = 0; place < members->capacity; place++)
        if (members->table[place].conn != NULL)
            *members_add(&resized, members->table[place].conn, members->table[place].subscription) =
                members->table[place];
    free(members->table);
    *members = resized;
    return 0;
}

/* A quarter stays free, so that searches are short. */
int members_reserve(struct members *members) {
    if (members->capacity == 0)
        return resize(members, FIRST_CAPACITY);
    if (members->count < members->capacity / 4 * 3)
        return 0;
    return resize(members, members->capacity * 2);
}

struct member *members_add(struct members *members, struct weir_conn *conn, struct subscription *subscription) {
    struct member *member = &members->table[find_place(members, conn)];
    *member = (struct member){.conn = conn, .subscription = subscription};
    members->count++;
    return member;
}

/* Whether one that belongs at `its_home` may stand at `place` when `gap` becomes free: the gap does not lie on its
 * way. */
static bool may_stay(uint32_t its_home, uint32_t gap, uint32_t place) {
    return gap <= place ? its_home > gap && its_home <= place : its_home > gap || its_home <= place;
}

void members_remove(struct members *members, const struct weir_conn *conn) {
    uint32_t gap = find_place(members, conn);
    for (uint32_t place = next(members, gap); members->table[place].conn != NULL; place = next(members, place)) {
        if (may_stay(home(members, members->table[place].conn), gap, place))
            continue;
        members->table[gap] = members->table[place];
        gap = place;
    }
    members->table[gap] = (struct member){.conn = NULL};
    members->count--;
    if (members->count == 0)
        members_release(members);
    else if (members->capacity > FIRST_CAPACITY && members->count < members->capacity / SHRINK_SHARE)
        resize(members, members->capacity / 2); /* if memory is out, it stays as it is */
}

void members_release(struct members *members) {
    free(members->table);
    *members = (struct members){.table = NULL};
}
