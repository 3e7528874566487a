/* test_usage.c - suggestions for misspelt words.
 *
 * SPDX-License-Identifier: MIT
 */
#include <check.h>

#include "commands/usage.h"
#include "tests/unit/suites.h"

static const struct row {
    const char *name;
    int number;
} table[] = {{"serve", 1}, {"connect", 2},  {"check", 3}, {"health", 4},
             {"help", 5},  {"max-size", 6}, {"-V", 7},    {NULL, 0}};

static const struct {
    const char *word, *meant; /* NULL: none */
} words[] = {
    {"serve", "serve"},
    {"serv", "serve"},
    {"srve", "serve"},
    {"sevre", "serve"},
    {"sreve", "serve"},
    {"servee", "serve"},
    {"conect", "connect"},
    {"con", "connect"},
    {"chekc", "check"},
    {"chcek", "check"},
    {"hel", "help"},
    {"healht", "health"},
    {"hlp", "help"},
    {"maxsize", "max-size"},
    {"he", NULL},
    {"ch", "check"},
    {"srv", NULL},
    {"xyz", NULL},
    {"", NULL},
    {"s", NULL},
    {"-x", NULL},
    {"-V", "-V"},
    {"listen", NULL},
    {"SERVE", NULL},
    {"serveserveserveserveserveserveserveserve", NULL},
};

START_TEST(usage_suggests_the_nearest_word) {
    const char *meant = usage_nearest(words[_i].word, NAMES_OF(table));
    if (words[_i].meant == NULL)
        ck_assert_msg(meant == NULL, "%s: %s", words[_i].word, meant);
    else
        ck_assert_str_eq(meant, words[_i].meant);
}
END_TEST

Suite *usage_suite(void) {
    Suite *suite = suite_create("usage");
    TCase *words_case = tcase_create("words");
    tcase_add_loop_test(words_case, usage_suggests_the_nearest_word, 0, COUNT(words));
    suite_add_tcase(suite, words_case);
    return suite;
}
