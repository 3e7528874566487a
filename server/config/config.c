/* config.c - the configuration's life: defaults, single options over them, the checks that take more than one
 * value, the end. Reading a file is config_load.c, writing one config_print.c.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/config/config.h"

#include <stdlib.h>
#include <string.h>

#include "server/config/config_private.h"
#include "server/config/options.h"
#include "server/config/value.h"

/* The sections whose options lie in struct config itself. */
static bool is_plain_section(const char *section) {
    for (const char *const *known = option_sections; *known != NULL; known++)
        if (strcmp(section, *known) == 0)
            return strcmp(section, "route") != 0;
    return false;
}

struct config *config_create(void) {
    struct config *config = calloc(1, sizeof *config);
    if (config == NULL)
        return NULL;
    for (const char *const *section = option_sections; *section != NULL; section++)
        if (is_plain_section(*section) && option_set_defaults(*section, config) != 0) {
            config_destroy(config);
            return NULL;
        }
    return config;
}

void config_release_route(struct config_route *route) {
    for (size_t i = 0; i < route->extra_count; i++) {
        free(route->extras[i].name);
        free(route->extras[i].value);
    }
    free(route->extras);
    free(route->pattern);
    option_release("route", route);
}

void config_destroy(struct config *config) {
    if (config == NULL)
        return;
    for (size_t i = 0; i < config->route_count; i++)
        config_release_route(&config->routes[i]);
    for (const char *const *section = option_sections; *section != NULL; section++)
        if (is_plain_section(*section))
            option_release(*section, config);
    free(config->routes);
    free(config->path);
    free(config);
}

int config_set_option(void *base, const char *section, const char *key, const char *value, char *error,
                      size_t error_size) {
    const struct option *option = option_find(section, key);
    if (option != NULL)
        return option_set(option, base, value, error, error_size);
    option_unknown(section, key, error, error_size);
    return -1;
}

int config_set(struct config *config, const char *section, const char *key, const char *value, char *error,
               size_t error_size) {
    const char *const texts[] = {section, key, value};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const char *flaw = value_flaw(texts[i], strlen(texts[i]));
        if (flaw != NULL) {
            snprintf(error, error_size, "the %s %s", i == 0 ? "section" : i == 1 ? "key" : "value", flaw);
            return -1;
        }
    }
    if (is_plain_section(section))
        return config_set_option(config, section, key, value, error, error_size);
    option_unknown_section(section, error, error_size);
    return -1;
}

/* --- Values together --------------------------------------------------------------------------------------- */

/* Replies to what is read at once, before the soft limit is looked at again: small ones cost more than their bytes.
 */
enum { REPLIES_AT_ONCE = 1 << 20 };

int config_check(const struct config *config, char *error, size_t error_size) {
    const struct config_websocket *websocket = &config->websocket;
    size_t least = websocket->send_buffer_soft + websocket->max_message_size + REPLIES_AT_ONCE;
    if (websocket->send_buffer_hard >= least)
        return 0;
    char hard[32], needed[32];
    value_print_size(websocket->send_buffer_hard, hard);
    value_print_size(least, needed);
    snprintf(error, error_size,
             "%s%ssend_buffer_hard: %s is too small; send_buffer_soft, max_message_size and 1MiB together need %s",
             config->path != NULL ? config->path : "", config->path != NULL ? ": " : "", hard, needed);
    return -1;
}
