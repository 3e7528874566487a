/* test_router.c - valid and malformed patterns; one set of routes, added in any order, and many paths.
 *
 * SPDX-License-Identifier: MIT
 */
#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/http/router.h"
#include "tests/unit/suites.h"

static const char *const patterns[] = {
    "/",
    "/echo",
    "/chat/",
    "/light/{status}",
    "/light/on",
    "/light/{status}/dim",
    "/{device}/on/dim",
    "/room/{name}/feed",
    "/room/{name}/{part}",
    "/room/*",
    "/room/lobby/*",
    "/files/{owner}/*",
    "/caf%C3%A9",
    "/a%2Fb",
    "/%7Bbraces%7D/%2a",
    "/deep/{a}/{b}/{c}/{d}/end",
};
enum { PATTERN_COUNT = sizeof patterns / sizeof *patterns };

/* `expected`: the pattern and its parameters; "none"; "malformed". */
static const struct {
    const char *path;
    const char *expected;
} lookups[] = {
    {"/", "/"},
    {"/echo", "/echo"},
    {"/echo/", "none"},
    {"/ech", "none"},
    {"/echoes", "none"},
    {"/Echo", "none"},
    {"/%65cho", "/echo"},
    {"//echo", "none"},
    {"//", "none"},
    {"/chat/", "/chat/"},
    {"/chat", "none"},
    {"/chat//", "none"},
    {"/light/on", "/light/on"},
    {"/light/off", "/light/{status} status=off"},
    {"/light/o%6E", "/light/on"},
    {"/light/", "none"},
    {"/light", "none"},
    {"/light/a%2Fb", "/light/{status} status=a/b"},
    {"/light/%7bx%7D%20%25", "/light/{status} status={x} %"},
    {"/light/*", "/light/{status} status=*"},
    {"/light/{status}", "/light/{status} status={status}"},
    {"/light/%C3%a9", "/light/{status} status=\xc3\xa9"},
    {"/light/\xc3\xa9", "/light/{status} status=\xc3\xa9"},
    {"/light/..", "/light/{status} status=.."},
    {"/light/on/dim", "/light/{status}/dim status=on"}, /* the leftmost literal decides */
    {"/lamp/on/dim", "/{device}/on/dim device=lamp"},
    {"/lamp/off/dim", "none"},
    {"/room/blue/feed", "/room/{name}/feed name=blue"},
    {"/room/blue/wall", "/room/{name}/{part} name=blue part=wall"},
    {"/room/blue/", "/room/* *=blue/"},
    {"/room/blue", "/room/* *=blue"},
    {"/room/", "/room/* *="},
    {"/room", "none"},
    {"/room/blue/wall/door", "/room/* *=blue/wall/door"},
    {"/room/blue//a%2Fb/", "/room/* *=blue//a/b/"},
    {"/room/lobby/feed", "/room/lobby/* *=feed"},
    {"/room/lobby/", "/room/lobby/* *="},
    {"/room/lobby", "/room/* *=lobby"},
    {"/files/ann/a/b.txt", "/files/{owner}/* owner=ann *=a/b.txt"},
    {"/files//a", "none"},
    {"/caf\xc3\xa9", "/caf%C3%A9"},
    {"/caf%c3%a9", "/caf%C3%A9"},
    {"/a%2fb", "/a%2Fb"},
    {"/a/b", "none"},
    {"/{braces}/*", "/%7Bbraces%7D/%2a"},
    {"/deep/1/2/3/4/end", "/deep/{a}/{b}/{c}/{d}/end a=1 b=2 c=3 d=4"},
    {"/deep/1/2/3/4/dead", "none"},
    {"", "malformed"},
    {"*", "malformed"},
    {"echo", "malformed"},
    {"http://host/echo", "malformed"},
    {"/echo%", "malformed"},
    {"/echo%4", "malformed"},
    {"/echo%4g", "malformed"},
    {"/echo%g4", "malformed"},
    {"/echo%-1", "malformed"},
    {"/%00", "malformed"},
    {"/echo%00", "malformed"},
    {"/%ff", "malformed"},
    {"/%C3", "malformed"},
    {"/%C3/%A9", "malformed"},
    {"/\xc3", "malformed"},
    {"/%ED%A0%80", "malformed"},
    {"/%C0%AF", "malformed"},
};
enum { LOOKUP_COUNT = sizeof lookups / sizeof *lookups };

