/* test_registry.c - open connections: admission, ids that are never reused, lists by route.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/handle_table.h"
#include "server/core/broadcast.h"
#include "tests/unit/harness.h"
#include "tests/unit/suites.h"

START_TEST(handle_table_keys_are_never_reused) {
    struct handle_table handles = {0};
    int a, b;
    uint64_t first = handle_table_add(&handles, &a);
    ck_assert_uint_ne(first, HANDLE_TABLE_NO_KEY);
    ck_assert_ptr_eq(handle_table_find(&handles, first), &a);
    handle_table_remove(&handles, first);
    ck_assert_ptr_null(handle_table_find(&handles, first));
    uint64_t second = handle_table_add(&handles, &b);
    ck_assert_uint_ne(first, second);
    ck_assert_uint_eq((uint32_t)first, (uint32_t)second); /* the same index */
    ck_assert_ptr_null(handle_table_find(&handles, first));
    ck_assert_ptr_eq(handle_table_find(&handles, second), &b);
    ck_assert_ptr_null(handle_table_find(&handles, HANDLE_TABLE_NO_KEY));
    ck_assert_ptr_null(handle_table_find(&handles, UINT64_MAX));
    handle_table_release(&handles);
}
END_TEST

START_TEST(handle_table_grows) {
    enum { MANY = 1000 };
    struct handle_table handles = {0};
    static int owners[MANY];
    uint64_t keys[MANY];
    for (int i = 0; i < MANY; i++)
        keys[i] = handle_table_add(&handles, &owners[i]);
    for (int i = 0; i < MANY; i++)
        ck_assert_ptr_eq(handle_table_find(&handles, keys[i]), &owners[i]);
    handle_table_release(&handles);
}
END_TEST

START_TEST(registry_admits_up_to_its_limit) {
    struct registry registry;
    registry_init(&registry, 2);
    ck_assert_int_eq(registry_admit(&registry), REGISTRY_ADMITTED);
    ck_assert_int_eq(registry_admit(&registry), REGISTRY_ADMITTED);
    ck_assert_int_eq(registry_admit(&registry), REGISTRY_FULL);
    registry_leave(&registry);
    ck_assert_int_eq(registry_admit(&registry), REGISTRY_ADMITTED);
    ck_assert_uint_eq(registry_count(&registry), 2);
    registry_close(&registry);
    ck_assert_int_eq(registry_admit(&registry), REGISTRY_CLOSED);
    ck_assert_uint_eq(registry_wait_empty(&registry, pool_now()), 2);
    registry_leave(&registry);
    registry_leave(&registry);
    ck_assert_uint_eq(registry_wait_empty(&registry, pool_now() + 60000), 0);
    registry_release(&registry);
}
END_TEST

/* --- With connections -------------------------------------------------------------------------------------- */

static const struct weir_handler silent = {.flags = WEIR_NEVER_BLOCKS};

static void collect_id(struct weir_conn *conn, void *arg) {
    uint64_t **next = arg;
    *(*next)++ = weir_conn_id(conn);
}

START_TEST(registry_finds_by_id_and_handles_outlive_connections) {
    struct harness harness;
    harness_start(&harness, 2, &silent, NULL);
    int clients[3];
    uint64_t ids[3], *next = ids;
    for (int i = 0; i < 3; i++)
        clients[i] = harness_connect(&harness);
    registry_each(&harness.core.registry, &harness.route, collect_id, &next);
    ck_assert_ptr_eq(next, ids + 3);
    struct weir_conn *held = registry_find(&harness.core.registry, ids[1]);
    ck_assert_uint_eq(weir_conn_id(held), ids[1]);
    for (int i = 0; i < 3; i++)
        client_close(clients[i]);
    harness_stop(&harness);
    /* The handle outlives the connection. */
    ck_assert(!weir_conn_is_open(held));
    ck_assert_int_eq(weir_conn_send(held, WEIR_TEXT, "x", 1), WEIR_CLOSED);
    ck_assert_int_eq(weir_conn_close(held, 1000, NULL), WEIR_CLOSED);
    ck_assert_str_eq(weir_conn_path(held), "/test/value");
    ck_assert_str_eq(weir_conn_param(held, "name"), "value");
    ck_assert_ptr_null(weir_conn_param(held, "value"));
    ck_assert_str_eq(weir_conn_user(held), "user");
    ck_assert_str_eq(weir_conn_peer(held), "192.0.2.1:1");
    weir_conn_release(held);
}
END_TEST

