/* config_setting.c - reads options from the command line: --set server.workers=16, --set 'route
 * /echo.handler=echo'.
 *
 * The section ends at the last dot before the first =, so patterns may contain dots.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>
#include <string.h>

#include "server/config/config_private.h"
#include "server/config/options.h"
#include "server/config/value.h"

static const char form[] = "write it as SECTION.KEY=VALUE, like server.workers=16 or 'route /echo.handler=echo'";

/* Returns true if the key could stand in an ini file. */
static bool is_key(const char *key) {
    for (const char *at = key; *at != '\0'; at++)
        if (*at < ' ' || *at > '~' || *at == '!')
            return false;
    return *key != '\0' && strchr("#;[", *key) == NULL;
}

int config_apply_below(struct config *config, const char *header, struct config_setting *setting, char *error,
                       size_t error_size) {
    const char *pattern = config_split_header(header, &setting->section);
    if (pattern != NULL) {
        struct config_section section;
        if (!config_find_section(config, setting->section, pattern, &section) &&
            config_add_section(config, setting->section, pattern, setting->location, &section, error, error_size) !=
                0)
            return -1;
        return config_apply_to_section(&section, setting, error, error_size);
    }
    if (option_section_is_plain(header)) {
        setting->section = header;
        return config_apply(config, config->locations, setting, error, error_size);
    }
    char why[CONFIG_ERROR_SIZE];
    option_unknown_section(header, why, sizeof why);
    return config_fail(setting->location, error, error_size, "%s", why);
}

/* Writes an error for a name without a dot. */
static int fail_section(struct config_location location, const char *name, char *error, size_t error_size) {
    const struct option *meant = option_find("server", name);
    if (meant == NULL)
        meant = option_meant("server", name);
    if (meant == NULL || !option_section_is_plain(meant->section))
        return config_fail(location, error, error_size, "the section is missing; %s", form);
    return config_fail(location, error, error_size, "the section is missing; did you mean %s.%s?", meant->section,
                       meant->name);
}

/* Splits the text at the first = and at the last dot before it. Adds the name to the configuration's sources. */
static int read_text(struct config *config, char *text, char *error, size_t error_size) {
    struct config_setting setting = {.location = {.source = "--set"}};
    const char *wrong = value_text_error(text, strlen(text));
    char *equals = strchr(text, '=');
    if (wrong != NULL || equals == NULL)
        return config_fail(setting.location, error, error_size, "%s%s",
                           wrong != NULL ? "the argument " : "the = is missing; ", wrong != NULL ? wrong : form);
    *equals = '\0';
    setting.value = value_trim(equals + 1);
    char name[CONFIG_ERROR_SIZE];
    snprintf(name, sizeof name, "--set %s", value_trim(text));
    setting.location.source = config_keep(config, name);
    char *dot = strrchr(text, '.');
    if (dot == NULL || setting.location.source == NULL)
        return dot == NULL
                   ? fail_section((struct config_location){.source = name}, value_trim(text), error, error_size)
                   : config_fail((struct config_location){.source = name}, error, error_size, "out of memory");
    *dot = '\0';
    setting.key = value_trim(dot + 1);
    if (!is_key(setting.key))
        return config_fail(setting.location, error, error_size, "this is not a key; %s", form);
    return config_apply_below(config, value_trim(text), &setting, error, error_size);
}

int config_read_setting(struct config *config, const char *text, char *error, size_t error_size) {
    char *copy = strdup(text);
    if (copy == NULL)
        return config_fail((struct config_location){.source = "--set"}, error, error_size, "out of memory");
    int result = read_text(config, copy, error, error_size);
    free(copy);
    return result;
}
