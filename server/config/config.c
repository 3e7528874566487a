/* config.c - creates a configuration, reads all sources one after the other, sets single options, and frees it.
 *
 * The files of this folder call each other in one direction only:
 *
 *     config.c                                                         all sources
 *     config_print.c  config_compare.c                                 what is shown to people
 *     config_load.c  config_include.c  config_environment.c            one source each; ini_file.c reads lines
 *     config_variable.c  config_setting.c
 *     config_check.c  config_channel.c  config_token.c                 what depends on several values
 *     config_section.c  config_route.c                                 sections with a pattern
 *     config_apply.c                                                   one key
 *     config_location.c                                                where values come from, errors
 *     option_find.c  option_value.c  option_print.c  options.c         the option table
 *     option_applies.c  retired.c  value.c  value_error.c              words and values alone
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/config/config.h"

#include <stdlib.h>
#include <string.h>

#include "server/config/config_private.h"
#include "server/config/options.h"
#include "server/config/value.h"

struct config *config_create(void) {
    struct config *config = calloc(1, sizeof *config);
    if (config == NULL)
        return NULL;
    config->settings.limits.expect_masked = true; /* a server's connections (RFC 6455, 5.1) */
    config->locations = calloc(option_count, sizeof *config->locations);
    bool good = config->locations != NULL;
    for (const char *const *section = option_sections; good && *section != NULL; section++)
        good = !option_section_is_plain(*section) || option_set_defaults(*section, config) == 0;
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
        if (option_section_is_plain(*section))
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
