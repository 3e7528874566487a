/* test_channel_name.c - names of channels, patterns and their precedence, templates.
 *
 * SPDX-License-Identifier: MIT
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "server/channels/channel_name.h"
#include "tests/unit/suites.h"

/* --- Names ---------------------------------------------------------------------------------------------------- */

START_TEST(channel_name_allows_letters_digits_and_listed_signs) {
    for (int byte = 0; byte < 256; byte++) {
        char name = (char)byte;
        bool letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9');
        bool sign = byte != 0 && strchr("_-.:@/+~", byte) != NULL;
        ck_assert_msg(channel_name_valid(&name, 1) == (letter || sign), "byte %d", byte);
        const char pair[] = {'x', name};
        ck_assert_msg(channel_name_valid(pair, 2) == (letter || sign), "byte %d", byte);
    }
}
END_TEST

START_TEST(channel_name_has_1_to_255_bytes) {
    char name[CHANNEL_NAME_MAX + 1];
    memset(name, 'x', sizeof name);
    for (size_t size = 0; size <= sizeof name; size++)
        ck_assert_msg(channel_name_valid(name, size) == (size >= 1 && size <= 255), "%zu", size);
}
END_TEST

/* --- Patterns ------------------------------------------------------------------------------------------------- */

static const struct {
    const char *pattern, *error;
} patterns[] = {
    {"news", NULL},
    {"news:*", NULL},
    {"*", NULL},
    {"a:b/e@f.g+h~j_l-m*", NULL},
    {"", "is not a channel pattern; write a name like news, or the beginning of names like news:*"},
    {"**", "has a * that is not at its end; write it like news:*"},
    {"*:news", "has a * that is not at its end; write it like news:*"},
    {"news:* ", "has a * that is not at its end; write it like news:*"},
    {"the news", "is not a channel pattern; write letters, digits and _-.:@/+~ alone, and a * at the end"},
    {"a b*c", "is not a channel pattern; write letters, digits and _-.:@/+~ alone, and a * at the end"},
    {"caf\xc3\xa9", "is not a channel pattern; write letters, digits and _-.:@/+~ alone, and a * at the end"},
    {"room:{name}", "is not a channel pattern; write letters, digits and _-.:@/+~ alone, and a * at the end"},
};

static void expect_error(const char *text, const char *error, const char *expected) {
    if (expected == NULL)
        ck_assert_msg(error == NULL, "%s: %s", text, error);
    else
        ck_assert_str_eq(error, expected);
}

START_TEST(channel_pattern_errors_are_reported) {
    for (int i = 0; i < COUNT(patterns); i++)
        expect_error(patterns[i].pattern, channel_pattern_error(patterns[i].pattern), patterns[i].error);
}
END_TEST

/* With a star or without. */
START_TEST(channel_pattern_has_at_most_255_bytes) {
    for (int star = 0; star < 2; star++) {
        char pattern[CHANNEL_NAME_MAX + 2] = "";
        memset(pattern, 'x', CHANNEL_NAME_MAX + 1);
        pattern[CHANNEL_NAME_MAX] = star ? '*' : 'x';
        ck_assert_str_eq(channel_pattern_error(pattern),
                         "is longer than the 255 bytes that a channel's name may have");
        ck_assert_ptr_null(channel_pattern_error(pattern + 1));
    }
}
END_TEST

START_TEST(channel_pattern_matches_exact_names_and_prefixes) {
    static const struct {
        const char *pattern, *name;
        bool expected;
    } cases[] = {
        {"news", "news", true},
        {"news", "new", false},
        {"news", "news:", false},
        {"news", "News", false},
        {"news:*", "news:sport", true},
        {"news:*", "news:", true},
        {"news:*", "news", false},
        {"news:*", "new", false},
        {"news:*", "old:news:x", false},
        {"*", "x", true},
        {"x*", "x", true},
    };
    for (int i = 0; i < COUNT(cases); i++)
        ck_assert_msg(channel_pattern_matches(cases[i].pattern, cases[i].name) == cases[i].expected, "%s, %s",
                      cases[i].pattern, cases[i].name);
}
END_TEST

