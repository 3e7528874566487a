/* served_route.c - see served_route.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/served_route.h"

#include <stdlib.h>
#include <string.h>

#include "server/handlers/builtin.h"

static void free_texts(char **texts) {
    for (size_t i = 0; texts != NULL && texts[i] != NULL; i++)
        free(texts[i]);
    free(texts);
}

static void served_destroy(struct route *route) {
    struct served_route *served = (struct served_route *)route;
    free((char *)route->pattern);
    free(served->handler);
    free_texts(served->extras);
    free(served);
}

static char **copy_extras(const struct config_route *configured) {
    char **extras = calloc(2 * configured->extra_count + 1, sizeof *extras);
    for (size_t i = 0; extras != NULL && i < configured->extra_count; i++) {
        extras[2 * i] = strdup(configured->extras[i].name);
        extras[2 * i + 1] = strdup(configured->extras[i].value);
        if (extras[2 * i] == NULL || extras[2 * i + 1] == NULL) {
            free(extras[2 * i]);
            free(extras[2 * i + 1]);
            extras[2 * i] = NULL;
            free_texts(extras);
            return NULL;
        }
    }
    return extras;
}

struct served_route *served_create(struct core *core, const char *pattern, const struct config_route *configured) {
    struct served_route *served = calloc(1, sizeof *served);
    if (served == NULL)
        return NULL;
    served->route = (struct route){.core = core, .references = 1, .destroy = served_destroy};
    served->route.pattern = strdup(pattern);
    bool copied = served->route.pattern != NULL;
    if (configured != NULL) {
        served->handler = strdup(configured->handler);
        served->extras = copy_extras(configured);
        copied = copied && served->handler != NULL && served->extras != NULL;
    }
    if (!copied) {
        served_destroy(&served->route);
        return NULL;
    }
    return served;
}

bool served_is_same(const struct served_route *served, const struct config_route *configured) {
    if (served->handler == NULL || strcmp(served->handler, configured->handler) != 0 ||
        strcmp(served->route.pattern, configured->pattern) != 0)
        return false;
    size_t i = 0;
    for (; i < configured->extra_count && served->extras[2 * i] != NULL; i++)
        if (strcmp(served->extras[2 * i], configured->extras[i].name) != 0 ||
            strcmp(served->extras[2 * i + 1], configured->extras[i].value) != 0)
            return false;
    return i == configured->extra_count && served->extras[2 * i] == NULL;
}

int served_find_handler(struct served_route *served, const struct config_route *configured, char *error,
                        size_t error_size) {
    struct route *route = &served->route;
    if (strcmp(configured->handler, "echo") == 0) {
        route->handler = &handler_echo;
    } else if (strcmp(configured->handler, "broadcast") == 0) {
        route->handler = &handler_broadcast;
        route->context = &served->echo_self;
    } else {
        if (plugin_load(&served->plugin, configured, error, error_size) != 0)
            return -1;
        route->handler = served->plugin.table->handler;
    }
    return 0;
}

void served_end(struct served_route *served) {
    plugin_unload(&served->plugin);
    pool_drop_lane(&served->route.lane);
    route_release(&served->route);
}
