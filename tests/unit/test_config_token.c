/* test_config_token.c - the admin API's token: given, in a file, and never shown.
 *
 * SPDX-License-Identifier: MIT
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/unit/config_text.h"

#define TOKEN   "0123456789abcdef"
#define SIXTY   "012345678901234567890123456789012345678901234567890123456789"
#define LONGEST SIXTY SIXTY SIXTY SIXTY "0123456789abcdef"

static char path[200];

static void write_token(const char *text, size_t size, mode_t mode) {
    snprintf(path, sizeof path, "%s/token", config_folder);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(text, 1, size, file), size);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(chmod(path, mode), 0);
}

/* A configuration from main.ini with these lines in [admin], not yet checked. */
static struct config *load(const char *lines) {
    char text[600], main_ini[200], error[CONFIG_ERROR_SIZE] = "";
    snprintf(text, sizeof text, "[admin]\n%s\n", lines);
    snprintf(main_ini, sizeof main_ini, "%s/main.ini", config_folder);
    config_folder_write("main.ini", text);
    struct config *config = config_create();
    ck_assert_msg(config_load(config, main_ini, error, sizeof error) == 0, "%s", error);
    return config;
}

/* Without a newline at its end, with one, with CRLF; a relative path begins at the file's folder. */
START_TEST(token_file_has_one_line) {
    static const char *const texts[] = {TOKEN, TOKEN "\n", TOKEN "\r\n", LONGEST, LONGEST "\n", LONGEST "\r\n"};
    char error[CONFIG_ERROR_SIZE] = "";
    for (int i = 0; i < COUNT(texts); i++) {
        write_token(texts[i], strlen(texts[i]), i % 2 == 0 ? 0600 : 0640);
        struct config *config = load("token_file = token");
        ck_assert_str_eq(config->admin.token_file, path);
        ck_assert_ptr_null(config->admin.secret);
        ck_assert_msg(config_check(config, error, sizeof error) == 0, "%s", error);
        ck_assert_str_eq(config->admin.secret, i < 3 ? TOKEN : LONGEST);
        ck_assert_int_eq(config_check(config, error, sizeof error), 0);
        config_destroy(config);
    }
}
END_TEST

START_TEST(token_is_kept_until_it_is_set_to_none) {
    char error[CONFIG_ERROR_SIZE] = "";
    struct config *config = load("token = " TOKEN);
    ck_assert_int_eq(config_check(config, error, sizeof error), 0);
    ck_assert_str_eq(config->admin.secret, TOKEN);
    ck_assert_int_eq(config_set(config, "admin", "token", "none", error, sizeof error), 0);
    ck_assert_int_eq(config_check(config, error, sizeof error), 0);
    ck_assert_ptr_null(config->admin.secret);
    config_destroy(config);
}
END_TEST

static const struct {
    const char *text;
    mode_t mode;
    const char *why;
} wrong[] = {
    {TOKEN, 0644, "can be accessed by other users (mode 0644); run chmod 600 on it"},
    {TOKEN, 0602, "can be accessed by other users (mode 0602); run chmod 600 on it"},
    {TOKEN, 0601, "can be accessed by other users (mode 0601); run chmod 600 on it"},
    {"", 0600, "is empty; it must have one line of 16 to 256 characters"},
    {"\n", 0600, "is empty; it must have one line of 16 to 256 characters"},
    {"\r\n", 0600, "is empty; it must have one line of 16 to 256 characters"},
    {"short\n", 0600, "is too short; it must have 16 to 256 characters"},
    {"0123456789abcde", 0600, "is too short; it must have 16 to 256 characters"},
    {"none", 0600, "is too short; it must have 16 to 256 characters"},
    {LONGEST "x", 0600, "is too long; it must have one line of 16 to 256 characters"},
    {LONGEST "x\n", 0600, "is too long; it must have one line of 16 to 256 characters"},
    {LONGEST LONGEST, 0600, "is too long; it must have one line of 16 to 256 characters"},
    {TOKEN "\n" TOKEN, 0600, "has more than one line"},
    {TOKEN "\n\n", 0600, "has more than one line"},
    {"\n" TOKEN, 0600, "has more than one line"},
    {TOKEN " \n", 0600, "contains a blank or a character that is not printable ASCII"},
    {TOKEN "\xc3\xa9\n", 0600, "contains a blank or a character that is not printable ASCII"},
};

