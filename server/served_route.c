/* served_route.c - see served_route.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/served_route.h"

#include <stdlib.h>
#include <string.h>

#include "server/handlers/builtin.h"
#include "server/sized.h"

static void free_texts(char **texts) {
    for (size_t i = 0; texts != NULL && texts[i] != NULL; i++)
        free(texts[i]);
    free(texts);
}

static void served_destroy(struct route *route) {
    struct served_route *served = (struct served_route *)route;
    free((char *)route->pattern);
    free(served->handler);
    free(served->channel);
    free_texts(served->allowed_channels);
    free_texts(served->extras);
    if (route->core != NULL)
        core_release(route->core);
    free(served);
}

/* --- What was configured ----------------------------------------------------------------------------------- */

static size_t count_texts(char *const *texts) {
    size_t count = 0;
    while (texts != NULL && texts[count] != NULL)
        count++;
    return count;
}

static char **copy_texts(char *const *texts, size_t count) {
    char **copy = calloc(count + 1, sizeof *copy);
    for (size_t i = 0; copy != NULL && i < count; i++)
        if ((copy[i] = strdup(texts[i])) == NULL) {
            free_texts(copy);
            return NULL;
        }
    return copy;
}

static bool texts_are_same(char *const *a, char *const *b) {
    size_t i = 0;
    for (; a[i] != NULL && b[i] != NULL; i++)
        if (strcmp(a[i], b[i]) != 0)
            return false;
    return a[i] == b[i];
}

/* Returns name, value and file content of each key in turn, NULL-terminated. The array is the caller's, the strings
 * belong to the configuration. NULL if memory is out. */
static char **list_extras(const struct config_route *configured) {
    static char nothing[] = "";
    char **extras = calloc(3 * configured->extra_count + 1, sizeof *extras);
    for (size_t i = 0; extras != NULL && i < configured->extra_count; i++) {
        const struct config_extra *extra = &configured->extras[i];
        extras[3 * i] = extra->name;
        extras[3 * i + 1] = extra->value;
        extras[3 * i + 2] = extra->content != NULL ? extra->content : nothing;
    }
    return extras;
}

bool served_keep_options(struct served_route *served, const struct config_route *configured) {
    char **extras = list_extras(configured);
    served->extras = extras == NULL ? NULL : copy_texts(extras, 3 * configured->extra_count);
    free(extras);
    return served->extras != NULL;
}

static bool copy_configured(struct served_route *served, const struct config_route *configured) {
    served->handler = strdup(configured->handler);
    served->allowed_channels = copy_texts(configured->allowed_channels, count_texts(configured->allowed_channels));
    served->channel = configured->channel == NULL ? NULL : strdup(configured->channel);
    served->route.handler_name = served->handler;
    return served->handler != NULL && served->allowed_channels != NULL &&
           (configured->channel == NULL || served->channel != NULL);
}

static bool is_same_text(const char *a, const char *b) {
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

bool served_is_same(const struct served_route *served, const struct config_route *configured) {
    if (!is_same_text(served->handler, configured->handler) ||
        strcmp(served->route.pattern, configured->pattern) != 0 ||
        !is_same_text(served->channel, configured->channel) || served->extras == NULL ||
        !texts_are_same(served->allowed_channels, configured->allowed_channels))
        return false;
    char **extras = list_extras(configured);
    bool same = extras != NULL && texts_are_same(served->extras, extras);
    free(extras);
    return same;
}

/* --- Life -------------------------------------------------------------------------------------------------- */

struct served_route *served_create(struct core *core, const char *pattern, const struct config_route *configured) {
    struct served_route *served = calloc(1, sizeof *served);
    if (served == NULL)
        return NULL;
    served->route = (struct route){.core = core, .references = 1, .destroy = served_destroy};
    if (core != NULL) /* NULL if the configuration is only checked */
        core_retain(core);
    served->route.pattern = strdup(pattern);
    if (served->route.pattern == NULL || (configured != NULL && !copy_configured(served, configured))) {
        served_destroy(&served->route);
        return NULL;
    }
    return served;
}

void served_set_handler(struct served_route *served, const struct weir_handler *handler, void *context) {
    handler_copy(&served->own, handler);
    served->route.handler = &served->own;
    served->route.context = context;
}

static const struct weir_handler *find_builtin(const char *name) {
    static const struct {
        const char *name;
        const struct weir_handler *handler;
    } builtins[] = {{"echo", &handler_echo},
                    {"broadcast", &handler_broadcast},
                    {"relay", &handler_relay},
                    {"pubsub", &handler_pubsub}};
    for (size_t i = 0; i < sizeof builtins / sizeof *builtins; i++)
        if (strcmp(builtins[i].name, name) == 0)
            return builtins[i].handler;
    return NULL;
}

int served_find_handler(struct served_route *served, const struct config *config,
                        const struct config_route *configured, char *error, size_t error_size) {
    struct route *route = &served->route;
    route->handler = find_builtin(configured->handler);
    if (route->handler != NULL) {
        served->builtin.channel = served->channel;
        served->builtin.allowed_channels = served->allowed_channels;
        route->context = &served->builtin;
        return 0;
    }
    if (plugin_load(&served->plugin, config, configured, error, error_size) != 0)
        return -1;
    served_set_handler(served, served->plugin.table->handler, NULL);
    return 0;
}

void served_end(struct served_route *served) {
    plugin_unload(&served->plugin);
    pool_drop_concurrency(&served->route.concurrency);
    route_release(&served->route);
}