/* Each pattern before all that follow it, and none before itself. */
START_TEST(channel_pattern_more_specific_precedes) {
    static const char *const order[] = {"a", "aaaa*", "aaa*", "a*", "*"};
    for (int i = 0; i < COUNT(order); i++)
        for (int j = 0; j < COUNT(order); j++)
            ck_assert_msg(channel_pattern_precedes(order[i], order[j]) == (i < j), "%s, %s", order[i], order[j]);
    ck_assert(!channel_pattern_precedes("a", "b") && !channel_pattern_precedes("b", "a"));
    ck_assert(!channel_pattern_precedes("a*", "b*") && !channel_pattern_precedes("b*", "a*"));
}
END_TEST

/* --- Templates ------------------------------------------------------------------------------------------------ */

/* The parts of a valid template, or the error. */
static const struct {
    const char *template, *parts, *error;
} templates[] = {
    {"lobby", "'lobby'", NULL},
    {"room:{name}", "'room:'{name}", NULL},
    {"{a}{b-2}/x/{*}~", "{a}{b-2}'/x/'{*}'~'", NULL},
    {"", NULL, "is not a channel; write it like room:{name}"},
    {"room:{name", NULL, "has a { without a parameter's name and a } after it; write it like room:{name}"},
    {"room:{}", NULL, "has a { without a parameter's name and a } after it; write it like room:{name}"},
    {"{a{b}}", NULL, "has a { without a parameter's name and a } after it; write it like room:{name}"},
    {"{a.b}", NULL, "has a { without a parameter's name and a } after it; write it like room:{name}"},
    {"{**}", NULL, "has a { without a parameter's name and a } after it; write it like room:{name}"},
    {"{", NULL, "has a { without a parameter's name and a } after it; write it like room:{name}"},
    {"room:name}", NULL,
     "is not a channel; write letters, digits, _-.:@/+~ and {parameters} alone, like room:{name}"},
    {"room *", NULL, "is not a channel; write letters, digits, _-.:@/+~ and {parameters} alone, like room:{name}"},
    {"room:*", NULL, "is not a channel; write letters, digits, _-.:@/+~ and {parameters} alone, like room:{name}"},
};

static void expect_parts(const char *template, const char *expected) {
    struct channel_template_part part;
    char parts[200] = "", *at = parts;
    while (channel_template_next(&template, &part))
        at += sprintf(at, part.parameter ? "{%.*s}" : "'%.*s'", (int)part.size, part.text);
    ck_assert_str_eq(parts, expected);
}

START_TEST(channel_template_is_parsed_or_refused) {
    for (int i = 0; i < COUNT(templates); i++) {
        expect_error(templates[i].template, channel_template_error(templates[i].template), templates[i].error);
        if (templates[i].parts != NULL)
            expect_parts(templates[i].template, templates[i].parts);
    }
}
END_TEST

/* Only the literal text counts: a parameter's value may be shorter than its name. */
START_TEST(channel_template_counts_only_its_literal_text) {
    char template[CHANNEL_NAME_MAX + 1 + sizeof "{name}"];
    memset(template, 'x', CHANNEL_NAME_MAX + 1);
    strcpy(template + CHANNEL_NAME_MAX + 1, "{name}");
    ck_assert_str_eq(channel_template_error(template),
                     "is longer than the 255 bytes that a channel's name may have");
    ck_assert_ptr_null(channel_template_error(template + 1));
}
END_TEST

Suite *channel_name_suite(void) {
    Suite *suite = suite_create("channel_name");
    TCase *names = tcase_create("names");
    tcase_add_test(names, channel_name_allows_letters_digits_and_listed_signs);
    tcase_add_test(names, channel_name_has_1_to_255_bytes);
    suite_add_tcase(suite, names);
    TCase *pattern = tcase_create("patterns");
    tcase_add_test(pattern, channel_pattern_errors_are_reported);
    tcase_add_test(pattern, channel_pattern_has_at_most_255_bytes);
    tcase_add_test(pattern, channel_pattern_matches_exact_names_and_prefixes);
    tcase_add_test(pattern, channel_pattern_more_specific_precedes);
    suite_add_tcase(suite, pattern);
    TCase *template = tcase_create("templates");
    tcase_add_test(template, channel_template_is_parsed_or_refused);
    tcase_add_test(template, channel_template_counts_only_its_literal_text);
    suite_add_tcase(suite, template);
    return suite;
}
