/* config_variable.c - sets options of sections with a pattern from the environment: WEIR_ROUTE_LIGHT_STATUS_DELAY
 * is `delay` of [route /light/{status}].
 *
 * The name of a section is its pattern in capitals, with an underscore for each run of characters other than
 * letters and digits. ROOT stands for the pattern /, and ALL for a final *. If a variable fits several sections,
 * the one with the longest name counts.
 *
 * SPDX-License-Identifier: MIT
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/config/config_private.h"
#include "server/config/options.h"
#include "server/config/value.h"

enum { NAME_SIZE = 200 };

/* --- Names --------------------------------------------------------------------------------------------------- */

/* Appends a character of a pattern to a variable's name: a letter as a capital, a digit, or one underscore for a
 * run of others. */
static size_t append(char *name, size_t used, char c) {
    bool word = isalnum((unsigned char)c);
    if (used < NAME_SIZE - 2 && (word || name[used - 1] != '_'))
        name[used++] = (char)(word ? toupper((unsigned char)c) : '_');
    return used;
}

/* Writes "WEIR_ROUTE_LIGHT_STATUS_", followed by the key in capitals. */
static void print_name(const struct config_section *section, const char *key, char name[NAME_SIZE]) {
    const char *pattern = section->pattern;
    size_t size = strlen(pattern);
    bool all = size > 0 && pattern[size - 1] == '*';
    size_t begin = (size_t)snprintf(name, NAME_SIZE, "WEIR_"), used = begin;
    for (const char *at = section->section; *at != '\0'; at++)
        used = append(name, used, *at);
    begin = used = append(name, used, '_');
    for (size_t i = 0; i < size - all; i++)
        used = append(name, used, pattern[i]);
    for (const char *at = all ? "_ALL_" : used == begin ? "_ROOT_" : "_"; *at != '\0'; at++)
        used = append(name, used, *at);
    for (const char *at = key; *at != '\0'; at++)
        used = append(name, used, *at);
    name[used] = '\0';
}

/* Returns the key that the variable would set in the section, or NULL. */
static const char *key_in(const struct config_section *section, const char *variable) {
    char prefix[NAME_SIZE];
    print_name(section, "", prefix);
    size_t size = strlen(prefix);
    return strncmp(variable, prefix, size) == 0 && variable[size] != '\0' ? variable + size : NULL;
}

bool config_print_variables(const struct config *config, const struct config_section *section, FILE *out) {
    char name[NAME_SIZE], other[NAME_SIZE];
    unsigned same = 0;
    print_name(section, "", name);
    for (size_t i = 0; i < config_section_count(config); i++) {
        const struct config_section each = config_section_at(config, i);
        print_name(&each, "", other);
        same += strcmp(name, other) == 0;
    }
    if (same == 1)
        fputs(name, out);
    return same == 1;
}

/* --- Which section is meant ---------------------------------------------------------------------------------- */

/* The section that a variable belongs to. */
struct meant {
    struct config_section section, other; /* `other` has the same name, if there is a tie */
    char key[NAME_SIZE];                  /* in lower case */
    size_t size;                          /* of the key; 0: the variable fits no section */
    bool tie;
};

enum wanted { KNOWN_KEY, PLUGIN, ANY_SECTION };

static void lower(const char *text, char key[NAME_SIZE]) {
    snprintf(key, NAME_SIZE, "%s", text);
    for (char *at = key; *at != '\0'; at++)
        *at = (char)tolower((unsigned char)*at);
}

static bool is_wanted(const struct config_section *section, const char *key, enum wanted wanted) {
    if (wanted == KNOWN_KEY)
        return option_find(section->section, key) != NULL;
    const struct config_route *route = section->base;
    return wanted == ANY_SECTION || (strcmp(section->section, "route") == 0 && route->handler != NULL &&
                                     strncmp(route->handler, "plugin:", 7) == 0);
}

static struct meant find(const struct config *config, const char *variable, enum wanted wanted) {
    struct meant meant = {.size = 0};
    for (size_t i = 0; i < config_section_count(config); i++) {
        const struct config_section section = config_section_at(config, i);
        const char *text = key_in(&section, variable);
        size_t size = text != NULL ? strlen(text) : 0;
        char key[NAME_SIZE];
        lower(text != NULL ? text : "", key);
        if (size == 0 || !is_wanted(&section, key, wanted))
            continue;
        if (meant.size == size) {
            meant.tie = true;
            meant.other = section;
        } else if (meant.size == 0 || size < meant.size) {
            meant = (struct meant){.section = section, .size = size};
            memcpy(meant.key, key, sizeof key);
        }
    }
    return meant;
}

/* --- Errors -------------------------------------------------------------------------------------------------- */

static int fail_tie(const struct meant *meant, struct config_location location, char *error, size_t error_size) {
    return config_fail(location, error, error_size,
                       "[%s %s] and [%s %s] have the same name here; use a file or --set instead",
                       meant->section.section, meant->section.pattern, meant->other.section, meant->other.pattern);
}

static int fail_unknown(const struct config *config, struct config_location location, char *error,
                        size_t error_size) {
    const struct meant meant = find(config, location.source, ANY_SECTION);
    if (meant.size == 0)
        return config_fail(location, error, error_size,
                           "no section has this name; `weir check` shows the variables of each section");
    const struct config_section *section = &meant.section;
    const struct option *option = option_meant(section->section, meant.key);
    char name[NAME_SIZE];
    if (option == NULL || strcmp(option->section, section->section) != 0)
        return config_fail(location, error, error_size,
                           "[%s %s] has no such key; `weir check --list` shows every key", section->section,
                           section->pattern);
    print_name(section, option->name, name);
    return config_fail(location, error, error_size, "[%s %s] has no such key; did you mean %s?", section->section,
                       section->pattern, name);
}

bool config_has_variable(const struct config *config, const char *name) {
    return find(config, name, ANY_SECTION).size > 0;
}

int config_apply_variable(struct config *config, struct config_location location, const char *value, bool link,
                          char *error, size_t error_size) {
    struct meant meant = find(config, location.source, KNOWN_KEY);
    if (meant.size == 0 && link)
        return 0;
    if (meant.size == 0)
        meant = find(config, location.source, PLUGIN);
    if (meant.size == 0)
        return fail_unknown(config, location, error, error_size);
    if (meant.tie)
        return fail_tie(&meant, location, error, error_size);
    const struct config_setting setting = {meant.section.section, meant.key, value, location};
    return config_apply_to_section(&meant.section, &setting, error, error_size);
}
