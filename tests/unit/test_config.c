/* test_config.c - valid ini files, single options, combined values.
 *
 * SPDX-License-Identifier: MIT
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "server/config/options.h"
#include "tests/unit/config_text.h"
#include "tests/unit/suites.h"

/* --- Files ---------------------------------------------------------------------------------------------------- */

START_TEST(config_has_documented_defaults) {
    struct config *config = config_create();
    ck_assert_ptr_null(config->path);
    ck_assert_str_eq(config->server.listen[0], "0.0.0.0:9000");
    ck_assert_ptr_null(config->server.listen[1]);
    ck_assert_uint_eq(config->server.workers, 8);
    ck_assert_uint_eq(config->server.max_connections, 16384);
    ck_assert_uint_eq(config->server.drain_timeout_ms, 10000);
    ck_assert_int_eq(config->server.unknown_route, UNKNOWN_ROUTE_CLOSE);
    ck_assert_uint_eq(config->settings.limits.max_message_size, 1048576);
    ck_assert_int_eq(config->log.level, CONFIG_LOG_INFO);
    ck_assert_uint_eq(config->channel_limits.max_channels, 100000);
    ck_assert_uint_eq(config->channel_limits.max_channels_per_connection, 1000);
    ck_assert_uint_eq(config->channel_limits.history_memory, 67108864);
    ck_assert_uint_eq(config->route_count, 0);
    ck_assert_uint_eq(config->channel_rule_count, 0);
    char error[CONFIG_ERROR_SIZE];
    ck_assert_int_eq(config_check(config, error, sizeof error), 0);
    config_destroy(config);
    config_destroy(NULL);
}
END_TEST

static void expect_channels(const struct config *config) {
    const struct config_route *one = &config->routes[3], *many = &config->routes[4];
    ck_assert_str_eq(one->channel, "room:{*}/{name}~");
    ck_assert(!one->publish && many->publish && many->channel == NULL);
    ck_assert_str_eq(one->allowed_channels[0], "*");
    ck_assert_ptr_null(one->allowed_channels[1]);
    ck_assert_str_eq(many->allowed_channels[0], "news:*");
    ck_assert_str_eq(many->allowed_channels[1], "news");
    ck_assert_ptr_null(many->allowed_channels[2]);
    ck_assert_uint_eq(config->channel_rule_count, 2);
    const struct config_channel *name = &config->channel_rules[0], *prefix = &config->channel_rules[1];
    ck_assert_str_eq(name->pattern, "a:b/c+d");
    ck_assert_uint_eq(name->history, 10);
    ck_assert_uint_eq(name->history_age_ms, 0);
    ck_assert_uint_eq(name->max_subscribers, 3);
    ck_assert(!name->subscribe && !name->publish && !name->presence && !name->announce && !name->publisher);
    ck_assert_str_eq(prefix->pattern, "news:*");
    ck_assert_uint_eq(prefix->history, 0);
    ck_assert_uint_eq(prefix->history_age_ms, 300000);
    ck_assert_uint_eq(prefix->max_subscribers, 0);
    ck_assert(prefix->subscribe && prefix->publish && prefix->presence && prefix->announce && prefix->publisher);
}

