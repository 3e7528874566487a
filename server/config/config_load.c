/* config_load.c - what an ini file's sections and lines mean: which options they set, which routes they make, and
 * the line of whatever is wrong with them.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "server/config/config.h"
#include "server/config/config_private.h"
#include "server/config/ini_file.h"
#include "server/config/options.h"
#include "server/config/value.h"

/* Where reading stands. `section` is of option_sections; the index of a route stays valid when routes move. */
struct load {
    struct config *config;
    const char *path;
    char *error;
    size_t error_size;
    const char *section;
    unsigned seen; /* one bit for each section that may come only once: the index in option_sections */
};

static int fail_at(const struct load *load, unsigned line, const char *why) {
    snprintf(load->error, load->error_size, "%s:%u: %s", load->path, line, why);
    return -1;
}

static struct config_route *last_route(const struct load *load) {
    return &load->config->routes[load->config->route_count - 1];
}

/* What can be told of a route only once all its keys are known. */
static int end_section(const struct load *load) {
    if (load->section == NULL || strcmp(load->section, "route") != 0)
        return 0;
    const struct config_route *route = last_route(load);
    char why[CONFIG_ERROR_SIZE];
    if (route->handler == NULL)
        return fail_at(load, route->section_line,
                       "the route has no handler; write handler = echo, broadcast or plugin:PATH");
    if (route->extra_count == 0 || strncmp(route->handler, "plugin:", 7) == 0)
        return 0;
    option_unknown("route", route->extras[0].name, why, sizeof why);
    return fail_at(load, route->extras[0].line, why);
}

static int begin_route(struct load *load, const char *pattern, unsigned line) {
    struct config *config = load->config;
    char quoted[VALUE_QUOTED_SIZE], why[128];
    if (*pattern == '\0')
        return fail_at(load, line, "the route has no pattern; write it like [route /chat]");
    for (size_t i = 0; i < config->route_count; i++)
        if (strcmp(config->routes[i].pattern, pattern) == 0) {
            snprintf(why, sizeof why, "the route %s is already defined on line %u", value_quote(pattern, quoted),
                     config->routes[i].section_line);
            return fail_at(load, line, why);
        }
    if (config->route_count == CONFIG_ROUTES_MAX)
        return fail_at(load, line, "too many routes");
    struct config_route *routes = realloc(config->routes, (config->route_count + 1) * sizeof *routes);
    if (routes == NULL)
        return fail_at(load, line, "out of memory");
    config->routes = routes;
    struct config_route route = {.pattern = strdup(pattern), .section_line = line};
    if (route.pattern == NULL || option_set_defaults("route", &route) != 0) {
        config_release_route(&route);
        return fail_at(load, line, "out of memory");
    }
    config->routes[config->route_count++] = route;
    load->section = "route";
    return 0;
}

static int on_section(void *context, const char *name, unsigned line) {
    struct load *load = context;
    char why[CONFIG_ERROR_SIZE];
    if (end_section(load) != 0)
        return -1;
    load->section = NULL;
    size_t word = strcspn(name, " \t");
    if (word == 5 && strncmp(name, "route", word) == 0)
        return begin_route(load, name + word + strspn(name + word, " \t"), line);
    for (unsigned i = 0; option_sections[i] != NULL; i++)
        if (strcmp(option_sections[i], name) == 0) {
            if ((load->seen & 1u << i) != 0) {
                snprintf(why, sizeof why, "[%s] comes a second time; put all its keys under the first", name);
                return fail_at(load, line, why);
            }
            load->seen |= 1u << i;
            load->section = option_sections[i];
            return 0;
        }
    option_unknown_section(name, why, sizeof why);
    return fail_at(load, line, why);
}

static int add_extra(const struct load *load, const char *key, const char *value, unsigned line) {
    struct config_route *route = last_route(load);
    struct config_extra *extras = realloc(route->extras, (route->extra_count + 1) * sizeof *extras);
    if (extras == NULL)
        return fail_at(load, line, "out of memory");
    route->extras = extras;
    struct config_extra extra = {strdup(key), strdup(value), line};
    if (extra.name == NULL || extra.value == NULL) {
        free(extra.name);
        free(extra.value);
        return fail_at(load, line, "out of memory");
    }
    extras[route->extra_count++] = extra;
    return 0;
}

/* A file cannot have two keys that differ in the case of their letters alone, so a plug-in cannot have one that
 * differs from an option so. */
static bool is_miswritten_option(const char *key) {
    for (const struct option *option = options; option->name != NULL; option++)
        if (strcmp(option->section, "route") == 0 && strcasecmp(option->name, key) == 0)
            return true;
    return false;
}

static int on_value(void *context, const char *key, const char *value, unsigned line) {
    struct load *load = context;
    char why[CONFIG_ERROR_SIZE];
    bool in_route = strcmp(load->section, "route") == 0;
    if (in_route && option_find("route", key) == NULL) {
        if (!is_miswritten_option(key))
            return add_extra(load, key, value, line);
        option_unknown("route", key, why, sizeof why);
        return fail_at(load, line, why);
    }
    void *base = in_route ? (void *)last_route(load) : load->config;
    if (config_set_option(base, load->section, key, value, why, sizeof why) != 0)
        return fail_at(load, line, why);
    if (in_route && strcmp(key, "handler") == 0)
        last_route(load)->line = line;
    return 0;
}

int config_load(struct config *config, const char *path, char *error, size_t error_size) {
    static const struct ini_reader reader = {on_section, on_value};
    struct load load = {.config = config, .path = path, .error = error, .error_size = error_size};
    char *copy = strdup(path);
    if (copy == NULL) {
        snprintf(error, error_size, "%s: out of memory", path);
        return -1;
    }
    free(config->path);
    config->path = copy;
    size_t routes_before = config->route_count;
    if (ini_file_read(path, &reader, &load, error, error_size) == 0 && end_section(&load) == 0)
        return 0;
    while (config->route_count > routes_before)
        config_release_route(&config->routes[--config->route_count]);
    return -1;
}
