/* test_history.c - the history of channels: limits on number and age, and a memory limit for all of them.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/channels/history.h"
#include "server/core/memory.h"
#include "tests/unit/suites.h"
#include "ws/decoder.h"

enum { PLENTY = 1 << 30 };

static struct message *make(uint64_t number, size_t size) {
    char *text = calloc(1, size + 32);
    int length = snprintf(text, 32, "%llu ", (unsigned long long)number);
    struct message *message = message_create(OPCODE_TEXT, text, (size_t)length + size);
    free(text);
    ck_assert_ptr_nonnull(message);
    return message;
}

static uint64_t number_of(const struct message *message) {
    return strtoull((const char *)message_payload(message), NULL, 10);
}

static void append(struct history_store *store, struct history *history, uint64_t number, size_t size,
                   struct history_bounds bounds) {
    struct message *message = make(number, size);
    history_append(store, history, message, &bounds);
    message_release(message);
}

static struct history_slice read_all_of(struct history_store *store, const struct history *history,
                                        uint64_t offset) {
    struct history_slice slice;
    ck_assert_int_eq(history_read(store, history, 0, offset, UINT32_MAX, PLENTY, &slice), 0);
    return slice;
}

/* The history has exactly the last `count` messages up to `offset`. */
static void check_last(struct history_store *store, const struct history *history, uint64_t offset,
                       uint32_t count) {
    struct history_slice slice = read_all_of(store, history, offset);
    ck_assert_uint_eq(history_count(store, history), count);
    ck_assert_uint_eq(slice.count, count);
    ck_assert_int_eq(slice.complete, count == offset);
    ck_assert(!slice.more);
    for (uint32_t i = 0; i < count; i++)
        ck_assert_uint_eq(number_of(slice.messages[i]), offset - count + 1 + i);
    history_slice_release(&slice);
}

static void check_empty(struct history_store *store) {
    ck_assert_uint_eq(store->bytes, 0);
    ck_assert_uint_eq(store->messages, 0);
}

/* --- Number and age ---------------------------------------------------------------------------------------- */

START_TEST(history_keeps_the_last_messages) {
    int64_t before = memory_used();
    struct history_store store;
    history_store_init(&store, PLENTY);
    for (uint32_t count = 0; count < 20; count++) {
        struct history history = {0};
        for (uint64_t offset = 1; offset <= 50; offset++) {
            append(&store, &history, offset, 0, (struct history_bounds){.count = count});
            check_last(&store, &history, offset, offset < count ? (uint32_t)offset : count);
        }
        ck_assert_uint_eq(store.messages, count);
        history_clear(&store, &history);
        ck_assert_ptr_null(history.ring);
        check_empty(&store);
    }
    ck_assert_uint_eq(store.evicted, 0);
    history_store_release(&store);
    ck_assert_int_eq(memory_used(), before);
}
END_TEST

START_TEST(history_drops_messages_with_age) {
    struct history_store store;
    struct history history = {0};
    history_store_init(&store, PLENTY);
    for (uint64_t offset = 1; offset <= 10; offset++)
        append(&store, &history, offset, 0, (struct history_bounds){.count = 100, .now = 1000 + offset * 10});
    struct history_bounds bounds = {.count = 100, .age_ms = 50, .now = 1000};
    ck_assert_uint_eq(history_trim(&store, &history, &bounds), 10); /* a clock that was read before */
    bounds.now = 1059;
    ck_assert_uint_eq(history_trim(&store, &history, &bounds), 10);
    bounds.now = 1060;
    ck_assert_uint_eq(history_trim(&store, &history, &bounds), 9);
    check_last(&store, &history, 10, 9);
    bounds.age_ms = 0;
    bounds.now = 1000000;
    ck_assert_uint_eq(history_trim(&store, &history, &bounds), 9);
    append(&store, &history, 11, 0, (struct history_bounds){.count = 100, .age_ms = 35, .now = 1125});
    check_last(&store, &history, 11, 2); /* of 1100 and of now */
    bounds.age_ms = 50;
    ck_assert_uint_eq(history_trim(&store, &history, &bounds), 0);
    check_empty(&store);
    history_store_release(&store);
}
END_TEST

