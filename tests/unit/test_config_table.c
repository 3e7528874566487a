/* test_config_table.c - the option table: in order, printed whole, and as conf/weir.ini describes it. Runs from the
 * top of the tree.
 *
 * SPDX-License-Identifier: MIT
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/config/options.h"
#include "server/config/value.h"
#include "tests/unit/config_text.h"

START_TEST(option_table_is_in_order) {
    const char *const *section = option_sections;
    for (const struct option *option = options; option->name != NULL; option++) {
        if (strcmp(option->section, *section) != 0)
            ck_assert_str_eq(option->section, *++section);
        ck_assert_ptr_eq(option_find(option->section, option->name), option);
        ck_assert_ptr_null(strpbrk(option->help, "\n"));
        ck_assert(option->min <= option->max);
        ck_assert_ptr_null(value_text_error(option->name, strlen(option->name)));
    }
    ck_assert_ptr_null(section[1]);
    ck_assert_ptr_null(options[option_count].name);
    ck_assert_uint_lt(option_count, 200); /* OPTIONS_MAX of option_find.c */
}
END_TEST

/* A default is written as it is printed. An option without effect is printed only if it was set. */
START_TEST(option_defaults_print_as_written) {
    struct config *config = config_loaded_text("[channel x]\n[route /x]\nhandler = echo\n");
    char *text = config_printed(config), line[200];
    for (const struct option *option = options; option->name != NULL; option++) {
        const void *base = strcmp(option->section, "route") == 0     ? (const void *)config->routes
                           : strcmp(option->section, "channel") == 0 ? (const void *)config->channel_rules
                                                                     : config;
        const char *value = option->default_value != NULL ? option->default_value : "echo";
        snprintf(line, sizeof line, "\n%s = %s\n", option->name, value);
        if (option->applies == NULL || option->applies(config, base))
            ck_assert_msg(strstr(text, line) != NULL, "%s", line);
        else if (strcmp(option->name, "http_threads") != 0 &&
                 strcmp(option->name, "publish") != 0) /* in two sections */
            ck_assert_msg(strstr(text, line) == NULL, "%s", line);
    }
    free(text);
    config_destroy(config);
}
END_TEST

/* Sections, and the keys that they have an effect with. The handler's are those of the last route. */
static const struct {
    const char *text, *shown, *hidden;
} effects[] = {
    {"[websocket]\ncompression = off\n", "", "compression_threshold rate_policy"},
    {"[websocket]\ncompression = off\n[route /x]\nhandler = echo\ncompression = on\n", "compression_threshold", ""},
    {"[websocket]\nbyte_rate = 1\n", "rate_policy ping_timeout", ""},
    {"[websocket]\nping_interval = 0\n", "", "ping_timeout"},
    {"[server]\ndrain_timeout = 0\n", "", "drain_window"},
    {"[admin]\nlisten = 1\n", "token token_file", ""},
    {"[log]\n", "drain_window", "token token_file"},
    {"[channel x]\nhistory = 1\n", "history_age", ""},
    {"[channel x]\nhistory = 0\n", "max_subscribers presence", "history_age"},
    {"[route /x]\nhandler = echo\n", "subprotocols origins",
     "concurrency echo_self channel publish allowed_channels require_subprotocol"},
    {"[route /x]\nhandler = broadcast\nsubprotocols = a\n", "echo_self require_subprotocol",
     "channel publish allowed_channels"},
    {"[route /x]\nhandler = relay\nchannel = x\n", "echo_self channel publish", "concurrency allowed_channels"},
    {"[route /x]\nhandler = pubsub\n", "publish allowed_channels require_subprotocol",
     "concurrency echo_self channel"},
    {"[route /x]\nhandler = plugin:/x\n", "concurrency", "echo_self channel publish allowed_channels"},
};

static void expect_keys(const char *text, const char *names, bool shown) {
    char copy[200], line[100], *rest;
    snprintf(copy, sizeof copy, "%s", names);
    for (char *name = strtok_r(copy, " ", &rest); name != NULL; name = strtok_r(NULL, " ", &rest)) {
        snprintf(line, sizeof line, "\n%s = ", name);
        ck_assert_msg((strstr(text, line) != NULL) == shown, "%s: %s", name, text);
    }
}

START_TEST(option_without_effect_is_not_printed) {
    struct config *config = config_loaded_text(effects[_i].text);
    char *text = config_printed(config);
    expect_keys(text, effects[_i].shown, true);
    expect_keys(text, effects[_i].hidden, false);
    free(text);
    config_destroy(config);
}
END_TEST

START_TEST(option_set_without_effect_is_marked) {
    struct config *config = config_loaded_text("[route /x]\nhandler = echo\necho_self = no\n");
    char *text = config_printed_whole(config);
    ck_assert_ptr_nonnull(strstr(text, ":3, without effect here\necho_self = no\n"));
    free(text);
    config_destroy(config);
}
END_TEST

