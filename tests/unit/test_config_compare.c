/* test_config_compare.c - what a reload changes.
 *
 * SPDX-License-Identifier: MIT
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/config/options.h"
#include "tests/unit/config_text.h"

static void write_change(void *context, const struct config_change *change) {
    fprintf(context, "[%s] %s: %s -> %s%s\n", change->section, change->name,
            change->before != NULL ? change->before : "(gone)", change->after != NULL ? change->after : "(gone)",
            change->restart ? " (restart)" : "");
}

static void expect_changes(const struct config *before, const struct config *after, const char *expected) {
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    config_compare(before, after, write_change, out);
    fclose(out);
    ck_assert_str_eq(text, expected);
    free(text);
}

/* Before, after, the changes. */
static const char *const cases[][3] = {
    {"", "", ""},
    {"[server]\nworkers = 8\ndrain_timeout = 10000ms\n", "", ""},
    {"[server]\nworkers = 2\n[websocket]\nping_interval = 1s\n", "[log]\nlevel = debug\n[server]\nworkers = 3\n",
     "[server] workers: 2 -> 3 (restart)\n[websocket] ping_interval: 1s -> 20s\n[log] level: info -> debug\n"},
    {"[server]\nlisten = 1, 2\n", "[server]\nlisten = 2, 1\n",
     "[server] listen: 0.0.0.0:1, 0.0.0.0:2 -> 0.0.0.0:2, 0.0.0.0:1 (restart)\n"},
    {"[route /a]\nhandler = echo\n[route /b]\nhandler = echo\n",
     "[route /b]\nhandler = echo\n[route /a]\nhandler = echo\n", ""},
    {"[route /a]\nhandler = echo\n", "[route /b]\nhandler = broadcast\n",
     "[route /a] handler: echo -> (gone)\n[route /b] handler: (gone) -> broadcast\n"},
    {"[channel a]\nhistory = 3\n", "[channel b*]\n",
     "[channel a] pattern: a -> (gone)\n[channel b*] pattern: (gone) -> b*\n"},
    {"[channel a]\nhistory = 3\nannounce = yes\n[channel b]\n", "[channel b]\n[channel a]\nhistory_age = 1m\n",
     "[channel a] history: 3 -> 0\n[channel a] history_age: 5m -> 1m\n[channel a] announce: yes -> no\n"},
    {"[channel_limits]\nmax_channels = 3\n[channel /a]\n[route /a]\nhandler = relay\nchannel = x\n",
     "[route /a]\nhandler = pubsub\nallowed_channels = a, b*\npublish = no\n",
     "[channel_limits] max_channels: 3 -> 100000\n[channel /a] pattern: /a -> (gone)\n"
     "[route /a] handler: relay -> pubsub\n[route /a] channel: x -> none\n[route /a] publish: yes -> no\n"
     "[route /a] allowed_channels: * -> a, b*\n"},
    {"[route /a]\nhandler = plugin:/x\none = 1\ntwo = 2\n",
     "[route /a]\nhandler = plugin:/y\ntwo = 3\nconcurrency = 1\nthree = 3\n",
     "[route /a] handler: plugin:/x -> plugin:/y\n[route /a] concurrency: 0 -> 1\n[route /a] one: 1 -> (gone)\n"
     "[route /a] two: 2 -> 3\n[route /a] three: (gone) -> 3\n"},
};

START_TEST(config_compare_lists_the_changes) {
    struct config *before = config_loaded_text(cases[_i][0]), *after = config_loaded_text(cases[_i][1]);
    expect_changes(before, after, cases[_i][2]);
    expect_changes(after, after, "");
    config_destroy(before);
    config_destroy(after);
}
END_TEST

static bool is_in_settings(const struct option *option) {
    return option->offset >= offsetof(struct config, settings) &&
           option->offset < offsetof(struct config, settings) + sizeof(struct settings);
}

/* Each option that differs from its default is reported, with the note on restarts from the table.
 * If connections read it, their settings differ. */
START_TEST(config_compare_misses_no_option) {
    static const char *const others[] = {"/seven", "127.0.0.1:7", "7", "7s", "7KiB", "7MiB", "no", "::1", "*"};
    char error[CONFIG_ERROR_SIZE], expected[600];
    for (const struct option *option = options; !option_section_has_pattern(option->section); option++) {
        if (option->type == OPTION_SECRET)
            continue;
        struct config *before = config_create(), *after = config_create();
        const char *other = option->type != OPTION_CHOICE                            ? NULL
                            : strcmp(option->choices[0], option->default_value) == 0 ? option->choices[1]
                                                                                     : option->choices[0];
        int result =
            other == NULL ? -1 : config_set(after, option->section, option->name, other, error, sizeof error);
        for (int i = 0; result != 0 && i < COUNT(others); i++)
            if (strcmp(other = others[i], option->default_value) != 0)
                result = config_set(after, option->section, option->name, other, error, sizeof error);
        ck_assert_msg(result == 0, "%s takes none of these", option->name);
        snprintf(expected, sizeof expected, "[%s] %s: %s -> %s%s\n", option->section, option->name,
                 option->default_value, other, option->restart ? " (restart)" : "");
        expect_changes(before, after, expected);
        ck_assert_int_eq(config_settings_are_same(&before->settings, &after->settings), !is_in_settings(option));
        config_destroy(before);
        config_destroy(after);
    }
}
END_TEST

/* The token is not shown, and it counts wherever it is given. */
START_TEST(config_compare_hides_tokens) {
    char error[CONFIG_ERROR_SIZE];
    struct config *none = config_create(), *one = config_create(), *two = config_create();
    ck_assert_int_eq(config_set(one, "admin", "token", "0123456789abcdef", error, sizeof error), 0);
    ck_assert_int_eq(config_set(two, "admin", "token", "0123456789abcdeg", error, sizeof error), 0);
    struct config *const all[] = {none, one, two};
    for (int i = 0; i < COUNT(all); i++)
        ck_assert_int_eq(config_check(all[i], error, sizeof error), 0);
    expect_changes(none, one, "[admin] token: none -> (not shown)\n");
    expect_changes(one, two, "[admin] token: (not shown) -> (not shown)\n");
    expect_changes(two, none, "[admin] token: (not shown) -> none\n");
    expect_changes(one, one, "");
    for (int i = 0; i < COUNT(all); i++)
        config_destroy(all[i]);
}
END_TEST

TCase *config_compare_tcase(void) {
    TCase *compare = tcase_create("compare");
    tcase_add_loop_test(compare, config_compare_lists_the_changes, 0, COUNT(cases));
    tcase_add_test(compare, config_compare_misses_no_option);
    tcase_add_test(compare, config_compare_hides_tokens);
    return compare;
}
