/* plugin.c - see plugin.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/plugin.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/config/value.h"
#include "server/core/calling.h"

enum { OPTIONS_MAX = 64 };

struct weir_options {
    const struct weir_plugin *plugin;
    const struct config_route *route;
};

/* --- Errors ------------------------------------------------------------------------------------------------ */

struct place {
    struct config_place at;
    char *error;
    size_t size;
};

static int fail(const struct place *place, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int fail(const struct place *place, const char *format, ...) {
    char why[CONFIG_ERROR_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, sizeof why, format, arguments);
    va_end(arguments);
    return config_fail(place->at, place->error, place->size, "%s", why);
}

/* --- Options ----------------------------------------------------------------------------------------------- */

static const struct weir_option *find_option(const struct weir_plugin *plugin, const char *name) {
    for (const struct weir_option *option = plugin->options; option != NULL && option->name != NULL; option++)
        if (strcmp(option->name, name) == 0)
            return option;
    return NULL;
}

static const char *parse_boolean(const char *text, uint64_t *number) {
    bool truth = false;
    const char *wrong = value_boolean(text, &truth);
    *number = truth;
    return wrong;
}

/* NULL, or the phrase that says what is wrong with the value. */
static const char *parse_number(enum weir_option_type type, const char *text, uint64_t *number) {
    switch (type) {
    case WEIR_OPTION_INTEGER:
        return value_integer(text, number);
    case WEIR_OPTION_BOOLEAN:
        return parse_boolean(text, number);
    case WEIR_OPTION_DURATION:
        return value_duration(text, number);
    case WEIR_OPTION_SIZE:
        return value_size(text, number);
    case WEIR_OPTION_TEXT:
        break;
    }
    *number = 0;
    return NULL;
}

static int unknown_option(const struct place *place, const struct weir_plugin *plugin, const char *name) {
    const char *names[OPTIONS_MAX + 1] = {NULL};
    size_t count = 0;
    for (const struct weir_option *option = plugin->options;
         option != NULL && option->name != NULL && count < OPTIONS_MAX; option++)
        names[count++] = option->name;
    const char *nearest = value_nearest(name, names);
    if (nearest != NULL)
        return fail(place, "plug-in %s has no option \"%s\"; did you mean %s?", plugin->name, name, nearest);
    return fail(place, "plug-in %s has no option \"%s\"", plugin->name, name);
}

static int check_option(const struct weir_plugin *plugin, const struct config_extra *extra, struct place place) {
    place.at = extra->place;
    const struct weir_option *option = find_option(plugin, extra->name);
    if (option == NULL)
        return unknown_option(&place, plugin, extra->name);
    uint64_t number;
    const char *wrong = parse_number(option->type, extra->value, &number);
    return wrong == NULL ? 0 : fail(&place, "%s: \"%s\" %s", extra->name, extra->value, wrong);
}

static int check_options(const struct weir_plugin *plugin, const struct config *config,
                         const struct config_route *route, struct place place) {
    for (size_t i = 0; i < route->extra_count; i++)
        if (check_option(plugin, &route->extras[i], place) != 0 && config_go_on(config, place.error) != 0)
            return -1;
    return 0;
}

const char *weir_option_text(const weir_options *options, const char *name) {
    for (size_t i = 0; i < options->route->extra_count; i++)
        if (strcmp(options->route->extras[i].name, name) == 0)
            return options->route->extras[i].value;
    const struct weir_option *option = find_option(options->plugin, name);
    return option == NULL ? NULL : option->default_value;
}

uint64_t weir_option_number(const weir_options *options, const char *name) {
    const struct weir_option *option = find_option(options->plugin, name);
    const char *text = weir_option_text(options, name);
    uint64_t number = 0;
    if (option != NULL && text != NULL)
        parse_number(option->type, text, &number);
    return number;
}

const char *weir_option_pattern(const weir_options *options) {
    return options->route->pattern;
}

/* --- Life -------------------------------------------------------------------------------------------------- */

static int check_table(const struct weir_plugin *table, const char *path, const struct place *place) {
    if (table == NULL)
        return fail(place, "handler: %s exports no weir_plugin; it is not a weir plug-in", path);
    if (table->abi != WEIR_PLUGIN_ABI)
        return fail(place, "handler: %s was compiled for plug-in ABI %u, this weir has %d; compile it anew", path,
                    table->abi, WEIR_PLUGIN_ABI);
    if (table->handler == NULL || table->name == NULL)
        return fail(place, "handler: %s has a weir_plugin without a name or a handler", path);
    return 0;
}

int plugin_load(struct plugin *plugin, const struct config *config, const struct config_route *route, char *error,
                size_t error_size) {
    const struct place place = {config_handler_place(route), error, error_size};
    const char *path = route->handler + strlen("plugin:");
    *plugin = (struct plugin){.object = dlopen(path, RTLD_NOW | RTLD_LOCAL)};
    if (plugin->object == NULL && access(path, F_OK) != 0)
        return fail(&place,
                    "handler: plug-in does not load: there is no %s; a relative path begins at the folder of "
                    "the ini file",
                    path);
    if (plugin->object == NULL)
        return fail(&place, "handler: plug-in does not load: %s", dlerror());
    plugin->table = dlsym(plugin->object, "weir_plugin");
    if (check_table(plugin->table, path, &place) == 0 && check_options(plugin->table, config, route, place) == 0)
        return 0;
    plugin_unload(plugin);
    return -1;
}

int plugin_start(struct plugin *plugin, weir_server *server, const struct config_route *route, char *error,
                 size_t error_size) {
    const struct place place = {config_handler_place(route), error, error_size};
    const struct weir_options options = {plugin->table, route};
    char reason[256] = "it did not say why";
    calling = (struct calling){.callback = "start", .pattern = route->pattern, .handler = route->handler};
    int result = plugin->table->start == NULL
                     ? 0
                     : plugin->table->start(server, &options, &plugin->context, reason, sizeof reason);
    calling = (struct calling){0};
    if (result != 0)
        return fail(&place, "plug-in %s did not start: %s", plugin->table->name, reason);
    plugin->started = true;
    return 0;
}

void plugin_unload(struct plugin *plugin) {
    if (plugin->started && plugin->table->stop != NULL) {
        calling = (struct calling){.callback = "stop", .handler = plugin->table->name};
        plugin->table->stop(plugin->context);
        calling = (struct calling){0};
    }
    if (plugin->object != NULL)
        dlclose(plugin->object);
    *plugin = (struct plugin){0};
}