START_TEST(option_list_has_every_option) {
    char *text = config_printed(NULL), line[400];
    for (const struct option *option = options; option->name != NULL; option++) {
        const char *value = option->default_value != NULL ? option->default_value : "(must be given)";
        snprintf(line, sizeof line, "\n%s = %s\n    ", option->name, value);
        const char *found = strstr(text, line);
        ck_assert_msg(found != NULL, "%s", line);
        snprintf(line, sizeof line, "\n    %s\n", option->help);
        ck_assert_msg(strstr(found, line) != NULL, "%s", line);
    }
    ck_assert_ptr_nonnull(strstr(text, "\nworkers = 8\n    number, 1 to 1024; needs a restart\n"));
    ck_assert_ptr_nonnull(strstr(text, "\nclose_timeout = 10s\n    duration, 1ms to 1h\n"));
    ck_assert_ptr_nonnull(strstr(text, "\nunknown_route = close\n    one of close, 404\n"));
    free(text);
}
END_TEST

static const char shipped[] = "conf/weir.ini";

START_TEST(shipped_file_serves_echo_broadcast_and_channels) {
    char error[CONFIG_ERROR_SIZE] = "";
    struct config *config = config_create();
    ck_assert_msg(config_load(config, shipped, error, sizeof error) == 0, "%s", error);
    ck_assert_str_eq(config->path + strlen(config->path) - strlen(shipped), shipped);
    ck_assert_int_eq(config_check(config, error, sizeof error), 0);
    ck_assert_uint_eq(config->route_count, 4);
    ck_assert_str_eq(config->routes[0].pattern, "/echo");
    ck_assert_str_eq(config->routes[0].handler, "echo");
    ck_assert_str_eq(config->routes[1].pattern, "/broadcast");
    ck_assert_str_eq(config->routes[1].handler, "broadcast");
    ck_assert_str_eq(config->routes[2].pattern, "/room/{name}");
    ck_assert_str_eq(config->routes[2].handler, "relay");
    ck_assert_str_eq(config->routes[2].channel, "room:{name}");
    ck_assert_str_eq(config->routes[3].pattern, "/channels");
    ck_assert_str_eq(config->routes[3].handler, "pubsub");
    config_destroy(config);
}
END_TEST

/* Splits `key = value`, also where it is commented out; false for any other line. */
static bool split_line(const char *line, char key[64], char value[64]) {
    int end = 0;
    if (strncmp(line, "# ", 2) == 0)
        line += 2;
    if (sscanf(line, "%63[a-z_] = %63[^\n]%n", key, value, &end) != 2)
        return false;
    return line[end] == '\n';
}

/* The section that a line begins, also where it is commented out; as it was for any other line. */
static void read_section(const char *line, char section[64]) {
    sscanf(strncmp(line, "# ", 2) == 0 ? line + 2 : line, "[%63[a-z_]", section);
}

/* Options whose default would not be an example: `handler` has none, and `handler = relay` needs a channel. */
static bool is_example(const struct option *option) {
    return option->default_value == NULL || option->type == OPTION_CHANNEL;
}

/* Every key of the file is an option of its section with its default, except examples; every option occurs once. */
START_TEST(shipped_file_describes_every_option) {
    FILE *file = fopen(shipped, "r");
    ck_assert_msg(file != NULL, "%s: run from the top of the tree", shipped);
    char line[300], section[64] = "", key[64], value[64];
    unsigned count = 0, expected = 0;
    while (fgets(line, sizeof line, file) != NULL) {
        read_section(line, section);
        if (!split_line(line, key, value))
            continue;
        if (*section == '\0') {
            ck_assert_str_eq(key, "include");
            continue;
        }
        const struct option *option = option_find(section, key);
        ck_assert_msg(option != NULL, "%s is no option of [%s]", key, section);
        if (!is_example(option)) {
            ck_assert_str_eq(value, option->default_value);
            count++;
        }
    }
    for (const struct option *option = options; option->name != NULL; option++) {
        rewind(file);
        unsigned found = 0;
        while (fgets(line, sizeof line, file) != NULL) {
            read_section(line, section);
            found += split_line(line, key, value) && strcmp(key, option->name) == 0 &&
                     strcmp(section, option->section) == 0;
        }
        ck_assert_msg(found == 1 || (found > 1 && is_example(option)), "%s: %u times", option->name, found);
        expected += !is_example(option);
    }
    ck_assert_uint_eq(count, expected);
    fclose(file);
}
END_TEST

TCase *config_table_tcase(void) {
    TCase *table = tcase_create("table");
    tcase_add_test(table, option_table_is_in_order);
    tcase_add_test(table, option_defaults_print_as_written);
    tcase_add_loop_test(table, option_without_effect_is_not_printed, 0, sizeof effects / sizeof *effects);
    tcase_add_test(table, option_set_without_effect_is_marked);
    tcase_add_test(table, option_list_has_every_option);
    tcase_add_test(table, shipped_file_serves_echo_broadcast_and_channels);
    tcase_add_test(table, shipped_file_describes_every_option);
    return table;
}
