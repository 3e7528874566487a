/* config_route.c - sets the keys of a route, and says what they mean together.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "server/config/config_private.h"
#include "server/config/options.h"

static int fail(struct config_location location, const char *why, char *error, size_t error_size) {
    return config_fail(location, error, error_size, "%s", why);
}

/* --- Keys -------------------------------------------------------------------------------------------------- */

/* Returns the key of this name, ignoring case, or a new one that is all zero; NULL if memory is out. */
static struct config_extra *extra_of(struct config_route *route, const char *name) {
    for (size_t i = 0; i < route->extra_count; i++)
        if (strcasecmp(route->extras[i].name, name) == 0)
            return &route->extras[i];
    struct config_extra *extras = realloc(route->extras, (route->extra_count + 1) * sizeof *extras);
    if (extras == NULL)
        return NULL;
    route->extras = extras;
    extras[route->extra_count] = (struct config_extra){.name = NULL};
    return &extras[route->extra_count++];
}

static int set_extra(struct config_route *route, const struct config_setting *setting, char *error,
                     size_t error_size) {
    char *name = strdup(setting->key), *value = strdup(setting->value);
    struct config_extra *extra = name != NULL && value != NULL ? extra_of(route, name) : NULL;
    if (extra == NULL) {
        free(name);
        free(value);
        return fail(setting->location, "out of memory", error, error_size);
    }
    free(extra->value);
    extra->value = value;
    if (extra->name == NULL || !config_is_variable(setting->location)) { /* a variable has lost the key's case */
        free(extra->name);
        extra->name = name;
    } else {
        free(name);
    }
    extra->location = setting->location;
    return 0;
}

/* Ignores case: two keys of a section must differ in more than case, so a plug-in's key must also differ that way
 * from the options of a route. */
bool config_is_route_key(const char *name) {
    for (const struct option *option = options; option->name != NULL; option++)
        if (strcmp(option->section, "route") == 0 && strcasecmp(option->name, name) == 0)
            return true;
    return false;
}

void config_release_extras(struct config_route *route) {
    for (size_t i = 0; i < route->extra_count; i++) {
        free(route->extras[i].name);
        free(route->extras[i].value);
        free(route->extras[i].content);
    }
    free(route->extras);
}

int config_apply_to_route(struct config_route *route, const struct config_setting *setting, char *error,
                          size_t error_size) {
    if (!config_is_route_key(setting->key))
        return set_extra(route, setting, error, error_size);
    return config_apply(route, route->locations, setting, error, error_size);
}

struct config_location config_handler_location(const struct config_route *route) {
    return route->locations[option_find("route", "handler") - options];
}

char **config_subprotocols(const struct config_route *route) {
    static char weir_v1[] = "weir.v1", *protocol[] = {weir_v1, NULL};
    bool none = route->subprotocols[0] == NULL;
    return none && route->handler != NULL && strcmp(route->handler, "pubsub") == 0 ? protocol : route->subprotocols;
}