static void expect_error(struct config *config, const char *why) {
    char error[CONFIG_ERROR_SIZE] = "", expected[CONFIG_ERROR_SIZE];
    ck_assert_int_eq(config_check(config, error, sizeof error), -1);
    snprintf(expected, sizeof expected, "DIR/main.ini:2: token_file: \"DIR/token\" %s", why);
    ck_assert_str_eq(config_folder_error(error), expected);
    ck_assert_ptr_null(config->admin.secret);
    config_destroy(config);
}

START_TEST(token_file_with_wrong_content_is_refused) {
    write_token(wrong[_i].text, strlen(wrong[_i].text), wrong[_i].mode);
    expect_error(load("token_file = token"), wrong[_i].why);
}
END_TEST

START_TEST(token_file_must_be_a_readable_regular_file) {
    expect_error(load("token_file = token"), "cannot be read: No such file or directory");
    static const char zero[] = TOKEN "\0\n";
    write_token(zero, sizeof zero - 1, 0600);
    expect_error(load("token_file = token"), "has a zero byte");
    remove(path);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    expect_error(load("token_file = token"), "is not a regular file");
    remove(path);
    ck_assert_int_eq(mkfifo(path, 0600), 0); /* it has no writer: weir must not wait for one */
    expect_error(load("token_file = token"), "is not a regular file");
}
END_TEST

START_TEST(token_and_token_file_exclude_each_other) {
    char error[CONFIG_ERROR_SIZE] = "";
    struct config *config = load("token = " TOKEN "\ntoken_file = token");
    ck_assert_int_eq(config_check(config, error, sizeof error), -1);
    ck_assert_str_eq(config_folder_error(error), "DIR/main.ini:3: token_file: the token is also set, by "
                                                 "DIR/main.ini; set only one of the two, and the other to none");
    config_destroy(config);
}
END_TEST

START_TEST(token_is_never_shown) {
    char error[CONFIG_ERROR_SIZE] = "";
    struct config *config = load("token = " TOKEN);
    char *text = config_printed_whole(config);
    ck_assert_ptr_null(strstr(text, TOKEN));
    ck_assert_ptr_nonnull(strstr(text, "\n# token is set, not shown; from /tmp/"));
    ck_assert_ptr_null(strstr(text, "\ntoken = "));
    struct config *again = config_loaded_text(text);
    ck_assert_ptr_null(again->admin.token);
    ck_assert_int_eq(config_set(config, "admin", "token", TOKEN " ", error, sizeof error), -1);
    ck_assert_ptr_null(strstr(error, TOKEN));
    static const char twice[] = "[admin]\ntoken = " TOKEN "\ntoken = " TOKEN;
    ck_assert_int_eq(config_load_bytes(config, twice, strlen(twice), error), -1);
    ck_assert_str_eq(error, "FILE:3: \"token\" is set twice in this section; remove one of the two lines");
    free(text);
    config_destroy(config);
    config_destroy(again);
}
END_TEST

/* The output has absolute paths, so it means the same in another folder. */
START_TEST(token_file_is_printed_with_its_whole_path) {
    struct config *config = load("token_file = ./token");
    char *text = config_printed(config), line[300];
    snprintf(line, sizeof line, "\ntoken_file = %s/./token\n", config_folder);
    ck_assert_ptr_nonnull(strstr(text, line));
    struct config *again = config_loaded_text(text);
    ck_assert_str_eq(again->admin.token_file, config->admin.token_file);
    free(text);
    config_destroy(config);
    config_destroy(again);
}
END_TEST

TCase *config_token_tcase(void) {
    TCase *token = tcase_create("token");
    tcase_add_checked_fixture(token, config_folder_make, config_folder_remove);
    tcase_add_test(token, token_file_has_one_line);
    tcase_add_test(token, token_is_kept_until_it_is_set_to_none);
    tcase_add_loop_test(token, token_file_with_wrong_content_is_refused, 0, COUNT(wrong));
    tcase_add_test(token, token_file_must_be_a_readable_regular_file);
    tcase_add_test(token, token_and_token_file_exclude_each_other);
    tcase_add_test(token, token_is_never_shown);
    tcase_add_test(token, token_file_is_printed_with_its_whole_path);
    return token;
}
