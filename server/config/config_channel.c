/* config_channel.c - checks a route's `channel` against its handler and its pattern.
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "server/channels/channel_name.h"
#include "server/config/config_private.h"
#include "server/config/options.h"
#include "server/config/value.h"

/* Finds the next parameter of a route's pattern at or after *at, "*" for a final one. Moves *at past it. */
static bool next_parameter(const char **at, struct channel_template_part *parameter) {
    while (**at == '/') {
        const char *segment = *at + 1;
        size_t size = strcspn(segment, "/");
        *at = segment + size;
        *parameter = (struct channel_template_part){segment, 1, true};
        if (strcmp(segment, "*") == 0)
            return true;
        *parameter = (struct channel_template_part){segment + 1, size - 2, true};
        if (size > 2 && segment[0] == '{' && segment[size - 1] == '}')
            return true;
    }
    return false;
}

static bool has_parameter(const char *pattern, const struct channel_template_part *part) {
    struct channel_template_part parameter;
    while (next_parameter(&pattern, &parameter))
        if (parameter.size == part->size && memcmp(parameter.text, part->text, part->size) == 0)
            return true;
    return false;
}

/* Writes "{name}, {*}", as many parameters as fit, or "none". */
static void print_parameters(const char *pattern, char *text, size_t text_size) {
    struct channel_template_part parameter;
    size_t used = 0;
    snprintf(text, text_size, "none");
    while (next_parameter(&pattern, &parameter))
        if (used + parameter.size + sizeof ", {}" <= text_size)
            used += (size_t)sprintf(text + used, "%s{%.*s}", used == 0 ? "" : ", ", (int)parameter.size,
                                    parameter.text);
}

static int fail_parameter(const struct config_route *route, const struct channel_template_part *part,
                          struct config_location location, char *error, size_t error_size) {
    char parameters[128], pattern[VALUE_QUOTED_SIZE], name[VALUE_QUOTED_SIZE];
    print_parameters(route->pattern, parameters, sizeof parameters);
    snprintf(name, sizeof name, "%.*s", (int)part->size, part->text);
    return config_fail_at(location, "channel", error, error_size,
                          "{%s} is not a parameter of the route %s; it has %s", name,
                          value_quote(route->pattern, pattern), parameters);
}

int config_check_channel(const struct config_route *route, char *error, size_t error_size) {
    char handler[VALUE_QUOTED_SIZE];
    struct config_location location = route->locations[option_find("route", "channel") - options];
    bool needed = strcmp(route->handler, "relay") == 0;
    if (location.refused)
        return 0;
    if (needed && route->channel == NULL)
        return config_fail_at(config_handler_location(route), "handler", error, error_size,
                              "the route has no channel; write channel = NAME, in which {parameters} of the route "
                              "may stand, like room:{name}");
    if (!needed && route->channel != NULL)
        return config_fail_at(location, "channel", error, error_size,
                              "only a route with handler = relay may have a channel; this route has handler = %s",
                              value_quote(route->handler, handler));
    struct channel_template_part part;
    for (const char *at = route->channel; at != NULL && channel_template_next(&at, &part);)
        if (part.parameter && !has_parameter(route->pattern, &part))
            return fail_parameter(route, &part, location, error, error_size);
    return 0;
}