START_TEST(registry_each_from_resumes_after_connections_ended) {
    struct harness harness;
    harness_start(&harness, 2, &silent, NULL);
    struct registry *registry = &harness.core.registry;
    int clients[5];
    uint64_t ids[6], all[5], *next = all;
    for (int i = 0; i < 5; i++)
        clients[i] = harness_connect(&harness);
    registry_each(registry, NULL, collect_id, &next);
    ck_assert_ptr_eq(next, all + 5);
    uint32_t position = 0;
    next = ids;
    ck_assert_uint_eq(registry_each_from(registry, &position, 2, collect_id, &next), 2);
    /* A visited connection leaves, and one that was not visited yet. */
    struct weir_conn *met = registry_find(registry, all[0]), *unmet = registry_find(registry, all[3]);
    ck_assert_int_eq(weir_conn_close(met, 1000, NULL), WEIR_OK);
    ck_assert_int_eq(weir_conn_close(unmet, 1000, NULL), WEIR_OK);
    weir_conn_release(met);
    weir_conn_release(unmet);
    ck_assert_uint_eq(client_expect_close(clients[0]), 1000);
    ck_assert_uint_eq(client_expect_close(clients[3]), 1000);
    while (registry_count(registry) > 3)
        usleep(1000);
    ck_assert_uint_eq(registry_each_from(registry, &position, 1, collect_id, &next), 1);
    ck_assert_uint_eq(registry_each_from(registry, &position, 9, collect_id, &next), 1);
    ck_assert_uint_eq(registry_each_from(registry, &position, 9, collect_id, &next), 0);
    const uint64_t expected[] = {all[0], all[1], all[2], all[4]};
    ck_assert_mem_eq(ids, expected, sizeof expected);
    client_close(clients[1]);
    client_close(clients[2]);
    client_close(clients[4]);
    harness_stop(&harness);
}
END_TEST

START_TEST(broadcast_reaches_only_its_route) {
    struct harness harness;
    harness_start(&harness, 2, &silent, NULL);
    struct route other = harness.route;
    int clients[5];
    for (int i = 0; i < 5; i++)
        clients[i] = harness_connect(&harness);
    ck_assert_int_eq(broadcast_to_route(&harness.route, NULL, WEIR_TEXT, "hello", 5), 5);
    other.first = NULL;
    ck_assert_int_eq(broadcast_to_route(&other, NULL, WEIR_TEXT, "hello", 5), 0);
    ck_assert_int_eq(broadcast_to_route(&harness.route, NULL, (enum weir_opcode)8, "x", 1), WEIR_INVALID);
    for (int i = 0; i < 5; i++) {
        char payload[64];
        size_t size;
        ck_assert_int_eq(client_receive(clients[i], payload, sizeof payload, &size), 0x81);
        ck_assert_str_eq(payload, "hello");
        client_close(clients[i]);
    }
    harness_stop(&harness);
}
END_TEST

Suite *registry_suite(void) {
    Suite *suite = suite_create("registry");
    TCase *tcase = tcase_create("registry");
    tcase_add_test(tcase, handle_table_keys_are_never_reused);
    tcase_add_test(tcase, handle_table_grows);
    tcase_add_test(tcase, registry_admits_up_to_its_limit);
    tcase_add_test(tcase, registry_finds_by_id_and_handles_outlive_connections);
    tcase_add_test(tcase, registry_each_from_resumes_after_connections_ended);
    tcase_add_test(tcase, broadcast_reaches_only_its_route);
    suite_add_tcase(suite, tcase);
    return suite;
}