/* The route numbers are 100 and up, whatever the order of definition. */
static struct router *make_router(size_t first, size_t step) {
    struct router *router = router_create();
    ck_assert_ptr_nonnull(router);
    char error[256] = "";
    for (size_t i = 0, at = first; i < PATTERN_COUNT; i++, at = (at + step) % PATTERN_COUNT)
        ck_assert_msg(router_add(router, patterns[at], 100 + at, error, sizeof error) == 0, "%s", error);
    return router;
}

/* The storage has exactly the size that was asked for, so that a sanitizer sees a byte too many. */
static void look_up(const struct router *router, const char *path, char *outcome, size_t outcome_size) {
    struct router_match match;
    char *storage = malloc(router_storage_size(path));
    ck_assert_ptr_nonnull(storage);
    enum router_result result = router_find(router, path, storage, &match);
    if (result == ROUTER_FOUND) {
        int size = snprintf(outcome, outcome_size, "%s", patterns[match.route - 100]);
        for (size_t i = 0; i < match.param_count; i++)
            size += snprintf(outcome + size, outcome_size - (size_t)size, " %s=%s", match.params[i].name,
                             match.params[i].value);
    } else {
        snprintf(outcome, outcome_size, "%s", result == ROUTER_NONE ? "none" : "malformed");
    }
    free(storage);
}

/* Every step is coprime to the number of patterns, which makes each a different order of all of them. */
START_TEST(router_prefers_the_leftmost_literal_in_any_order) {
    static const size_t steps[] = {1, 3, 5, 7, 9, 11, 13, 15};
    char outcome[256];
    for (size_t first = 0; first < PATTERN_COUNT; first++)
        for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
            struct router *router = make_router(first, steps[i]);
            look_up(router, lookups[_i].path, outcome, sizeof outcome);
            ck_assert_msg(strcmp(outcome, lookups[_i].expected) == 0, "%s: %s, not %s", lookups[_i].path, outcome,
                          lookups[_i].expected);
            router_destroy(router);
        }
}
END_TEST

START_TEST(router_star_alone_matches_every_path) {
    static const struct {
        const char *path, *rest;
    } cases[] = {{"/", ""}, {"/a", "a"}, {"/a/b/", "a/b/"}, {"//", "/"}};
    struct router *router = router_create();
    ck_assert_int_eq(router_add(router, "/*", 7, NULL, 0), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char storage[16];
        struct router_match match;
        ck_assert_int_eq(router_find(router, cases[i].path, storage, &match), ROUTER_FOUND);
        ck_assert_uint_eq(match.route, 7);
        ck_assert_uint_eq(match.param_count, 1);
        ck_assert_str_eq(match.params[0].name, "*");
        ck_assert_str_eq(match.params[0].value, cases[i].rest);
    }
    router_destroy(router);
}
END_TEST

START_TEST(router_without_routes_finds_nothing) {
    struct router *router = router_create();
    struct router_match match;
    char storage[16];
    ck_assert_int_eq(router_find(router, "/", storage, &match), ROUTER_NONE);
    router_destroy(router);
    router_destroy(NULL);
}
END_TEST

#define TEN_PARAMETERS "/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}/{j}"

/* `hint`: what the error must say. */
static const struct {
    const char *pattern;
    const char *hint;
} malformed[] = {
    {"", "begins with /"},
    {"echo", "begins with /"},
    {"*", "begins with /"},
    {"//", "empty"},
    {"/a//b", "empty"},
    {"/*/a", "last segment"},
    {"/*/", "last segment"},
    {"/a*", "%2A"},
    {"/**", "%2A"},
    {"/{}", "name"},
    {"/{a b}", "name"},
    {"/{*}", "name"},
    {"/{{a}}", "name"},
    {"/{", "}"},
    {"/{a", "}"},
    {"/{a}b", "}"},
    {"/b{a}", "%7B"},
    {"/a}", "%7B"},
    {"/a?b=1", "query"},
    {"/a#b", "query"},
    {"/%", "hex"},
    {"/%4", "hex"},
    {"/%zz", "hex"},
    {"/a%00", "hex"},
    {"/%ff", "UTF-8"},
    {"/{a}/b/{a}", "twice"},
    {TEN_PARAMETERS "/{k}/{l}/{m}/{n}/{o}/{p}/{q}", "16"},
    {TEN_PARAMETERS "/{k}/{l}/{m}/{n}/{o}/{p}/*", "16"},
};

