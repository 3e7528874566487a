/* test_members.c - the subscribers of one channel, compared with a plain array.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdbool.h>
#include <stdlib.h>

#include "server/channels/members.h"
#include "tests/unit/suites.h"

/* These pointers are never followed: they are invented, at distances like those of the heap. */
static struct weir_conn *conn_at(size_t index) {
    return (struct weir_conn *)(uintptr_t)(0x7f0000000010 + index * 1104);
}

static struct subscription *subscription_at(size_t index) {
    return (struct subscription *)(uintptr_t)(0x550000000020 + index * 64);
}

static void add(struct members *members, size_t index) {
    ck_assert_int_eq(members_reserve(members), 0);
    members_add(members, conn_at(index), subscription_at(index));
}

/* --- Against an array -------------------------------------------------------------------------------------- */

enum { PEOPLE = 300, STEPS = 20000 };

static void check_finds(const struct members *members, const bool *present) {
    uint32_t count = 0;
    for (size_t i = 0; i < PEOPLE; i++) {
        ck_assert_ptr_eq(members_find(members, conn_at(i)), present[i] ? subscription_at(i) : NULL);
        count += present[i];
    }
    ck_assert_uint_eq(members->count, count);
}

/* Each stands once in the index; that is neither too full nor too large. */
static void check_table(const struct members *members) {
    uint64_t positions = 0, expected = 0;
    uint32_t taken = 0;
    for (uint32_t place = 0; place < members->capacity; place++) {
        positions += members->index[place];
        taken += members->index[place] != 0;
    }
    for (uint32_t i = 0; i < members->count; i++) {
        expected += i + 1;
        ck_assert_ptr_eq(members_find(members, members->list[i].conn), members->list[i].subscription);
    }
    ck_assert_uint_eq(taken, members->count);
    ck_assert_uint_eq(positions, expected);
    ck_assert_uint_eq(members->capacity & (members->capacity - 1), 0);
    ck_assert_uint_le(members->count, members->capacity / 4 * 3);
    if (members->capacity > 4)
        ck_assert_uint_ge(members->count, members->capacity / 8);
    if (members->count == 0)
        ck_assert(members->list == NULL && members->index == NULL);
}

/* Crowds come and go: sometimes most join, sometimes most leave, until none is left. */
START_TEST(members_agree_with_a_plain_array) {
    struct members members = {0};
    bool present[PEOPLE] = {false};
    uint32_t most = 0;
    srand(1);
    for (int step = 0; step < STEPS; step++) {
        bool joins = rand() % 100 < (step / 2000 % 2 == 0 ? 70 : 30);
        size_t who = (size_t)rand() % PEOPLE;
        if (joins == present[who])
            continue;
        if (joins)
            add(&members, who);
        else
            members_remove(&members, conn_at(who));
        present[who] = joins;
        most = members.count > most ? members.count : most;
        check_finds(&members, present);
        check_table(&members);
    }
    ck_assert_uint_gt(most, PEOPLE / 2);
    for (size_t i = 0; i < PEOPLE; i++)
        if (present[i]) {
            members_remove(&members, conn_at(i));
            check_table(&members);
        }
    ck_assert_uint_eq(members.count, 0);
    ck_assert_ptr_null(members.list);
}
END_TEST

/* --- Around the end of the table --------------------------------------------------------------------------- */

enum { CAPACITY = 16, CROWD = 7, LAST = CAPACITY - 1 };

static struct members empty_table(void) {
    struct members members = {.list = calloc(CAPACITY, sizeof(struct member)),
                              .index = calloc(CAPACITY, sizeof(uint32_t)),
                              .capacity = CAPACITY};
    ck_assert(members.list != NULL && members.index != NULL);
    return members;
}

/* The cell where it goes in an empty index. */
static uint32_t home_of(size_t index) {
    struct members members = empty_table();
    uint32_t place = 0;
    members_add(&members, conn_at(index), subscription_at(index));
    while (members.index[place] == 0)
        place++;
    members_release(&members);
    return place;
}