START_TEST(history_with_smaller_bounds_drops_messages) {
    struct history_store store;
    struct history history = {0};
    history_store_init(&store, PLENTY);
    for (uint64_t offset = 1; offset <= 40; offset++)
        append(&store, &history, offset, 0, (struct history_bounds){.count = 100});
    append(&store, &history, 41, 0, (struct history_bounds){.count = 7});
    check_last(&store, &history, 41, 7);
    ck_assert_uint_eq(history_trim(&store, &history, &(struct history_bounds){.count = 3}), 3);
    check_last(&store, &history, 41, 3);
    append(&store, &history, 42, 0, (struct history_bounds){.count = 0});
    check_last(&store, &history, 42, 0);
    check_empty(&store);
    history_store_release(&store);
}
END_TEST

/* --- Memory ------------------------------------------------------------------------------------------------ */

/* Of one account. */
START_TEST(history_limit_drops_the_oldest_of_an_account) {
    struct history_store store;
    struct history_account account = {0};
    struct history quiet = {.account = &account}, loud = {.account = &account};
    const struct history_bounds bounds = {.count = 100};
    history_store_init(&store, PLENTY);
    append(&store, &quiet, 1, 1000, bounds);
    size_t cost = store.bytes;
    ck_assert_uint_ge(cost, 1000);
    history_store_set_limit(&store, cost * 4);
    for (uint64_t offset = 1; offset <= 3; offset++)
        append(&store, &loud, offset, 1000, bounds);
    check_last(&store, &quiet, 1, 1);
    check_last(&store, &loud, 3, 3);
    append(&store, &quiet, 2, 1000, bounds); /* its own first message is the oldest */
    check_last(&store, &quiet, 2, 1);
    append(&store, &loud, 4, 1000, bounds);
    append(&store, &loud, 5, 1000, bounds);
    check_last(&store, &quiet, 2, 1);
    check_last(&store, &loud, 5, 3);
    ck_assert_uint_eq(store.evicted, 3);
    ck_assert_uint_eq(store.bytes, store.limit);
    append(&store, &quiet, 3, 1, bounds); /* a byte may cost a whole message */
    check_last(&store, &loud, 5, 2);
    check_last(&store, &quiet, 3, 2);
    history_store_set_limit(&store, cost * 2);
    check_last(&store, &loud, 5, 1); /* first the other one's 2 is dropped, then its 4 */
    check_last(&store, &quiet, 3, 1);
    history_clear(&store, &loud);
    check_last(&store, &quiet, 3, 1);
    history_clear(&store, &quiet);
    check_empty(&store);
    history_store_release(&store);
}
END_TEST

/* Two channels of one client publish, in turn, ten times as much as fits. */
START_TEST(history_of_a_loud_client_displaces_its_own_messages) {
    enum { OTHERS = 20, LOUD = 1000 };
    struct history_store store;
    struct history_account account = {0};
    struct history others[OTHERS] = {{0}}, loud[2] = {{.account = &account}, {.account = &account}};
    const struct history_bounds bounds = {.count = LOUD};
    history_store_init(&store, PLENTY);
    for (int i = 0; i < OTHERS; i++)
        append(&store, &others[i], 1, 1000, bounds);
    history_store_set_limit(&store, store.bytes * 5);
    for (uint64_t offset = 1; offset <= LOUD; offset++)
        append(&store, &loud[offset % 2], (offset + 1) / 2, 1000, bounds);
    for (int i = 0; i < OTHERS; i++)
        check_last(&store, &others[i], 1, 1);
    ck_assert_uint_gt(account.bytes, store.limit / 2);
    ck_assert_uint_le(history_count(&store, &loud[0]) - history_count(&store, &loud[1]) + 1, 2); /* its oldest go */

    /* The others may use three quarters; older messages of the loud client are dropped for them. */
    for (int i = 0; i < OTHERS; i++)
        for (uint64_t offset = 2; offset <= 4; offset++)
            append(&store, &others[i], offset, 1000, bounds);
    ck_assert_uint_le(account.bytes, store.limit / 4);
    for (int i = 0; i < OTHERS; i++)
        ck_assert_uint_ge(history_count(&store, &others[i]), 3);

    history_store_set_limit(&store, 4000);
    ck_assert_uint_le(store.bytes, 4000);
    history_store_set_limit(&store, 0);
    check_empty(&store);
    ck_assert_uint_eq(account.bytes, 0);
    ck_assert_ptr_null(store.heavy);
    history_store_release(&store);
}
END_TEST

