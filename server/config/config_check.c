/* config_check.c - checks what depends on several values, once all of them are known.
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "server/config/config_private.h"
#include "server/config/options.h"
#include "server/config/value.h"

/* --- Routes ------------------------------------------------------------------------------------------------- */

static int fail(struct config_location location, const char *why, char *error, size_t error_size) {
    return config_fail(location, error, error_size, "%s", why);
}

/* Only a plug-in accepts keys that are not in the option table. */
static int check_extras(const struct config *config, const struct config_route *route, char *error,
                        size_t error_size) {
    char why[CONFIG_ERROR_SIZE];
    bool plugin = route->handler != NULL && strncmp(route->handler, "plugin:", 7) == 0;
    for (size_t i = 0; i < route->extra_count && !plugin; i++) {
        option_unknown("route", route->extras[i].name, why, sizeof why);
        fail(route->extras[i].location, why, error, error_size);
        if (config_go_on(config, error) != 0)
            return -1;
    }
    return 0;
}

/* Checks a route that the program serves: it must not have options of built-in handlers. */
static int check_programs_route(const struct config_route *route, char *error, size_t error_size) {
    static const char *const builtins[] = {"channel", "allowed_channels", "publish", "echo_self"};
    for (size_t i = 0; i < sizeof builtins / sizeof *builtins; i++)
        if (route->locations[option_find("route", builtins[i]) - options].source != NULL)
            return config_fail(
                route->location, error, error_size,
                "route %s: %s is only for built-in handlers, and the program serves this route itself",
                route->pattern, builtins[i]);
    return 0;
}

static int check_route(const struct config *config, const struct config_route *route, char *error,
                       size_t error_size) {
    bool programs = route->handler == NULL && route->location.source == config_program;
    if (route->handler == NULL && !programs) {
        if (config_handler_location(route).refused)
            return 0;
        fail(route->location,
             "the route has no handler; write handler = echo, broadcast, relay, pubsub or plugin:PATH", error,
             error_size);
        return config_go_on(config, error);
    }
    if ((programs ? check_programs_route : config_check_channel)(route, error, error_size) != 0 &&
        config_go_on(config, error) != 0)
        return -1;
    return check_extras(config, route, error, error_size);
}

int config_check_routes(const struct config *config, size_t first, char *error, size_t error_size) {
    for (size_t i = first; i < config->route_count; i++)
        if (check_route(config, &config->routes[i], error, error_size) != 0)
            return -1;
    return 0;
}

/* --- Send buffers ------------------------------------------------------------------------------------------- */

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

/* --- All -------------------------------------------------------------------------------------------------- */

int config_check(struct config *config, char *error, size_t error_size) {
    if (check_send_buffer(config, error, error_size) != 0 && config_go_on(config, error) != 0)
        return -1;
    if (config_check_routes(config, 0, error, error_size) != 0)
        return -1;
    return config_read_token(config, error, error_size) == 0 ? 0 : config_go_on(config, error);
}