static void expect_whole_file(const struct config *config) {
    ck_assert_str_eq(config->server.listen[0], "127.0.0.1:9000");
    ck_assert_str_eq(config->server.listen[1], "[::1]:9000");
    ck_assert_ptr_null(config->server.listen[2]);
    ck_assert_uint_eq(config->server.workers, 3);
    ck_assert_uint_eq(config->server.drain_timeout_ms, 1500);
    ck_assert_int_eq(config->server.unknown_route, UNKNOWN_ROUTE_404);
    ck_assert_uint_eq(config->settings.limits.max_message_size, 65536);
    ck_assert_int_eq(config->log.level, CONFIG_LOG_DEBUG);
    ck_assert_uint_eq(config->channel_limits.history_memory, 2097152);
    ck_assert_uint_eq(config->route_count, 5);
    const struct config_route *plugin = &config->routes[0], *broadcast = &config->routes[1];
    ck_assert_str_eq(plugin->pattern, "/a/{b}/*");
    ck_assert_str_eq(plugin->handler, "plugin:/build/x.so");
    ck_assert(plugin->echo_self && plugin->concurrency == 0);
    ck_assert_uint_eq(plugin->extra_count, 2);
    ck_assert_str_eq(plugin->extras[0].name, "delay");
    ck_assert_str_eq(plugin->extras[0].value, "2s");
    ck_assert_str_eq(plugin->extras[1].name, "note");
    ck_assert_str_eq(plugin->extras[1].value, "a = b # c");
    ck_assert_str_eq(broadcast->pattern, "/Room");
    ck_assert(!broadcast->echo_self && broadcast->concurrency == 2);
    ck_assert_str_eq(config->routes[2].pattern, "/room");
    ck_assert(config->routes[2].channel == NULL && config->routes[2].publish);
    expect_channels(config);
}

START_TEST(config_file_sets_options_and_places) {
    struct config *config = config_loaded_text(config_whole_file);
    expect_whole_file(config);
    ck_assert_uint_eq(config->routes[0].location.line, 15);
    ck_assert_uint_eq(config->routes[0].extras[0].location.line, 16);
    ck_assert_uint_eq(config_handler_location(&config->routes[0]).line, 17);
    ck_assert_uint_eq(config_handler_location(&config->routes[1]).line, 20);
    ck_assert_uint_eq(config->channel_rules[0].location.line, 25);
    ck_assert_uint_eq(config->channel_rules[0].locations[option_find("channel", "history") - options].line, 26);
    config_destroy(config);
}
END_TEST

/* As editors on other systems write it: a byte order mark, CRLF, no newline at the end. */
START_TEST(config_file_may_have_byte_order_mark_and_crlf) {
    char bytes[2000] = "\xEF\xBB\xBF";
    size_t size = 3;
    ck_assert_uint_lt(2 * strlen(config_whole_file), sizeof bytes - 3);
    for (const char *from = config_whole_file; *from != '\0'; from++) {
        if (*from == '\n')
            bytes[size++] = '\r';
        bytes[size++] = *from;
    }
    for (size_t less = 0; less <= 2; less++) {
        struct config *config = config_loaded(bytes, size - less);
        expect_whole_file(config);
        config_destroy(config);
    }
}
END_TEST

START_TEST(config_file_may_be_empty) {
    static const char *const texts[] = {
        "", "\n", "\r\n", "#", "; x", "\xEF\xBB\xBF", "[server]", "[server]\n\n[log]", " \t ", "[websocket]\n# x",
    };
    for (int i = 0; i < COUNT(texts); i++) {
        struct config *config = config_loaded_text(texts[i]), *fresh = config_create();
        char *text = config_printed(config), *expected = config_printed(fresh);
        ck_assert_str_eq(text, expected);
        free(text);
        free(expected);
        config_destroy(fresh);
        config_destroy(config);
    }
}
END_TEST

START_TEST(config_printed_loads_to_the_same) {
    struct config *config = config_loaded_text(config_whole_file);
    char *text = config_printed(config);
    struct config *again = config_loaded_text(text);
    expect_whole_file(again);
    char *twice = config_printed(again);
    ck_assert_str_eq(text, twice);
    free(text);
    free(twice);
    config_destroy(config);
    config_destroy(again);
}
END_TEST