/* The same for a channel that no client created. */
START_TEST(history_of_a_loud_channel_displaces_its_own_messages) {
    struct history_store store;
    struct history quiet = {0}, loud = {0};
    const struct history_bounds bounds = {.count = 1000};
    history_store_init(&store, 20000);
    append(&store, &quiet, 1, 1000, bounds);
    for (uint64_t offset = 1; offset <= 1000; offset++)
        append(&store, &loud, offset, 1000, bounds);
    check_last(&store, &quiet, 1, 1);
    ck_assert_uint_gt(store.evicted, 900);
    history_clear(&store, &loud);
    history_clear(&store, &quiet);
    check_empty(&store);
    history_store_release(&store);
}
END_TEST

/* The others keep their messages: dropping them would not have helped. */
START_TEST(history_skips_a_message_larger_than_the_limit) {
    struct history_store store;
    struct history one = {0}, other = {0};
    const struct history_bounds bounds = {.count = 100};
    history_store_init(&store, 10000);
    append(&store, &other, 1, 100, bounds);
    append(&store, &one, 1, 100, bounds);
    append(&store, &one, 2, 10000, bounds);
    check_last(&store, &one, 2, 0);
    check_last(&store, &other, 1, 1);
    ck_assert_uint_eq(store.evicted, 0);
    append(&store, &one, 3, 100, bounds);
    check_last(&store, &one, 3, 1);
    history_store_set_limit(&store, 0);
    check_empty(&store);
    append(&store, &one, 4, 0, bounds);
    check_empty(&store);
    ck_assert_uint_eq(history_count(&store, &one), 0);
    history_store_release(&store);
}
END_TEST

/* The limit counts messages; their ring must shrink with them. */
START_TEST(history_shrinks_when_its_messages_go) {
    struct history_store store;
    struct history history = {0};
    history_store_init(&store, PLENTY);
    for (uint64_t offset = 1; offset <= 10000; offset++)
        append(&store, &history, offset, 0, (struct history_bounds){.count = 10000});
    ck_assert_uint_ge(history.capacity, 10000);
    for (uint32_t count = 10000; count-- > 2;)
        history_trim(&store, &history, &(struct history_bounds){.count = count});
    check_last(&store, &history, 10000, 2);
    ck_assert_uint_le(history.capacity, 16);
    history_clear(&store, &history);
    history_store_release(&store);
}
END_TEST

/* --- Reading ----------------------------------------------------------------------------------------------- */

enum { OFFSET = 25, KEPT = 10, BEFORE = OFFSET - KEPT };

static void check_read(struct history_store *store, const struct history *history, uint64_t since, uint32_t limit,
                       size_t fitting, size_t size) {
    struct history_slice slice;
    ck_assert_int_eq(history_read(store, history, since, OFFSET, limit, fitting * size + size / 2, &slice), 0);
    bool complete = since >= BEFORE && since <= OFFSET;
    uint64_t first = since < BEFORE ? BEFORE + 1 : since + 1;
    size_t available = since > OFFSET ? 0 : (size_t)(OFFSET + 1 - first);
    size_t expected = available < limit ? available : limit;
    size_t most = fitting == 0 ? 1 : fitting; /* one is given, however large */
    expected = expected < most ? expected : most;
    ck_assert_int_eq(slice.complete, complete);
    ck_assert_uint_eq(slice.count, expected);
    ck_assert_uint_eq(slice.bytes, expected * size);
    ck_assert_int_eq(slice.more, expected < available);
    for (uint32_t i = 0; i < slice.count; i++)
        ck_assert_uint_eq(number_of(slice.messages[i]), first + i);
    history_slice_release(&slice);
    ck_assert_ptr_null(slice.messages);
}

