/* option_find.c - searches the option table: by name, by a similar name, by a name from another section.
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "server/config/options.h"
#include "server/config/retired.h"
#include "server/config/value.h"

enum { OPTIONS_MAX = 200 }; /* more than the table has; a test checks this */

/* Sections that take a pattern, NULL-terminated, and their titles in the same order. */
static const char *const with_pattern[] = {"channel", "route", NULL};
static const char *const titles[] = {"channel PATTERN", "route PATTERN"};

const char *option_section_title(const char *section) {
    for (size_t i = 0; with_pattern[i] != NULL; i++)
        if (strcmp(section, with_pattern[i]) == 0)
            return titles[i];
    return section;
}

bool option_section_has_pattern(const char *section) {
    return option_section_title(section) != section;
}

bool option_section_is_plain(const char *section) {
    for (const char *const *known = option_sections; *known != NULL; known++)
        if (strcmp(section, *known) == 0)
            return !option_section_has_pattern(section);
    return false;
}

const struct option *option_find(const char *section, const char *name) {
    for (const struct option *option = options; option->name != NULL; option++)
        if (strcmp(option->section, section) == 0 && strcmp(option->name, name) == 0)
            return option;
    return NULL;
}

/* Returns the option of exactly this name in any section, or NULL. */
static const struct option *find_elsewhere(const char *name) {
    for (const struct option *option = options; option->name != NULL; option++)
        if (strcmp(option->name, name) == 0)
            return option;
    return NULL;
}

/* Returns the option with the most similar name, in one section, or in all if `section` is NULL. */
static const struct option *find_similar(const char *section, const char *name) {
    const char *names[OPTIONS_MAX + 1];
    size_t count = 0;
    for (const struct option *option = options; option->name != NULL && count < OPTIONS_MAX; option++)
        if (section == NULL || strcmp(option->section, section) == 0)
            names[count++] = option->name;
    names[count] = NULL;
    const char *nearest = value_nearest(name, names);
    if (nearest == NULL)
        return NULL;
    return section != NULL ? option_find(section, nearest) : find_elsewhere(nearest);
}

const struct option *option_meant(const char *section, const char *name) {
    const struct option *meant = find_elsewhere(name);
    if (meant == NULL)
        meant = find_similar(section, name);
    return meant != NULL ? meant : find_similar(NULL, name);
}

void option_unknown(const char *section, const char *name, char *error, size_t error_size) {
    char quoted[VALUE_QUOTED_SIZE];
    value_quote(name, quoted);
    const char *title = option_section_title(section);
    const struct option *meant = option_meant(section, name);
    const char *now = retired_key(section, name);
    if (now != NULL)
        snprintf(error, error_size, "%s is now called %s", name, now);
    else if (strcmp(name, "include") == 0)
        snprintf(error, error_size, "include belongs before the first section, not in [%s]", title);
    else if (meant == NULL)
        snprintf(error, error_size, "unknown key %s in [%s]; `weir check --list` shows every key", quoted, title);
    else if (strcmp(meant->name, name) == 0)
        snprintf(error, error_size, "%s belongs in [%s], not in [%s]", name, option_section_title(meant->section),
                 title);
    else if (strcmp(meant->section, section) == 0)
        snprintf(error, error_size, "unknown key %s in [%s]; did you mean %s?", quoted, title, meant->name);
    else
        snprintf(error, error_size, "unknown key %s in [%s]; did you mean %s, which belongs in [%s]?", quoted,
                 title, meant->name, option_section_title(meant->section));
}

void option_unknown_section(const char *section, char *error, size_t error_size) {
    char quoted[VALUE_QUOTED_SIZE], word[VALUE_QUOTED_SIZE];
    snprintf(word, sizeof word, "%.*s", (int)strcspn(section, " \t"), section);
    const char *nearest = NULL;
    if (strlen(word) < strlen(section)) /* something follows the word, perhaps a pattern */
        nearest = value_nearest(word, with_pattern);
    if (nearest == NULL)
        nearest = value_nearest(word, option_sections);
    const char *now = retired_section(section);
    if (now != NULL)
        snprintf(error, error_size, "[%s] is now called [%s]", section, now);
    else if (nearest != NULL)
        snprintf(error, error_size, "unknown section %s; did you mean [%s]?", value_quote(section, quoted),
                 option_section_title(nearest));
    else
        snprintf(error, error_size,
                 "unknown section %s; the sections are [server], [websocket], [log], [admin], [channel_limits], "
                 "[channel PATTERN] and [route PATTERN]",
                 value_quote(section, quoted));
}
