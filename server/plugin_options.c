/* plugin_options.c - see plugin_options.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/plugin_options.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "server/config/config_secret.h"
#include "server/config/value.h"

enum { OPTIONS_MAX = 64, LONGEST_NAME = 64, WHY_SIZE = 256 };

static const char none[] = "none";
static const char file_suffix[] = "_file"; /* password = ..., or password_file = PATH */

/* Arguments of one call of plugin_check_declared() or plugin_read_options(). */
struct reading {
    const struct weir_plugin *plugin;
    const struct config *config;
    char *error;
    size_t size;
};

static int fail(const struct reading *reading, struct config_location location, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Writes an error. Returns 0 if all errors are wanted, and has reported it; else -1. */
static int fail(const struct reading *reading, struct config_location location, const char *format, ...) {
    char why[CONFIG_ERROR_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, sizeof why, format, arguments);
    va_end(arguments);
    config_fail(location, reading->error, reading->size, "%s", why);
    return config_go_on(reading->config, reading->error);
}

/* --- Values -------------------------------------------------------------------------------------------------- */

static const char *parse_boolean(const char *text, uint64_t *number) {
    bool truth = false;
    const char *wrong = value_boolean(text, &truth);
    *number = truth;
    return wrong;
}

/* Returns NULL, or a phrase that says what is wrong with the value. */
static const char *parse(enum weir_option_type type, const char *text, uint64_t *number) {
    *number = 0;
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
    case WEIR_OPTION_SECRET:
        break;
    }
    return value_text_error(text, strlen(text));
}

/* --- What a plug-in declares --------------------------------------------------------------------------------- */

static bool is_line(const char *text) {
    return value_text_error(text, strlen(text)) == NULL;
}

/* Returns true if the name can be a key of an ini file. */
static bool is_name(const char *name) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
    size_t size = strlen(name);
    return size > 0 && size <= LONGEST_NAME && strspn(name, letters) == size;
}

/* Returns true for "password_file" and the secret "password", in any case. */
static bool is_file_of(const char *name, const char *secret) {
    size_t size = strlen(secret);
    return strncasecmp(name, secret, size) == 0 && strcasecmp(name + size, file_suffix) == 0;
}

/* Returns true if one key of a route could mean both options. */
static bool are_alike(const struct weir_option *a, const struct weir_option *b) {
    return strcasecmp(a->name, b->name) == 0 || (a->type == WEIR_OPTION_SECRET && is_file_of(b->name, a->name)) ||
           (b->type == WEIR_OPTION_SECRET && is_file_of(a->name, b->name));
}

/* Returns true if the declaration is wrong, with the reason in `why`. */
static bool is_wrong(const struct weir_option *options, const struct weir_option *option, char why[WHY_SIZE]) {
    const char *wrong = !is_name(option->name) ? "its name must have 1 to 64 letters, digits, _, - and ."
                        : config_is_route_key(option->name)           ? "each route has a key of this name"
                        : (unsigned)option->type > WEIR_OPTION_SECRET ? "this weir does not know its type"
                                                                      : NULL;
    char quoted[VALUE_QUOTED_SIZE] = "";
    snprintf(why, WHY_SIZE, "%s", wrong != NULL ? wrong : "");
    for (const struct weir_option *other = options; wrong == NULL && other != option; other++)
        if (are_alike(other, option)) {
            snprintf(why, WHY_SIZE, "it cannot be told from %s", value_quote(other->name, quoted));
            return true;
        }
    if (wrong != NULL || option->default_value == NULL)
        return wrong != NULL;
    wrong = parse(option->type, option->default_value, &(uint64_t){0});
    bool shown = option->type != WEIR_OPTION_SECRET && is_line(option->default_value);
    snprintf(why, WHY_SIZE, "its default %s%s%s", shown ? value_quote(option->default_value, quoted) : "",
             shown ? " " : "", wrong != NULL ? wrong : "");
    return wrong != NULL;
}

int plugin_check_declared(const struct weir_plugin *plugin, const char *path, const struct config *config,
                          const struct config_route *route, char *error, size_t error_size) {
    const struct reading reading = {plugin, config, error, error_size};
    char why[WHY_SIZE], quoted[VALUE_QUOTED_SIZE];
    for (const struct weir_option *option = plugin->options; option != NULL && option->name != NULL; option++)
        if (is_wrong(plugin->options, option, why) &&
            fail(&reading, config_handler_location(route), "handler: %s declares its option %s wrongly: %s", path,
                 is_line(option->name) ? value_quote(option->name, quoted) : "?", why) != 0)
            return -1;
    return 0;
}

/* --- What a route sets --------------------------------------------------------------------------------------- */

static const struct weir_option *find_option(const struct weir_plugin *plugin, const char *name) {
    for (const struct weir_option *option = plugin->options; option != NULL && option->name != NULL; option++)
        if (strcmp(option->name, name) == 0)
            return option;
    return NULL;
}

/* Returns the secret "password" for the key "password_file"; NULL if the key is not of this form. */
static const struct weir_option *find_secret(const struct weir_plugin *plugin, const char *key) {
    for (const struct weir_option *option = plugin->options; option != NULL && option->name != NULL; option++)
        if (option->type == WEIR_OPTION_SECRET && is_file_of(key, option->name))
            return option;
    return NULL;
}

static const struct config_extra *find_extra(const struct config_route *route, const char *name,
                                             const char *suffix) {
    for (size_t i = 0; i < route->extra_count; i++) {
        const char *key = route->extras[i].name;
        if (strncmp(key, name, strlen(name)) == 0 && strcmp(key + strlen(name), suffix) == 0)
            return &route->extras[i];
    }
    return NULL;
}