START_TEST(history_reads_from_every_position) {
    struct history_store store;
    struct history history = {0};
    history_store_init(&store, PLENTY);
    for (uint64_t offset = 1; offset <= OFFSET; offset++)
        append(&store, &history, offset, offset < 10 ? 31 : 30, (struct history_bounds){.count = KEPT});
    struct history_slice all = read_all_of(&store, &history, OFFSET);
    size_t size = all.bytes / KEPT;
    ck_assert_uint_eq(all.bytes, size * KEPT); /* of one size each */
    history_slice_release(&all);
    for (uint64_t since = 0; since <= OFFSET + 3; since++)
        for (uint32_t limit = 0; limit <= KEPT + 1; limit++)
            for (size_t fitting = 0; fitting <= KEPT + 1; fitting++)
                check_read(&store, &history, since, limit, fitting, size);
    check_read(&store, &history, UINT64_MAX, 5, 5, size);
    check_read(&store, &history, BEFORE, UINT32_MAX, 1000, size);
    history_clear(&store, &history);
    for (uint64_t since = 0; since <= OFFSET + 1;
         since++) { /* the history is empty: only the current offset misses nothing */
        struct history_slice slice;
        ck_assert_int_eq(history_read(&store, &history, since, OFFSET, 9, 999, &slice), 0);
        ck_assert_int_eq(slice.complete, since == OFFSET);
        ck_assert_uint_eq(slice.count, 0);
        ck_assert(!slice.more);
    }
    history_store_release(&store);
}
END_TEST

START_TEST(history_reads_the_newest_messages_that_fit) {
    enum { OVERHEAD = 7 };
    struct history_store store;
    struct history history = {0};
    history_store_init(&store, PLENTY);
    for (uint64_t offset = 1; offset <= OFFSET; offset++)
        append(&store, &history, offset, offset < 10 ? 31 : 30, (struct history_bounds){.count = KEPT});
    struct history_slice all = read_all_of(&store, &history, OFFSET);
    size_t each = all.bytes / KEPT + OVERHEAD;
    history_slice_release(&all);
    for (uint32_t limit = 0; limit <= KEPT + 1; limit++)
        for (size_t bytes = 0; bytes <= (KEPT + 1) * each; bytes++) {
            size_t fitting = bytes / each, most = limit < KEPT ? limit : KEPT;
            struct history_slice slice;
            ck_assert_int_eq(history_read_last(&store, &history, limit, bytes, OVERHEAD, &slice), 0);
            ck_assert_uint_eq(slice.count, fitting < most ? fitting : most);
            for (uint32_t i = 0; i < slice.count; i++)
                ck_assert_uint_eq(number_of(slice.messages[i]), OFFSET - slice.count + 1 + i);
            history_slice_release(&slice);
        }
    history_clear(&store, &history);
    ck_assert_int_eq(history_read_last(&store, &history, 5, PLENTY, OVERHEAD, &all), 0);
    ck_assert_uint_eq(all.count, 0);
    ck_assert_ptr_null(all.messages);
    history_store_release(&store);
}
END_TEST

/* A slice stays valid when the history drops its messages. */
START_TEST(history_slice_keeps_its_messages) {
    struct history_store store;
    struct history history = {0};
    int64_t before = memory_used();
    history_store_init(&store, PLENTY);
    for (uint64_t offset = 1; offset <= 5; offset++)
        append(&store, &history, offset, 0, (struct history_bounds){.count = 5});
    struct history_slice slice = read_all_of(&store, &history, 5);
    history_clear(&store, &history);
    for (uint32_t i = 0; i < 5; i++)
        ck_assert_uint_eq(number_of(slice.messages[i]), i + 1);
    history_slice_release(&slice);
    ck_assert_int_eq(memory_used(), before);
    history_store_release(&store);
}
END_TEST

