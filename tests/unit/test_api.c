/* test_api.c - parts common to the whole public API: status texts and the version.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>

#include <weir/weir.h>

#include "server/sized.h"
#include "tests/unit/assertions.h"
#include "tests/unit/suites.h"

START_TEST(each_status_has_a_distinct_text) {
    for (int a = WEIR_FAILED; a <= WEIR_OK; a++) {
        ck_assert_str_ne(weir_status_text((enum weir_status)a), "unknown status");
        for (int b = WEIR_FAILED; b < a; b++)
            ck_assert_str_ne(weir_status_text((enum weir_status)a), weir_status_text((enum weir_status)b));
    }
}
END_TEST

START_TEST(unknown_status_has_a_text) {
    ck_assert_str_eq(weir_status_text((enum weir_status)1), "unknown status");
    ck_assert_str_eq(weir_status_text((enum weir_status)(WEIR_FAILED - 1)), "unknown status");
}
END_TEST

START_TEST(version_text_agrees_with_version_numbers) {
    char numbers[32];
    snprintf(numbers, sizeof numbers, "%d.%d.%d", WEIR_VERSION_MAJOR, WEIR_VERSION_MINOR, WEIR_VERSION_PATCH);
    ck_assert_str_eq(WEIR_VERSION, numbers);
    ck_assert_str_eq(weir_version(), WEIR_VERSION);
}
END_TEST

/* --- Handlers that were compiled with other headers -------------------------------------------------------- */

static void never(weir_conn *conn, void *context) {
    (void)conn, (void)context;
    ck_abort_msg("called");
}

/* As in a plug-in's memory: other data follows its shorter struct. */
START_TEST(handler_of_an_earlier_version_has_fewer_callbacks) {
    const struct weir_handler earlier = {.size = offsetof(struct weir_handler, drained),
                                         .flags = WEIR_NEVER_BLOCKS,
                                         .open = never,
                                         .drained = never};
    struct weir_handler copy;
    ck_assert_ptr_null(handler_copy(&copy, &earlier));
    ck_assert_uint_eq(copy.flags, WEIR_NEVER_BLOCKS);
    ck_assert(copy.open == never);
    ck_assert(copy.drained == NULL);
    ck_assert(copy.publish == NULL);
    ck_assert_uint_eq(copy.size, sizeof copy);
}
END_TEST

struct later {
    struct weir_handler handler;
    void (*unknown)(weir_conn *conn, void *context);
};

START_TEST(handler_of_a_later_version_may_use_what_is_known) {
    struct later later = {{.size = sizeof later, .open = never}, NULL};
    struct weir_handler copy;
    ck_assert_ptr_null(handler_copy(&copy, &later.handler));
    ck_assert(copy.open == never);
    later.unknown = never;
    ck_assert_str_eq(handler_copy(&copy, &later.handler),
                     "the handler was compiled for a later weir, and has a callback that this one does not know");
}
END_TEST

START_TEST(handler_without_a_size_is_an_error) {
    const struct weir_handler bare = {.open = never}, whole = {WEIR_HANDLER_INIT};
    weir_server *server = weir_server_create();
    ck_assert_int_eq(weir_server_route(server, "/a", &bare, NULL, NULL), -1);
    ck_assert_str_eq(weir_server_error(server), "the handler has no size; begin it with WEIR_HANDLER_INIT");
    ck_assert_int_eq(weir_server_route(server, "/a", &whole, NULL, NULL), 0);
    weir_server_destroy(server);
}
END_TEST

Suite *api_suite(void) {
    Suite *suite = suite_create("api");
    TCase *test = tcase_create("api");
    tcase_add_test(test, each_status_has_a_distinct_text);
    tcase_add_test(test, unknown_status_has_a_text);
    tcase_add_test(test, version_text_agrees_with_version_numbers);
    tcase_add_test(test, handler_of_an_earlier_version_has_fewer_callbacks);
    tcase_add_test(test, handler_of_a_later_version_may_use_what_is_known);
    tcase_add_test(test, handler_without_a_size_is_an_error);
    suite_add_tcase(suite, test);
    return suite;
}