START_TEST(router_refuses_malformed_patterns) {
    struct router *router = router_create();
    char error[256] = "", named[256];
    ck_assert_int_eq(router_add(router, malformed[_i].pattern, 0, error, sizeof error), -1);
    snprintf(named, sizeof named, "\"%s\"", malformed[_i].pattern);
    ck_assert_msg(strstr(error, malformed[_i].hint) != NULL, "%s", error);
    ck_assert_msg(strstr(error, named) != NULL, "%s", error);
    ck_assert_ptr_null(strchr(error, '\n'));
    router_destroy(router);
}
END_TEST

static const struct {
    const char *first, *second;
    bool tie;
} pairs[] = {
    {"/echo", "/echo", true},
    {"/", "/", true},
    {"/*", "/*", true},
    {"/{a}", "/{b}", true},
    {"/r/{a}/x/{b}/*", "/r/{c}/x/{d}/*", true},
    {"/%65cho", "/echo", true},
    {"/caf\xc3\xa9", "/caf%c3%A9", true},
    {"/echo", "/echo/", false},
    {"/a%2Fb", "/a/b", false},
    {"/{a}/b", "/a/{b}", false},
    {"/{a}", "/*", false},
    {"/a/*", "/a/", false},
    {"/a/*", "/a", false},
    {"/{a}/{b}", "/{a}", false},
};

START_TEST(router_refuses_patterns_that_match_the_same_paths) {
    struct router *router = router_create();
    char error[256] = "";
    ck_assert_int_eq(router_add(router, pairs[_i].first, 0, error, sizeof error), 0);
    ck_assert_int_eq(router_add(router, pairs[_i].second, 1, error, sizeof error), pairs[_i].tie ? -1 : 0);
    if (pairs[_i].tie) {
        char expected[256];
        snprintf(expected, sizeof expected, "pattern \"%s\" matches the same paths as \"%s\"", pairs[_i].second,
                 pairs[_i].first);
        ck_assert_str_eq(error, expected);
    }
    router_destroy(router);
}
END_TEST

START_TEST(router_takes_sixteen_parameters) {
    struct router *router = router_create();
    struct router_match match;
    char error[256] = "", storage[64];
    ck_assert_int_eq(router_add(router, TEN_PARAMETERS "/{k}/{l}/{m}/{n}/{o}/*", 3, error, sizeof error), 0);
    ck_assert_int_eq(router_find(router, "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17", storage, &match),
                     ROUTER_FOUND);
    ck_assert_uint_eq(match.param_count, ROUTER_PARAMS_MAX);
    ck_assert_str_eq(match.params[14].name, "o");
    ck_assert_str_eq(match.params[14].value, "15");
    ck_assert_str_eq(match.params[15].value, "16/17");
    router_destroy(router);
}
END_TEST

START_TEST(router_decode_path_decodes_paths) {
    char decoded[32];
    ck_assert_int_eq(router_decode_path("/switch/on", decoded), 0);
    ck_assert_str_eq(decoded, "/switch/on");
    ck_assert_int_eq(router_decode_path("/a%2Fb/%c3%A9%20/", decoded), 0);
    ck_assert_str_eq(decoded, "/a/b/\xc3\xa9 /");
}
END_TEST

/* Both functions call the same paths malformed. */
START_TEST(router_decode_path_and_find_agree_on_malformed_paths) {
    char decoded[64];
    bool is_malformed = strcmp(lookups[_i].expected, "malformed") == 0;
    ck_assert_int_eq(router_decode_path(lookups[_i].path, decoded), is_malformed ? -1 : 0);
}
END_TEST

Suite *router_suite(void) {
    Suite *suite = suite_create("router");
    TCase *tcase = tcase_create("router");
    tcase_add_loop_test(tcase, router_prefers_the_leftmost_literal_in_any_order, 0, LOOKUP_COUNT);
    tcase_add_test(tcase, router_star_alone_matches_every_path);
    tcase_add_test(tcase, router_without_routes_finds_nothing);
    tcase_add_loop_test(tcase, router_refuses_malformed_patterns, 0, sizeof malformed / sizeof *malformed);
    tcase_add_loop_test(tcase, router_refuses_patterns_that_match_the_same_paths, 0, sizeof pairs / sizeof *pairs);
    tcase_add_test(tcase, router_takes_sixteen_parameters);
    tcase_add_test(tcase, router_decode_path_decodes_paths);
    tcase_add_loop_test(tcase, router_decode_path_and_find_agree_on_malformed_paths, 0, LOOKUP_COUNT);
    suite_add_tcase(suite, tcase);
    return suite;
}