/* --- Against a plain list ---------------------------------------------------------------------------------- */

enum { HISTORIES = 5, LIST_MAX = 4096, LIST_STEPS = 30000 };

/* The expected contents of all histories, the oldest first. */
struct list {
    struct remembered {
        int history;
        uint64_t number, at;
        size_t cost;
    } items[LIST_MAX];
    size_t count, bytes, limit;
};

static void list_drop(struct list *list, size_t index) {
    list->bytes -= list->items[index].cost;
    memmove(&list->items[index], &list->items[index + 1], (--list->count - index) * sizeof *list->items);
}

/* All of one that are too old or too many. */
static void list_trim(struct list *list, int history, uint32_t most, uint64_t age, uint64_t now) {
    uint32_t count = 0;
    for (size_t i = list->count; i-- > 0;) {
        const struct remembered *item = &list->items[i];
        if (item->history == history && (count++ >= most || (age != 0 && now - item->at >= age)))
            list_drop(list, i);
    }
}

static void list_append(struct list *list, struct remembered item, uint32_t most, uint64_t age) {
    bool fits = most > 0 && item.cost <= list->limit;
    list_trim(list, item.history, fits ? most - 1 : 0, age, item.at);
    while (fits && list->bytes + item.cost > list->limit)
        list_drop(list, 0);
    if (!fits)
        return;
    ck_assert_uint_lt(list->count, LIST_MAX);
    list->items[list->count++] = item;
    list->bytes += item.cost;
}

static void list_check(const struct list *list, struct history_store *store, const struct history *histories,
                       const uint64_t *offsets) {
    ck_assert_uint_eq(store->bytes, list->bytes);
    ck_assert_uint_eq(store->messages, list->count);
    for (int history = 0; history < HISTORIES; history++) {
        uint32_t count = 0;
        for (size_t i = 0; i < list->count; i++)
            count += list->items[i].history == history;
        check_last(store, &histories[history], offsets[history], count);
    }
}

/* Of a message of this size, as the store counts it. */
static size_t cost_of(uint64_t number, size_t size) {
    struct history_store store;
    struct history history = {0};
    history_store_init(&store, PLENTY);
    append(&store, &history, number, size, (struct history_bounds){.count = 1});
    size_t cost = store.bytes;
    history_clear(&store, &history);
    history_store_release(&store);
    return cost;
}

static void step(struct list *list, struct history_store *store, struct history *histories, uint64_t *offsets,
                 uint64_t now) {
    int which = rand() % HISTORIES, action = rand() % 100;
    uint32_t most = (uint32_t[]){0, 3, 10, 40, 1000}[rand() % 50 == 0 ? 0 : 1 + which % 4];
    uint64_t age = which == 2 ? 30 : 0;
    if (action == 0) {
        history_clear(store, &histories[which]);
        list_trim(list, which, 0, 0, now);
    } else if (action == 1) {
        list->limit = (size_t)rand() % 20000;
        history_store_set_limit(store, list->limit);
        while (list->bytes > list->limit)
            list_drop(list, 0);
    } else if (action < 10) {
        history_trim(store, &histories[which], &(struct history_bounds){most, age, now});
        list_trim(list, which, most, age, now);
    } else {
        uint64_t number = ++offsets[which];
        size_t size = rand() % 100 == 0 ? 10000 : (size_t)rand() % 300;
        append(store, &histories[which], number, size, (struct history_bounds){most, age, now});
        list_append(list, (struct remembered){which, number, now, cost_of(number, size)}, most, age);
    }
}

