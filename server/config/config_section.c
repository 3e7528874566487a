/* config_section.c - finds, adds, fills and drops sections with a pattern: [channel PATTERN] and [route PATTERN].
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>
#include <string.h>

#include "server/channels/channel_name.h"
#include "server/config/config_private.h"
#include "server/config/options.h"
#include "server/config/value.h"

static bool is_route(const char *section) {
    return strcmp(section, "route") == 0;
}

/* --- Finding ----------------------------------------------------------------------------------------------- */

const char *config_split_header(const char *header, const char **section) {
    size_t word = strcspn(header, " \t");
    for (const char *const *known = option_sections; *known != NULL; known++)
        if (option_section_has_pattern(*known) && strlen(*known) == word && strncmp(header, *known, word) == 0) {
            *section = *known;
            return header + word + strspn(header + word, " \t");
        }
    return NULL;
}

size_t config_section_count(const struct config *config) {
    return config->channel_rule_count + config->route_count;
}

struct config_section config_section_at(const struct config *config, size_t index) {
    if (index < config->channel_rule_count) {
        struct config_channel *rule = &config->channel_rules[index];
        return (struct config_section){"channel", rule->pattern, rule->location, rule->locations, rule};
    }
    struct config_route *route = &config->routes[index - config->channel_rule_count];
    return (struct config_section){"route", route->pattern, route->location, route->locations, route};
}

bool config_find_section(const struct config *config, const char *section, const char *pattern,
                         struct config_section *found) {
    for (size_t i = 0; i < config_section_count(config); i++) {
        *found = config_section_at(config, i);
        if (strcmp(found->pattern, pattern) == 0 && strcmp(found->section, section) == 0)
            return true;
    }
    return false;
}

/* --- Adding ------------------------------------------------------------------------------------------------ */

/* Checks a section's pattern. The router checks the pattern of a route further. */
static int check_pattern(const struct config *config, const char *section, const char *pattern,
                         struct config_location location, char *error, size_t error_size) {
    bool route = is_route(section);
    char quoted[VALUE_QUOTED_SIZE];
    if (*pattern == '\0')
        return config_fail(location, error, error_size, "the %s has no pattern; write it like [%s]", section,
                           route ? "route /chat" : "channel news:*");
    const char *wrong = route ? NULL : channel_pattern_error(pattern);
    if (wrong != NULL)
        return config_fail(location, error, error_size, "%s %s", value_quote(pattern, quoted), wrong);
    bool full =
        route ? config->route_count == CONFIG_ROUTES_MAX : config->channel_rule_count == CONFIG_CHANNEL_RULES_MAX;
    return full ? config_fail(location, error, error_size, "too many %ss", section) : 0;
}

/* Adds a channel rule. Returns it, or NULL if memory is out. */
static void *add_rule(struct config *config, const struct config_section *added) {
    struct config_channel *rules = realloc(config->channel_rules, (config->channel_rule_count + 1) * sizeof *rules);
    if (rules == NULL)
        return NULL;
    config->channel_rules = rules;
    rules[config->channel_rule_count] = (struct config_channel){
        .pattern = added->pattern, .location = added->location, .locations = added->locations};
    return &rules[config->channel_rule_count++];
}

/* Adds a route. Returns it, or NULL if memory is out. */
static void *add_route(struct config *config, const struct config_section *added) {
    struct config_route *routes = realloc(config->routes, (config->route_count + 1) * sizeof *routes);
    if (routes == NULL)
        return NULL;
    config->routes = routes;
    routes[config->route_count] = (struct config_route){
        .pattern = added->pattern, .location = added->location, .locations = added->locations};
    return &routes[config->route_count++];
}

static int fail_memory(struct config_location location, char *error, size_t error_size) {
    return config_fail(location, error, error_size, "out of memory");
}

int config_add_section(struct config *config, const char *section, const char *pattern,
                       struct config_location location, struct config_section *added, char *error,
                       size_t error_size) {
    if (check_pattern(config, section, pattern, location, error, error_size) != 0)
        return -1;
    size_t rules = config->channel_rule_count, routes = config->route_count;
    *added =
        (struct config_section){section, strdup(pattern), location, calloc(option_count, sizeof location), NULL};
    if (added->pattern != NULL && added->locations != NULL)
        added->base = is_route(section) ? add_route(config, added) : add_rule(config, added);
    if (added->base == NULL) {
        free(added->pattern);
        free(added->locations);
        return fail_memory(location, error, error_size);
    }
    if (option_set_defaults(section, added->base) == 0)
        return 0;
    config_drop_sections(config, rules, routes);
    return fail_memory(location, error, error_size);
}

/* --- Keys, end --------------------------------------------------------------------------------------------- */

int config_apply_to_section(const struct config_section *section, const struct config_setting *setting, char *error,
                            size_t error_size) {
    if (is_route(section->section))
        return config_apply_to_route(section->base, setting, error, error_size);
    return config_apply(section->base, section->locations, setting, error, error_size);
}

static void release(const struct config_section *section) {
    if (is_route(section->section))
        config_release_extras(section->base);
    option_release(section->section, section->base);
    free(section->pattern);
    free(section->locations);
}

void config_drop_sections(struct config *config, size_t first_rule, size_t first_route) {
    size_t rules = config->channel_rule_count;
    for (size_t i = first_rule; i < config_section_count(config); i++) {
        const struct config_section section = config_section_at(config, i);
        if (i < rules || i - rules >= first_route)
            release(&section);
    }
    config->channel_rule_count = first_rule;
    config->route_count = first_route;
}