START_TEST(config_file_may_have_long_lines_and_1000_routes) {
    enum { LONG = 200000 };
    struct config *config;
    char *text = malloc(LONG + 100), *at = text;
    ck_assert_ptr_nonnull(text);
    at += sprintf(text, "[route /x]\nhandler = plugin:x\nlong = ");
    memset(at, 'v', LONG);
    strcpy(at + LONG, "\nnext = 1\n");
    config = config_loaded_text(text);
    ck_assert_uint_eq(strlen(config->routes[0].extras[0].value), LONG);
    ck_assert_uint_eq(config->routes[0].extras[1].location.line, 4);
    config_destroy(config);
    at = text;
    for (int i = 0; i < 1000; i++)
        at += sprintf(at, "[route /route/%d]\nhandler=echo\n", i);
    config = config_loaded_text(text);
    ck_assert_uint_eq(config->route_count, 1000);
    ck_assert_uint_eq(config_handler_location(&config->routes[999]).line, 2000);
    config_destroy(config);
    free(text);
}
END_TEST

/* --- Single options, and values together -----------------------------------------------------------------------
 */

START_TEST(config_set_changes_or_refuses_one_option) {
    static const char *const wrong[][4] = {
        {"server", "workers", "x", "workers: \"x\" is not a number; write it in digits, like 8"},
        {"server", "worker", "1", "unknown key \"worker\" in [server]; did you mean workers?"},
        {"sever", "workers", "1", "unknown section \"sever\"; did you mean [server]?"},
        {"route", "handler", "echo", "the route has no pattern; write it like [route /chat]"},
        {"channel x", "histori", "1", "unknown key \"histori\" in [channel PATTERN]; did you mean history?"},
        {"server", "workers", "1\n", "the value contains a control character"},
        {"server", "work\xff", "1", "the key is not UTF-8 text"},
    };
    char error[CONFIG_ERROR_SIZE] = "";
    struct config *config = config_create();
    ck_assert_int_eq(config_set(config, "server", "workers", "2", error, sizeof error), 0);
    ck_assert_int_eq(config_set(config, "server", "listen", "127.0.0.1:0", error, sizeof error), 0);
    ck_assert_int_eq(config_set(config, "log", "level", "error", error, sizeof error), 0);
    for (int i = 0; i < COUNT(wrong); i++) {
        ck_assert_int_eq(config_set(config, wrong[i][0], wrong[i][1], wrong[i][2], error, sizeof error), -1);
        ck_assert_str_eq(error, wrong[i][3]);
    }
    ck_assert_uint_eq(config->channel_rule_count + config->route_count, 0);
    ck_assert_int_eq(config_set(config, "server", "listen", "127.0.0.1:1, x", error, sizeof error), -1);
    ck_assert_uint_eq(config->server.workers, 2);
    ck_assert_str_eq(config->server.listen[0], "127.0.0.1:0");
    ck_assert_int_eq(config->log.level, CONFIG_LOG_ERROR);
    config_destroy(config);
}
END_TEST

START_TEST(config_set_adds_sections_with_a_pattern) {
    char error[CONFIG_ERROR_SIZE] = "";
    struct config *config = config_create();
    ck_assert_int_eq(config_set(config, "channel news:*", "history", "100", error, sizeof error), 0);
    ck_assert_int_eq(config_set(config, "channel news:*", "presence", "yes", error, sizeof error), 0);
    ck_assert_int_eq(config_set(config, "channel news:*", "history", "many", error, sizeof error), -1);
    ck_assert_uint_eq(config->channel_rule_count, 1);
    ck_assert_uint_eq(config->channel_rules[0].history, 100);
    ck_assert(config->channel_rules[0].presence);
    ck_assert_int_eq(config_set(config, "route /x", "handler", "echo", error, sizeof error), 0);
    ck_assert_int_eq(config_set(config, "route /y", "concurrency", "2", error, sizeof error), 0);
    ck_assert_int_eq(config_check(config, error, sizeof error), 0);
    ck_assert_ptr_null(config->routes[1].handler);
    ck_assert_int_eq(config_set(config, "route /y", "channel", "a", error, sizeof error), 0);
    ck_assert_int_eq(config_check(config, error, sizeof error), -1);
    ck_assert_str_eq(error,
                     "route /y: channel is only for built-in handlers, and the program serves this route itself");
    config_destroy(config);
    config = config_create();
    ck_assert_int_eq(config_set(config, "route /y", "bogus", "1", error, sizeof error), 0);
    ck_assert_int_eq(config_check(config, error, sizeof error), -1);
    ck_assert_str_eq(error, "unknown key \"bogus\" in [route PATTERN]; `weir check --list` shows every key");
    config_destroy(config);
}
END_TEST