START_TEST(history_has_no_gap_after_random_changes) {
    static struct list list;
    int64_t before = memory_used();
    struct history_store store;
    struct history_account account = {0};
    struct history histories[HISTORIES] = {0};
    uint64_t offsets[HISTORIES] = {0}, now = 1;
    for (int i = 0; i < HISTORIES; i++)
        histories[i].account = &account; /* else it is not always the oldest that goes */
    list = (struct list){.limit = 10000};
    history_store_init(&store, list.limit);
    srand(3);
    for (int i = 0; i < LIST_STEPS; i++, now += (uint64_t)rand() % 3) {
        step(&list, &store, histories, offsets, now);
        if (i % 7 == 0)
            list_check(&list, &store, histories, offsets);
    }
    ck_assert_uint_gt(store.evicted, 100);
    for (int i = 0; i < HISTORIES; i++)
        history_clear(&store, &histories[i]);
    check_empty(&store);
    history_store_release(&store);
    ck_assert_int_eq(memory_used(), before);
}
END_TEST

static void check_accounts(struct history_store *store, const struct history_account *const *accounts,
                           unsigned count) {
    size_t bytes = 0;
    unsigned heavy = 0;
    for (unsigned i = 0; i < count; i++) {
        bytes += accounts[i]->bytes;
        ck_assert_int_eq(accounts[i]->is_heavy, accounts[i]->bytes > store->limit / 4);
        heavy += accounts[i]->is_heavy;
    }
    ck_assert_uint_eq(bytes, store->bytes);
    ck_assert_uint_le(bytes, store->limit);
    for (const struct history_account *account = store->heavy; account != NULL; account = account->next)
        heavy--;
    ck_assert_uint_eq(heavy, 0);
}

START_TEST(history_accounts_add_up_after_random_changes) {
    struct history_store store;
    struct history_account shared[2] = {{0}};
    struct history histories[HISTORIES] = {0};
    const struct history_account *accounts[] = {&shared[0], &shared[1], &histories[4].own};
    uint64_t offsets[HISTORIES] = {0};
    for (int i = 0; i < HISTORIES - 1; i++)
        histories[i].account = &shared[i / 2];
    history_store_init(&store, 10000);
    srand(4);
    for (int i = 0; i < LIST_STEPS; i++) {
        int which = rand() % HISTORIES;
        if (rand() % 100 == 0)
            history_clear(&store, &histories[which]);
        if (rand() % 100 == 0)
            history_store_set_limit(&store, (size_t)rand() % 20000);
        append(&store, &histories[which], ++offsets[which], (size_t)rand() % 300,
               (struct history_bounds){.count = 40});
        check_last(&store, &histories[which], offsets[which], history_count(&store, &histories[which]));
        check_accounts(&store, accounts, 3);
    }
    for (int i = 0; i < HISTORIES; i++)
        history_clear(&store, &histories[i]);
    check_empty(&store);
    check_accounts(&store, accounts, 3);
    history_store_release(&store);
}
END_TEST

Suite *history_suite(void) {
    Suite *suite = suite_create("history");
    TCase *tcase = tcase_create("history");
    tcase_add_test(tcase, history_keeps_the_last_messages);
    tcase_add_test(tcase, history_drops_messages_with_age);
    tcase_add_test(tcase, history_with_smaller_bounds_drops_messages);
    tcase_add_test(tcase, history_limit_drops_the_oldest_of_an_account);
    tcase_add_test(tcase, history_of_a_loud_client_displaces_its_own_messages);
    tcase_add_test(tcase, history_of_a_loud_channel_displaces_its_own_messages);
    tcase_add_test(tcase, history_skips_a_message_larger_than_the_limit);
    tcase_add_test(tcase, history_shrinks_when_its_messages_go);
    tcase_add_test(tcase, history_reads_from_every_position);
    tcase_add_test(tcase, history_reads_the_newest_messages_that_fit);
    tcase_add_test(tcase, history_slice_keeps_its_messages);
    tcase_add_test(tcase, history_has_no_gap_after_random_changes);
    tcase_add_test(tcase, history_accounts_add_up_after_random_changes);
    suite_add_tcase(suite, tcase);
    return suite;
}
