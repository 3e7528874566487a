/* config.c - creates a configuration, sets single options, reads all sources one after the other, checks what
 * depends on several values, and frees it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/config/config.h"

#include <stdlib.h>
#include <string.h>

#include "server/config/config_private.h"
#include "server/config/options.h"
#include "server/config/value.h"

bool config_is_plain_section(const char *section) {
    for (const char *const *known = option_sections; *known != NULL; known++)
        if (strcmp(section, *known) == 0)
            return !option_section_has_pattern(section);
    return false;
}

struct config *config_create(void) {
    struct config *config = calloc(1, sizeof *config);
    if (config == NULL)
        return NULL;
    config->settings.limits.expect_masked = true; /* a server's connections (RFC 6455, 5.1) */
    config->locations = calloc(option_count, sizeof *config->locations);
    bool good = config->locations != NULL;
    for (const char *const *section = option_sections; good && *section != NULL; section++)
        good = !config_is_plain_section(*section) || option_set_defaults(*section, config) == 0;
    if (good)
        return config;
    config_destroy(config);
    return NULL;
}

void config_destroy(struct config *config) {
    if (config == NULL)
        return;
    config_drop_sections(config, 0, 0);
    for (const char *const *section = option_sections; *section != NULL; section++)
        if (config_is_plain_section(*section))
            option_release(*section, config);
    for (size_t i = 0; i < config->source_count; i++)
        free(config->sources[i]);
    free(config->sources);
    free(config->admin.secret);
    free(config->channel_rules);
    free(config->routes);
    free(config->locations);
    free(config->path);
    free(config);
}

int config_go_on(const struct config *config, const char *error) {
    struct config_errors *errors = config->errors;
    if (errors == NULL)
        return -1;
    errors->count++;
    errors->report(errors->context, error);
    return 0;
}

static int read_all(struct config *config, const struct config_sources *sources, char *error, size_t error_size) {
    if (sources->path != NULL && config_read_file(config, sources->path, error, error_size) != 0 &&
        config_go_on(config, error) != 0)
        return -1;
    if (sources->environment != NULL &&
        config_read_environment(config, sources->environment, error, error_size) != 0)
        return -1;
    for (size_t i = 0; i < sources->setting_count; i++)
        if (config_read_setting(config, sources->settings[i], error, error_size) != 0 &&
            config_go_on(config, error) != 0)
            return -1;
    return config_check(config, error, error_size);
}

static struct config *build(const struct config_sources *sources, struct config_errors *errors, char *error,
                            size_t error_size) {
    struct config *config = config_create();
    if (config == NULL) {
        snprintf(error, error_size, "out of memory");
        return NULL;
    }
    config->errors = errors;
    if (read_all(config, sources, error, error_size) == 0)
        return config;
    config_destroy(config);
    return NULL;
}

struct config *config_build(const struct config_sources *sources, char *error, size_t error_size) {
    return build(sources, NULL, error, error_size);
}

struct config *config_build_all(const struct config_sources *sources, struct config_errors *errors) {
    char error[CONFIG_ERROR_SIZE];
    return build(sources, errors, error, sizeof error);
}

/* --- Single options ---------------------------------------------------------------------------------------- */

/* Returns where a path begins in the value; NULL if it contains none. */
static const char *path_in(const struct option *option, const char *value) {
    static const char plugin[] = "plugin:";
    size_t size = option->type == OPTION_HANDLER ? sizeof plugin - 1 : 0;
    bool is_path = option->type == OPTION_PATH ? strcmp(value, option->default_value) != 0
                                               : size > 0 && strncmp(value, plugin, size) == 0;
    return is_path && value[size] != '\0' ? value + size : NULL;
}

static int set_option(const struct option *option, void *base, const struct config_setting *setting, char *why,
                      size_t why_size) {
    const char *path = path_in(option, setting->value);
    if (path == NULL)
        return option_set(option, base, setting->value, why, why_size);
    char *absolute = config_absolute_path(setting->location, path), *value = NULL;
    int result = -1;
    if (absolute == NULL || asprintf(&value, "%.*s%s", (int)(path - setting->value), setting->value, absolute) < 0)
        snprintf(why, why_size, "out of memory");
    else
        result = option_set(option, base, value, why, why_size);
    free(absolute);
    free(value);
    return result;
}

int config_apply(void *base, struct config_location *locations, const struct config_setting *setting, char *error,
                 size_t error_size) {
    char why[CONFIG_ERROR_SIZE];
    const struct option *option = option_find(setting->section, setting->key);
    if (option == NULL) {
        option_unknown(setting->section, setting->key, why, sizeof why);
        return config_fail(setting->location, error, error_size, "%s", why);
    }
    struct config_location *location = &locations[option - options];
    *location = setting->location;
    location->refused = set_option(option, base, setting, why, sizeof why) != 0;
    return location->refused ? config_fail_at(*location, option->name, error, error_size, "%s", why) : 0;
}

int config_set(struct config *config, const char *section, const char *key, const char *value, char *error,
               size_t error_size) {
    const char *const texts[] = {section, key, value};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const char *wrong = value_text_error(texts[i], strlen(texts[i]));
        if (wrong != NULL) {
            snprintf(error, error_size, "the %s %s", i == 0 ? "section" : i == 1 ? "key" : "value", wrong);
            return -1;
        }
    }
    size_t rules = config->channel_rule_count, routes = config->route_count;
    struct config_setting setting = {.key = key, .value = value, .location = {.source = config_program}};
    if (config_apply_below(config, section, &setting, error, error_size) == 0)
        return 0;
    config_drop_sections(config, rules, routes); /* if the section has just been added */
    return -1;
}

/* --- Values together --------------------------------------------------------------------------------------- */

/* Room for the replies to what is read at once, before the soft limit is checked again. Small replies cost more
 * memory than their bytes. */
enum { REPLIES_AT_ONCE = 1 << 20 };

/* Returns where the first of the three options that are not defaults is set, or where one was refused. */
static struct config_location send_buffer_location(const struct config *config) {
    static const char *const names[] = {"send_buffer_hard", "send_buffer_soft", "max_message_size"};
    struct config_location first = {.source = NULL};
    for (size_t i = 0; !first.refused && i < sizeof names / sizeof *names; i++) {
        const struct config_location *location = &config->locations[option_find("websocket", names[i]) - options];
        if (first.source == NULL || location->refused)
            first = *location;
    }
    return first;
}

static int check_send_buffer(const struct config *config, char *error, size_t error_size) {
    const struct settings *settings = &config->settings;
    size_t least = settings->send_buffer_soft + settings->limits.max_message_size + REPLIES_AT_ONCE;
    const struct config_location location = send_buffer_location(config);
    if (settings->send_buffer_hard >= least || location.refused)
        return 0;
    char hard[32], needed[32];
    value_print_size(settings->send_buffer_hard, hard);
    value_print_size(least, needed);
    return config_fail(location, error, error_size,
                       "send_buffer_hard: %s is too small; send_buffer_soft, max_message_size and 1MiB together "
                       "need %s",
                       hard, needed);
}

int config_check(struct config *config, char *error, size_t error_size) {
    if (check_send_buffer(config, error, error_size) != 0 && config_go_on(config, error) != 0)
        return -1;
    if (config_check_routes(config, 0, error, error_size) != 0)
        return -1;
    return config_read_token(config, error, error_size) == 0 ? 0 : config_go_on(config, error);
}
