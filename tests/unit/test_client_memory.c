/* test_client_memory.c - memory of a client besides messages: its path and headers, its subscriptions and their
 * channels. memory_limit counts it, in total and for each client.
 *
 * SPDX-License-Identifier: MIT
 */
#include <malloc.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/channels/channel.h"
#include "server/core/conn_private.h"
#include "server/core/memory.h"
#include "tests/unit/guest.h"
#include "tests/unit/late.h"
#include "tests/unit/suites.h"

static struct guest guest_with_path(struct harness *harness, size_t size) {
    char *path = calloc(1, size + 1);
    memset(path, 'p', size);
    struct guest guest = guest_connect_at(harness, path);
    free(path);
    return guest;
}

START_TEST(memory_counts_long_paths) {
    struct harness harness;
    harness_start(&harness, 1, &(struct weir_handler){.flags = WEIR_NEVER_BLOCKS}, NULL);
    int64_t before = memory_used();
    struct guest usual = guest_with_path(&harness, 100);
    UNTIL(memory_used() == before); /* once the 101 has left */
    ck_assert_uint_eq(conn_memory(usual.conn), 0);
    struct guest large = guest_with_path(&harness, 15000);
    UNTIL(memory_used() - before < 16000);
    ck_assert_int_ge(memory_used() - before, 14000);
    ck_assert_uint_ge(conn_memory(large.conn), 14000);
    guest_leave(&large);
    guest_leave(&usual);
    harness_stop(&harness);
    ck_assert_int_eq(memory_used(), before);
}
END_TEST

static void open_at_leisure(weir_conn *conn, void *context) {
    sem_t *gate = context;
    ck_assert_str_eq(weir_conn_header(conn, "Cookie"), "a=b");
    sem_wait(gate);
}

START_TEST(memory_counts_headers_until_open_returns) {
    static const struct weir_handler handler = {.open = open_at_leisure};
    struct harness harness;
    sem_t gate;
    sem_init(&gate, 0, 0);
    int64_t before = memory_used();
    harness_start(&harness, 1, &handler, &gate);
    struct guest guest = guest_connect(&harness);
    ck_assert_uint_ge(conn_memory(guest.conn), sizeof "Host: example, Cookie: a=b");
    ck_assert_int_gt(memory_used(), before);
    sem_post(&gate);
    UNTIL(memory_used() == before);
    ck_assert_uint_eq(conn_memory(guest.conn), 0);
    guest_leave(&guest);
    harness_stop(&harness);
    sem_destroy(&gate);
}
END_TEST

/* Bytes allocated by malloc; 0 in builds with another allocator. */
static size_t heap(void) {
    return mallinfo2().uordblks;
}

/* To channels that it creates, and to some that another client has created. */
START_TEST(memory_counts_subscriptions_and_channels) {
    enum { CHANNELS = 1000 };
    struct harness harness;
    char name[16];
    harness_start(&harness, 1, &(struct weir_handler){.flags = WEIR_NEVER_BLOCKS}, NULL);
    struct guest first = guest_connect(&harness), second = guest_connect(&harness);
    UNTIL(conn_memory(second.conn) == 0);
    int64_t before = memory_used();
    for (int of = 0; of < 2; of++) {
        size_t heap_before = heap();
        int64_t counted = memory_used();
        for (int i = 0; i < CHANNELS; i++) {
            snprintf(name, sizeof name, "c%d", i);
            ck_assert_int_eq(guest_join(of == 0 ? &first : &second, name, FORM_RAW), JOIN_DONE);
        }
        counted = memory_used() - counted;
        ck_assert_int_ge(counted, CHANNELS * (int)sizeof(struct subscription));
        if (heap() > heap_before) { /* the tables that find channels are not counted, for they only double */
            ck_assert_int_ge(counted, (int64_t)(heap() - heap_before) * 3 / 4);
            ck_assert_int_le(counted, (int64_t)(heap() - heap_before));
        }
        ck_assert_uint_ge(conn_memory(of == 0 ? first.conn : second.conn), CHANNELS * 100);
    }
    guest_leave(&first);
    guest_leave(&second);
    harness_stop(&harness);
    ck_assert_int_eq(memory_used(), before);
}
END_TEST

Suite *client_memory_suite(void) {
    Suite *suite = suite_create("client_memory");
    TCase *tcase = tcase_create("client_memory");
    tcase_set_timeout(tcase, 300);
    tcase_add_test(tcase, memory_counts_long_paths);
    tcase_add_test(tcase, memory_counts_headers_until_open_returns);
    tcase_add_test(tcase, memory_counts_subscriptions_and_channels);
    suite_add_tcase(suite, tcase);
    return suite;
}