/* Connections whose places are the last two and the first: their probe sequences overlap around the end. */
static void find_crowd(size_t crowd[CROWD]) {
    static const uint32_t homes[CROWD] = {LAST - 1, LAST - 1, LAST, LAST, LAST, 0, 0};
    size_t index = 0;
    for (int i = 0; i < CROWD; i++) {
        while (home_of(index) != homes[i])
            index++;
        crowd[i] = index++;
    }
}

static void shuffle(size_t *items, size_t count) {
    for (size_t i = count; i > 1; i--) {
        size_t other = (size_t)rand() % i, item = items[i - 1];
        items[i - 1] = items[other];
        items[other] = item;
    }
}

START_TEST(members_are_found_after_removals_from_a_full_probe) {
    size_t crowd[CROWD];
    find_crowd(crowd);
    srand(2);
    for (int round = 0; round < 3000; round++) {
        struct members members = empty_table();
        shuffle(crowd, CROWD);
        for (int i = 0; i < CROWD; i++)
            members_add(&members, conn_at(crowd[i]), subscription_at(crowd[i]));
        ck_assert_uint_ne(members.index[0], 0);
        ck_assert_uint_ne(members.index[LAST], 0);
        shuffle(crowd, CROWD);
        for (int gone = 0; gone < CROWD; gone++) {
            members_remove(&members, conn_at(crowd[gone]));
            for (int i = 0; i < CROWD; i++)
                ck_assert_ptr_eq(members_find(&members, conn_at(crowd[i])),
                                 i <= gone ? NULL : subscription_at(crowd[i]));
        }
        ck_assert_ptr_null(members.list);
    }
}
END_TEST

/* --- Memory ------------------------------------------------------------------------------------------------ */

START_TEST(members_reserve_makes_room_for_one_more) {
    struct members members = {0};
    ck_assert_ptr_null(members_find(&members, conn_at(0)));
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(members_reserve(&members), 0); /* and none joins */
    ck_assert_uint_eq(members.capacity, 4);
    ck_assert_ptr_null(members_find(&members, conn_at(0)));
    for (size_t i = 0; i < 100; i++) {
        ck_assert_int_eq(members_reserve(&members), 0);
        uint32_t reserved = members.capacity;
        ck_assert_int_eq(members_reserve(&members), 0);
        ck_assert_uint_eq(members.capacity, reserved);
        members_add(&members, conn_at(i), subscription_at(i));
        ck_assert_uint_eq(members.capacity, reserved);
        ck_assert_uint_lt(members.count, members.capacity);
    }
    members_release(&members);
    ck_assert_uint_eq(members.count, 0);
    ck_assert_ptr_null(members_find(&members, conn_at(0)));
}
END_TEST

START_TEST(members_shrink_when_a_crowd_leaves) {
    enum { MANY = 10000 };
    struct members members = {0};
    for (size_t i = 0; i < MANY; i++)
        add(&members, i);
    ck_assert_uint_gt(members.capacity, MANY);
    for (size_t i = 0; i < MANY - 2; i++)
        members_remove(&members, conn_at(i));
    ck_assert_uint_le(members.capacity, 16);
    for (size_t i = MANY - 2; i < MANY; i++)
        ck_assert_ptr_eq(members_find(&members, conn_at(i)), subscription_at(i));
    members_release(&members);
}
END_TEST

Suite *members_suite(void) {
    Suite *suite = suite_create("members");
    TCase *tcase = tcase_create("members");
    tcase_add_test(tcase, members_agree_with_a_plain_array);
    tcase_add_test(tcase, members_are_found_after_removals_from_a_full_probe);
    tcase_add_test(tcase, members_reserve_makes_room_for_one_more);
    tcase_add_test(tcase, members_shrink_when_a_crowd_leaves);
    suite_add_tcase(suite, tcase);
    return suite;
}
