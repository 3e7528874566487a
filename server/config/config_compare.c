/* config_compare.c - finds what differs between two configurations, for a reload. It compares the printed values of
 * every option in the table, so it cannot miss an option.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>
#include <string.h>

#include "server/config/config_private.h"
#include "server/config/options.h"

static const char not_shown[] = "(not shown)";

typedef void reporter(void *context, const struct config_change *change);

struct compare {
    reporter *report;
    void *context;
    const char *section; /* as reported */
};

/* Returns the value as written in a file. The caller frees it. */
static char *text_of(const struct option *option, const void *base) {
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL)
        return NULL;
    option_print(option, base, out);
    fclose(out);
    return text;
}

static bool is_same(const char *before, const char *after) {
    return before == NULL || after == NULL ? before == after : strcmp(before, after) == 0;
}

static void report(const struct compare *compare, const char *name, const char *before, const char *after,
                   bool restart) {
    const struct config_change change = {compare->section, name, before, after, restart};
    compare->report(compare->context, &change);
}

static void compare_section(const struct compare *compare, const char *section, const void *before,
                            const void *after) {
    for (const struct option *option = options; option->name != NULL; option++) {
        if (strcmp(option->section, section) != 0 || option->type == OPTION_SECRET)
            continue;
        char *old_text = text_of(option, before), *new_text = text_of(option, after);
        if (!is_same(old_text, new_text))
            report(compare, option->name, old_text, new_text, option->restart);
        free(old_text);
        free(new_text);
    }
}

static void compare_token(const struct compare *compare, const char *before, const char *after) {
    if (!is_same(before, after))
        report(compare, "token", before != NULL ? not_shown : "none", after != NULL ? not_shown : "none", false);
}

/* Compares each field of struct settings that is an option. All of them are plain numbers. */
bool config_settings_are_same(const struct settings *a, const struct settings *b) {
    for (const struct option *option = options; option->name != NULL; option++) {
        if (!option_section_is_plain(option->section) || option->offset < offsetof(struct config, settings))
            continue;
        size_t offset = option->offset - offsetof(struct config, settings);
        if (offset < sizeof *a &&
            memcmp((const char *)a + offset, (const char *)b + offset, option_field_size(option)) != 0)
            return false;
    }
    return true;
}

/* --- Sections with a pattern ------------------------------------------------------------------------------- */

static const struct config_extra *extra_of(const struct config_route *route, const char *name) {
    for (size_t i = 0; i < route->extra_count; i++)
        if (strcmp(route->extras[i].name, name) == 0)
            return &route->extras[i];
    return NULL;
}

static const char *shown(const struct config_extra *extra) {
    return extra == NULL ? NULL : extra->secret ? not_shown : extra->value;
}

/* NULL is a key that does not exist. */
static bool extras_are_same(const struct config_extra *a, const struct config_extra *b) {
    return a != NULL && b != NULL && is_same(a->value, b->value) && is_same(a->content, b->content);
}

static void compare_extras(const struct compare *compare, const struct config_route *before,
                           const struct config_route *after) {
    for (size_t i = 0; i < before->extra_count; i++) {
        const struct config_extra *extra = &before->extras[i], *other = extra_of(after, extra->name);
        if (!extras_are_same(extra, other))
            report(compare, extra->name, shown(extra), shown(other), false);
    }
    for (size_t i = 0; i < after->extra_count; i++)
        if (extra_of(before, after->extras[i].name) == NULL)
            report(compare, after->extras[i].name, NULL, shown(&after->extras[i]), false);
}

/* Reports a section that only one of the configurations has: the older one if `before`. */
static void report_alone(const struct compare *compare, const struct config_section *section, bool before) {
    bool route = strcmp(section->section, "route") == 0;
    const char *value = route ? ((const struct config_route *)section->base)->handler : section->pattern;
    report(compare, route ? "handler" : "pattern", before ? value : NULL, before ? NULL : value, false);
}

/* Compares a section of one configuration with the same section of the other, if it exists. `before`: the first is
 * the older one. */
static void compare_with(struct compare *compare, const struct config_section *section, const struct config *other,
                         bool before) {
    struct config_section same;
    bool both = config_find_section(other, section->section, section->pattern, &same);
    char *title;
    if ((both && !before) || asprintf(&title, "%s %s", section->section, section->pattern) < 0)
        return;
    compare->section = title;
    if (both)
        compare_section(compare, section->section, section->base, same.base);
    else
        report_alone(compare, section, before);
    if (both && strcmp(section->section, "route") == 0)
        compare_extras(compare, section->base, same.base);
    free(title);
}

static void compare_all_with(struct compare *compare, const struct config *config, const struct config *other,
                             bool before) {
    for (size_t i = 0; i < config_section_count(config); i++) {
        const struct config_section section = config_section_at(config, i);
        compare_with(compare, &section, other, before);
    }
}

void config_compare(const struct config *before, const struct config *after, reporter *callback, void *context) {
    struct compare compare = {callback, context, NULL};
    for (const char *const *section = option_sections; *section != NULL; section++)
        if (option_section_is_plain(*section)) {
            compare.section = *section;
            compare_section(&compare, *section, before, after);
        }
    compare.section = "admin";
    compare_token(&compare, before->admin.secret, after->admin.secret);
    compare_all_with(&compare, before, after, true);
    compare_all_with(&compare, after, before, false);
}
