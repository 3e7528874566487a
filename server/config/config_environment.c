/* config_environment.c - sets options from the environment: WEIR_SERVER_WORKERS is `workers` of [server].
 * config_variable.c handles sections with a pattern.
 *
 * A variable that begins like an option's but names none is an error, because it is probably misspelt. Variables
 * that Kubernetes made for a service are ignored. Other WEIR_ variables belong to other programs. An empty variable
 * counts as not set.
 *
 * SPDX-License-Identifier: MIT
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "server/config/config_private.h"
#include "server/config/options.h"
#include "server/config/retired.h"
#include "server/config/value.h"

enum { NAME_SIZE = 80 };

/* Writes "WEIR_SERVER_WORKERS", or "WEIR_SERVER_" if the key is NULL. */
static void print_name(const char *section, const char *key, char name[NAME_SIZE]) {
    snprintf(name, NAME_SIZE, "WEIR_%s_%s", section, key != NULL ? key : "");
    for (char *at = name; *at != '\0'; at++)
        *at = (char)toupper((unsigned char)*at);
}

static const char *find_section(const char *variable) {
    char prefix[NAME_SIZE];
    for (const char *const *section = option_sections; *section != NULL; section++) {
        print_name(*section, NULL, prefix);
        if (strncmp(variable, prefix, strlen(prefix)) == 0)
            return *section;
    }
    print_name("channels", NULL, prefix);
    return strncmp(variable, prefix, strlen(prefix)) == 0 ? "channels" : NULL; /* retired */
}

static const struct option *find_option(const char *name) {
    char known[NAME_SIZE];
    for (const struct option *option = options; option->name != NULL; option++) {
        print_name(option->section, option->name, known);
        if (option_section_is_plain(option->section) && strcmp(name, known) == 0)
            return option;
    }
    return NULL;
}

/* Returns true for "_PORT_9000_TCP", also with _PROTO, _PORT or _ADDR after it. */
static bool is_port_link(const char *text) {
    if (strncmp(text, "_PORT_", 6) != 0 || !isdigit((unsigned char)text[6]))
        return false;
    text += 6 + strspn(text + 6, "0123456789");
    if (strncmp(text, "_TCP", 4) == 0 || strncmp(text, "_UDP", 4) == 0)
        text += 4;
    else if (strncmp(text, "_SCTP", 5) == 0)
        text += 5;
    else
        return false;
    return *text == '\0' || strcmp(text, "_PROTO") == 0 || strcmp(text, "_PORT") == 0 || strcmp(text, "_ADDR") == 0;
}

/* Returns true if Kubernetes sets such a variable in each container for a service of any name. A service called
 * weir-server-internal makes WEIR_SERVER_INTERNAL_SERVICE_HOST, _SERVICE_PORT, _SERVICE_PORT_NAME, _PORT,
 * _PORT_9000_TCP and _PORT_9000_TCP_ADDR. */
static bool is_service_link(const char *name, const char *value) {
    for (const char *at = strchr(name, '_'); at != NULL; at = strchr(at + 1, '_'))
        if (strcmp(at, "_SERVICE_HOST") == 0 || strcmp(at, "_SERVICE_PORT") == 0 ||
            strncmp(at, "_SERVICE_PORT_", 14) == 0 || is_port_link(at) ||
            (strcmp(at, "_PORT") == 0 && strstr(value, "://") != NULL))
            return true;
    return false;
}

static int unknown(const char *section, const char *name, char *error, size_t error_size) {
    char key[NAME_SIZE], meant_name[NAME_SIZE];
    snprintf(key, sizeof key, "%s", name + strlen("WEIR_") + strlen(section) + 1);
    for (char *at = key; *at != '\0'; at++)
        *at = (char)tolower((unsigned char)*at);
    const char *now_section = retired_section(section), *now_key = retired_key(section, key);
    if (now_section != NULL || now_key != NULL) {
        print_name(now_section != NULL ? now_section : section, now_key != NULL ? now_key : key, meant_name);
        return config_fail((struct config_location){.source = name}, error, error_size,
                           "this variable is now called %s", meant_name);
    }
    const struct option *meant = option_find(section, key);
    if (meant == NULL)
        meant = option_meant(section, key);
    struct config_location location = {.source = name};
    if (meant == NULL || !option_section_is_plain(meant->section))
        return config_fail(location, error, error_size,
                           "no option has this name; `weir check --list` shows every key");
    print_name(meant->section, meant->name, meant_name);
    return config_fail(location, error, error_size, "no option has this name; did you mean %s?", meant_name);
}

static int read_variable(struct config *config, const char *section, const char *name, char *value, char *error,
                         size_t error_size) {
    if (value_text_error(name, strlen(name)) != NULL)
        return config_fail((struct config_location){.source = "the environment"}, error, error_size,
                           "a variable of [%s] has a name that is not text", section);
    const struct option *option = find_option(name);
    bool link = is_service_link(name, value),
         plain = option_section_is_plain(section) || retired_section(section) != NULL;
    if (option == NULL && plain && !config_has_variable(config, name))
        return link ? 0 : unknown(section, name, error, error_size);
    const char *kept = config_keep(config, name);
    const char *wrong = value_text_error(value, strlen(value));
    if (kept == NULL || wrong != NULL)
        return config_fail((struct config_location){.source = name}, error, error_size, "%s %s", "the value",
                           wrong != NULL ? wrong : "cannot be stored: out of memory");
    if (option == NULL)
        return config_apply_variable(config, (struct config_location){.source = kept}, value_trim(value), link,
                                     error, error_size);
    const struct config_setting setting = {section, option->name, value_trim(value), {.source = kept}};
    return config_apply(config, config->locations, &setting, error, error_size);
}

int config_read_environment(struct config *config, char *const *environment, char *error, size_t error_size) {
    int result = 0;
    for (char *const *variable = environment; result == 0 && *variable != NULL; variable++) {
        const char *section = find_section(*variable);
        const char *equals = strchr(*variable, '=');
        if (section == NULL || equals == NULL || equals[1] == '\0')
            continue;
        char *copy = strdup(*variable);
        if (copy == NULL)
            return config_fail((struct config_location){.source = "the environment"}, error, error_size,
                               "out of memory");
        char *value = copy + (equals - *variable);
        *value++ = '\0';
        result = read_variable(config, section, copy, value, error, error_size);
        if (result != 0)
            result = config_go_on(config, error);
        free(copy);
    }
    return result;
}
