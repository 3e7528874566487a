/* config_apply.c - sets one option from a line, a variable or an argument, and records where its value comes from.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>
#include <string.h>

#include "server/config/config_private.h"
#include "server/config/options.h"

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
