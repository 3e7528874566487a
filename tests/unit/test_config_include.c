/* test_config_include.c - files that include others: which ones, in which order, and errors that name the right
 * one.
 *
 * SPDX-License-Identifier: MIT
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/unit/config_text.h"

static char path[200];

/* main.ini of the folder. */
static int load(struct config *config, char error[CONFIG_ERROR_SIZE]) {
    snprintf(path, sizeof path, "%s/main.ini", config_folder);
    return config_load(config, path, error, CONFIG_ERROR_SIZE);
}

static struct config *loaded(void) {
    char error[CONFIG_ERROR_SIZE] = "";
    struct config *config = config_create();
    ck_assert_msg(load(config, error) == 0, "%s", error);
    return config;
}

static void expect_error(const char *expected) {
    char error[CONFIG_ERROR_SIZE] = "";
    struct config *config = config_create();
    ck_assert_int_eq(load(config, error), -1);
    ck_assert_str_eq(config_folder_error(error), expected);
    ck_assert_uint_eq(config->route_count, 0);
    config_destroy(config);
}

static void make_subfolder(const char *name) {
    snprintf(path, sizeof path, "%s/%s", config_folder, name);
    ck_assert_int_eq(mkdir(path, 0700), 0);
}

/* The file read later wins: b.ini over a.ini, the including file over both. Paths are relative to their file. */
START_TEST(include_later_files_win) {
    make_subfolder("conf.d");
    config_folder_write("main.ini", "# first\ninclude = conf.d/*.ini\n\n[server]\nworkers = 1\n"
                                    "[route /main]\nhandler = echo\n");
    config_folder_write("conf.d/b.ini", "[server]\nworkers = 2\nhttp_threads = 2\n[route /b]\nhandler = echo\n");
    config_folder_write("conf.d/a.ini",
                        "include = c.inc\n[server]\nworkers = 3\nhttp_threads = 3\nconnection_queue = 3\n");
    config_folder_write("conf.d/c.inc", "[log]\nlevel = debug\n[server]\nconnection_queue = 4\n");
    config_folder_write("conf.d/unread.conf", "nonsense");
    struct config *config = loaded();
    ck_assert_uint_eq(config->server.workers, 1);
    ck_assert_uint_eq(config->server.http_threads, 2);
    ck_assert_uint_eq(config->server.connection_queue, 3);
    ck_assert_int_eq(config->log.level, CONFIG_LOG_DEBUG);
    ck_assert_uint_eq(config->route_count, 2);
    ck_assert_str_eq(config->routes[0].pattern, "/b");
    ck_assert_str_eq(config_folder_error(config->routes[0].location.source), "DIR/conf.d/b.ini");
    ck_assert_uint_eq(config->routes[0].location.line, 4);
    config_destroy(config);
}
END_TEST

START_TEST(include_takes_several_files_and_patterns) {
    static const char *const heads[] = {
        "include = a.ini, b.ini\n",
        "include = a.ini\ninclude=b.ini",
        "\xEF\xBB\xBFinclude = [a-b].ini\r\n",
        "include = nothing/*.ini, ?.ini",
    };
    config_folder_write("a.ini", "[server]\nworkers = 2\nhttp_threads = 2");
    config_folder_write("b.ini", "[server]\nhttp_threads = 3");
    for (int i = 0; i < COUNT(heads); i++) {
        config_folder_write("main.ini", heads[i]);
        struct config *config = loaded();
        ck_assert_uint_eq(config->server.workers, 2);
        ck_assert_uint_eq(config->server.http_threads, 3);
        config_destroy(config);
    }
}
END_TEST

START_TEST(include_allows_a_folder_that_looks_like_a_pattern) {
    make_subfolder("[x]*");
    config_folder_write("main.ini", "include = [[]x]*/a.ini\n");
    config_folder_write("[x]*/a.ini", "include = *.inc");
    config_folder_write("[x]*/b.inc", "[server]\nworkers = 2\n");
    struct config *config = loaded();
    ck_assert_uint_eq(config->server.workers, 2);
    config_destroy(config);
}
END_TEST

/* Every option with a path, in the file and in one that it includes. */
START_TEST(config_paths_are_relative_to_their_file) {
    make_subfolder("sub");
    config_folder_write("main.ini", "include = sub/a.ini\n[admin]\ntoken_file = t\n"
                                    "[route /1]\nhandler = plugin:x.so\n[route /2]\nhandler = plugin:../y/x.so\n"
                                    "[route /3]\nhandler = plugin:/z/x.so\n");
    config_folder_write("sub/a.ini", "[log]\nfile = l\n[route /0]\nhandler = plugin:x.so\n");
    struct config *config = loaded();
    const char *const expected[] = {"plugin:DIR/sub/x.so", "plugin:DIR/x.so", "plugin:DIR/../y/x.so",
                                    "plugin:/z/x.so"};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        ck_assert_str_eq(config_folder_error(config->routes[i].handler), expected[i]);
    ck_assert_str_eq(config_folder_error(config->log.file), "DIR/sub/l");
    ck_assert_str_eq(config_folder_error(config->admin.token_file), "DIR/t");
    config_destroy(config);
}
END_TEST