static int fail_unknown(const struct reading *reading, const struct config_extra *extra) {
    const char *names[OPTIONS_MAX + 1] = {NULL};
    size_t count = 0;
    for (const struct weir_option *option = reading->plugin->options;
         option != NULL && option->name != NULL && count < OPTIONS_MAX; option++)
        names[count++] = option->name;
    const char *nearest = value_nearest(extra->name, names);
    if (nearest != NULL)
        return fail(reading, extra->location, "plug-in %s has no option \"%s\"; did you mean %s?",
                    reading->plugin->name, extra->name, nearest);
    return fail(reading, extra->location, "plug-in %s has no option \"%s\"", reading->plugin->name, extra->name);
}

/* A key from an environment variable has lost its case: restores it from the option's name. Returns false if memory
 * is out. */
static bool correct_case(const struct weir_plugin *plugin, struct config_extra *extra) {
    for (const struct weir_option *option = plugin->options; option != NULL && option->name != NULL; option++) {
        bool file = option->type == WEIR_OPTION_SECRET && is_file_of(extra->name, option->name);
        char *name = NULL;
        if (!file && strcasecmp(option->name, extra->name) != 0)
            continue;
        if (asprintf(&name, "%s%s", option->name, file ? file_suffix : "") < 0)
            return false;
        free(extra->name);
        extra->name = name;
        return true;
    }
    return true;
}

static int read_value(const struct reading *reading, const struct weir_option *option, struct config_extra *extra) {
    extra->secret = option->type == WEIR_OPTION_SECRET && strcmp(extra->value, none) != 0;
    const char *wrong =
        extra->secret && *extra->value == '\0' ? "is empty" : parse(option->type, extra->value, &(uint64_t){0});
    if (wrong == NULL)
        return 0;
    if (option->type == WEIR_OPTION_SECRET)
        return fail(reading, extra->location, "%s: the value %s", extra->name, wrong);
    return fail(reading, extra->location, "%s: \"%s\" %s", extra->name, extra->value, wrong);
}

static const char *secret_error(const char *text) {
    return value_text_error(text, strlen(text));
}

static int read_secret(const struct reading *reading, struct config_extra *extra) {
    static const struct secret_form form = {SECRET_SIZE_MAX, "one line of 1 to 1024 characters", secret_error};
    char why[WHY_SIZE] = "cannot be stored: out of memory", quoted[VALUE_QUOTED_SIZE];
    free(extra->content);
    extra->content = NULL;
    if (strcmp(extra->value, none) == 0)
        return 0;
    char *path = config_absolute_path(extra->location, extra->value);
    if (path != NULL) {
        free(extra->value);
        extra->value = path;
        extra->content = secret_read(path, &form, why, sizeof why);
    }
    return extra->content != NULL
               ? 0
               : fail(reading, extra->location, "%s: %s %s", extra->name, value_quote(extra->value, quoted), why);
}

static int read_extra(const struct reading *reading, struct config_extra *extra, bool variable) {
    if (variable && !correct_case(reading->plugin, extra))
        return fail(reading, extra->location, "out of memory");
    const struct weir_option *option = find_option(reading->plugin, extra->name);
    if (option != NULL)
        return read_value(reading, option, extra);
    option = find_secret(reading->plugin, extra->name);
    return option != NULL ? read_secret(reading, extra) : fail_unknown(reading, extra);
}

static int check_one_of_both(const struct reading *reading, const struct config_route *route) {
    for (const struct weir_option *option = reading->plugin->options; option != NULL && option->name != NULL;
         option++) {
        const struct config_extra *given = find_extra(route, option->name, "");
        const struct config_extra *file = find_extra(route, option->name, file_suffix);
        if (option->type == WEIR_OPTION_SECRET && given != NULL && given->secret && file != NULL &&
            file->content != NULL &&
            fail(reading, file->location,
                 "%s: %s is also set, by %s; set only one of the two, and the other to none", file->name,
                 option->name, given->location.source) != 0)
            return -1;
    }
    return 0;
}

int plugin_read_options(const struct weir_plugin *plugin, const struct config *config, struct config_route *route,
                        char *error, size_t error_size) {
    const struct reading reading = {plugin, config, error, error_size};
    for (size_t i = 0; i < route->extra_count; i++) {
        struct config_extra *extra = &route->extras[i];
        if (read_extra(&reading, extra, config_is_variable(extra->location)) != 0)
            return -1;
    }
    return check_one_of_both(&reading, route);
}

/* --- For the plug-in ----------------------------------------------------------------------------------------- */

const char *weir_option_text(const weir_options *options, const char *name) {
    const struct weir_option *option = find_option(options->plugin, name);
    if (option == NULL)
        return NULL;
    const struct config_extra *extra = find_extra(options->route, name, "");
    if (option->type != WEIR_OPTION_SECRET)
        return extra != NULL ? extra->value : option->default_value;
    const struct config_extra *file = find_extra(options->route, name, file_suffix);
    if (extra != NULL && extra->secret)
        return extra->value;
    return file != NULL && file->content != NULL ? file->content : option->default_value;
}

uint64_t weir_option_number(const weir_options *options, const char *name) {
    const struct weir_option *option = find_option(options->plugin, name);
    const char *text = weir_option_text(options, name);
    uint64_t number = 0;
    if (option != NULL && text != NULL)
        parse(option->type, text, &number);
    return number;
}

const char *weir_option_pattern(const weir_options *options) {
    return options->route->pattern;
}