START_TEST(config_loads_add_up_and_errors_change_nothing) {
    char error[CONFIG_ERROR_SIZE];
    struct config *config = config_loaded_text("[server]\nworkers = 2\n[channel x]\nhistory = 7\n"
                                               "[route /x]\nhandler = echo\n");
    ck_assert_int_eq(config_load_bytes(config, "[route /y]\nhandler = echo\n", 26, error), 0);
    ck_assert_uint_eq(config->server.workers, 2);
    ck_assert_uint_eq(config->route_count, 2);
    ck_assert_int_eq(config_load_bytes(config, "[route /z]\nhandler = echo\n[x]", 29, error), -1);
    ck_assert_int_eq(config_load_bytes(config, "[channel y]\n[channel z]\n[x]", 27, error), -1);
    ck_assert_int_eq(config_load_bytes(config, "[route /z]\nhandler = x\n", 23, error), -1);
    ck_assert_uint_eq(config->route_count, 2);
    ck_assert_str_eq(config->routes[1].pattern, "/y");
    ck_assert_uint_eq(config->channel_rule_count, 1);
    ck_assert_uint_eq(config->channel_rules[0].history, 7);
    config_destroy(config);
}
END_TEST

START_TEST(config_check_refuses_a_too_small_send_buffer_hard) {
    char error[CONFIG_ERROR_SIZE] = "";
    struct config *config = config_create();
    ck_assert_int_eq(config_set(config, "websocket", "send_buffer_hard", "3MiB", error, sizeof error), 0);
    ck_assert_int_eq(config_check(config, error, sizeof error), 0);
    ck_assert_int_eq(config_set(config, "websocket", "send_buffer_hard", "3071KiB", error, sizeof error), 0);
    ck_assert_int_eq(config_check(config, error, sizeof error), -1);
    ck_assert_str_eq(error, "send_buffer_hard: 3071KiB is too small; send_buffer_soft, max_message_size and 1MiB "
                            "together need 3MiB");
    config_destroy(config);
}
END_TEST

Suite *config_suite(void) {
    Suite *suite = suite_create("config");
    TCase *files = tcase_create("files");
    tcase_add_test(files, config_has_documented_defaults);
    tcase_add_test(files, config_file_sets_options_and_places);
    tcase_add_test(files, config_file_may_have_byte_order_mark_and_crlf);
    tcase_add_test(files, config_file_may_be_empty);
    tcase_add_test(files, config_printed_loads_to_the_same);
    tcase_add_test(files, config_file_may_have_long_lines_and_1000_routes);
    suite_add_tcase(suite, files);
    TCase *set = tcase_create("set");
    tcase_add_test(set, config_set_changes_or_refuses_one_option);
    tcase_add_test(set, config_set_adds_sections_with_a_pattern);
    tcase_add_test(set, config_loads_add_up_and_errors_change_nothing);
    tcase_add_test(set, config_check_refuses_a_too_small_send_buffer_hard);
    suite_add_tcase(suite, set);
    suite_add_tcase(suite, config_errors_tcase());
    suite_add_tcase(suite, config_include_tcase());
    suite_add_tcase(suite, config_sources_tcase());
    suite_add_tcase(suite, config_token_tcase());
    suite_add_tcase(suite, config_compare_tcase());
    suite_add_tcase(suite, config_table_tcase());
    return suite;
}