/* main.ini, a.ini, the error. */
static const char *const errors[][3] = {
    {"include = x.ini", "", "DIR/main.ini:1: include: \"x.ini\" does not exist"},
    {"include = a.ini, ", "", "DIR/main.ini:1: include: \"a.ini,\" has an empty item; write it like a, b, c"},
    {"include =", "", "DIR/main.ini:1: include: \"\" has an empty item; write it like a, b, c"},
    {"\ninclude = .", "", "DIR/main.ini:2: include: \"DIR/.\" is not a regular file"},
    {"include = /dev/zero", "", "DIR/main.ini:1: include: \"/dev/zero\" is not a regular file"},
    {"[server]\ninclude = a.ini", "", "DIR/main.ini:2: include belongs before the first section, not in [server]"},
    {"include = a.ini\n[server]\nworker = 1", "\n[server]\nworker = 1",
     "DIR/a.ini:3: unknown key \"worker\" in [server]; did you mean workers?"},
    {"include = a.ini\n[route /x]\nhandler = echo", "\n[route /x]\nhandler = echo",
     "DIR/main.ini:2: the route \"/x\" is already defined in DIR/a.ini:2"},
    {"include = a.ini\n[channel x]\nhistory = 1", "\n[channel x]\nhistory = 2",
     "DIR/main.ini:2: the channel \"x\" is already defined in DIR/a.ini:2"},
    {"include = a.ini", "[channel x]\n\nhistory = -1",
     "DIR/a.ini:3: history: \"-1\" is not a number; write it in digits, like 8"},
    {"include = a.ini", "[route /x]\nconcurrency = 1\n",
     "DIR/a.ini:1: the route has no handler; write handler = echo, broadcast, relay, pubsub or plugin:PATH"},
    {"include = a.ini, a.ini", "\n\n[route /x]\nhandler = echo",
     "DIR/a.ini:3: the route \"/x\" is already defined; this file is read twice"},
    {"include = a.ini\n[route /x]\nhandler = echo\n[route /x]\n", "",
     "DIR/main.ini:4: the route \"/x\" is already defined on line 2"},
    {"include = a.ini", "include = main.ini",
     "DIR/a.ini:1: include: these files include each other: DIR/main.ini -> DIR/a.ini -> DIR/main.ini"},
    {"include = a.ini", "\n\ninclude = *.ini",
     "DIR/a.ini:3: include: these files include each other: DIR/main.ini -> DIR/a.ini -> DIR/a.ini"},
    {"include = main.ini", "",
     "DIR/main.ini:1: include: these files include each other: DIR/main.ini -> DIR/main.ini"},
};

START_TEST(include_errors_name_their_file) {
    config_folder_write("main.ini", errors[_i][0]);
    config_folder_write("a.ini", errors[_i][1]);
    expect_error(errors[_i][2]);
}
END_TEST

/* main.ini includes 1.ini, which includes 2.ini, and so on to `last`, which ends it. */
static void write_chain(int last) {
    config_folder_write("main.ini", "include = 1.ini");
    for (int i = 1; i <= last; i++) {
        char name[32], text[64];
        snprintf(name, sizeof name, "%d.ini", i);
        snprintf(text, sizeof text, i < last ? "include = %d.ini" : "[server]\nworkers = %d", i + 1);
        config_folder_write(name, text);
    }
}

START_TEST(include_is_limited_to_eight_levels) {
    write_chain(8);
    struct config *config = loaded();
    ck_assert_uint_eq(config->server.workers, 9);
    config_destroy(config);
    write_chain(9);
    expect_error("DIR/8.ini:1: include: files include each other more than 8 deep");
}
END_TEST

START_TEST(include_loop_with_long_names_is_one_error_line) {
    char error[CONFIG_ERROR_SIZE], folder[120], name[140], text[160];
    memset(folder, 'n', sizeof folder);
    folder[sizeof folder - 1] = '\0';
    make_subfolder(folder);
    snprintf(text, sizeof text, "include = %s/a.ini", folder);
    config_folder_write("main.ini", text);
    snprintf(name, sizeof name, "%s/a.ini", folder);
    config_folder_write(name, "include = b.ini");
    snprintf(name, sizeof name, "%s/b.ini", folder);
    config_folder_write(name, "include = c.ini");
    snprintf(name, sizeof name, "%s/c.ini", folder);
    config_folder_write(name, "include = ../main.ini");
    struct config *config = config_create();
    ck_assert_int_eq(load(config, error), -1);
    ck_assert_ptr_nonnull(strstr(error, "include: these files include each other: "));
    ck_assert_ptr_null(strchr(error, '\n'));
    ck_assert_uint_eq(strlen(error), CONFIG_ERROR_SIZE - 1);
    config_destroy(config);
}
END_TEST

TCase *config_include_tcase(void) {
    TCase *include = tcase_create("include");
    tcase_add_checked_fixture(include, config_folder_make, config_folder_remove);
    tcase_add_test(include, include_later_files_win);
    tcase_add_test(include, include_takes_several_files_and_patterns);
    tcase_add_test(include, include_allows_a_folder_that_looks_like_a_pattern);
    tcase_add_test(include, config_paths_are_relative_to_their_file);
    tcase_add_loop_test(include, include_errors_name_their_file, 0, COUNT(errors));
    tcase_add_test(include, include_is_limited_to_eight_levels);
    tcase_add_test(include, include_loop_with_long_names_is_one_error_line);
    return include;
}
