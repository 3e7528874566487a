/* routes.c - see routes.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/routes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/plugin_options.h"

/* --- A table ----------------------------------------------------------------------------------------------- */

/* Where an error is written. */
struct report {
    char *error;
    size_t size;
};

static int out_of_memory(const struct report *report) {
    snprintf(report->error, report->size, "out of memory");
    return -1;
}

static void table_destroy(struct route_entries *entries) {
    struct route_table *table = (struct route_table *)entries;
    for (size_t i = 0; i < entries->count; i++)
        route_release(entries->items[i].route);
    if (entries->unrouted.route != NULL)
        route_release(entries->unrouted.route);
    router_destroy(entries->router);
    free(entries->items);
    free(table->served);
    config_destroy(table->owned);
    free(table);
}

static struct route_table *table_create(size_t count) {
    struct route_table *table = calloc(1, sizeof *table);
    if (table == NULL)
        return NULL;
    table->entries.references = 1;
    table->entries.destroy = table_destroy;
    table->entries.router = router_create();
    table->entries.items = calloc(count + 1, sizeof *table->entries.items);
    table->served = calloc(count + 1, sizeof(struct served_route *));
    if (table->entries.router != NULL && table->entries.items != NULL && table->served != NULL)
        return table;
    route_entries_release(&table->entries);
    return NULL;
}

/* 12 bits are a window of 4 KiB. With context takeover a stream then costs 32 KiB; with 15 bits it costs 256 KiB.
 */
static struct deflate_policy deflate_policy(enum compression compression) {
    return (struct deflate_policy){.enabled = compression != COMPRESSION_OFF,
                                   .takeover = compression == COMPRESSION_TAKEOVER,
                                   .window_bits = 12};
}

static struct route_entry default_entry(const struct config *config, struct route *route) {
    return (struct route_entry){.route = route,
                                .origins = config->websocket.origins,
                                .deflate = deflate_policy(config->websocket.compression)};
}

static struct route_entry entry_of(const struct config *config, const struct config_route *configured,
                                   struct route *route) {
    struct route_entry entry = default_entry(config, route);
    if (config_subprotocols(configured)[0] != NULL)
        entry.subprotocols = config_subprotocols(configured);
    entry.require_subprotocol = configured->require_subprotocol;
    if (configured->origins[0] != NULL)
        entry.origins = configured->origins;
    if (configured->compression != COMPRESSION_INHERIT)
        entry.deflate = deflate_policy(configured->compression);
    return entry;
}

/* Adds an entry to the table, which takes a reference on the route. */
static void enter(struct route_table *table, struct served_route *served, const struct route_entry *entry) {
    route_retain(&served->route);
    table->served[table->entries.count] = served;
    table->entries.items[table->entries.count++] = *entry;
}

static int add_pattern(struct route_table *table, const char *pattern, struct config_location location,
                       const struct report *report) {
    char reason[256];
    if (router_add(table->entries.router, pattern, table->entries.count, reason, sizeof reason) == 0)
        return 0;
    return config_fail(location, report->error, report->size, "%s", reason);
}

/* --- From the configuration -------------------------------------------------------------------------------- */

/* The handler for clients whose path matches no route. They are closed before they can send a message. */
static const struct weir_handler no_handler = {WEIR_HANDLER_INIT, .flags = WEIR_NEVER_BLOCKS};

static void list(struct routes *routes, struct served_route *served) {
    served->next = routes->all;
    routes->all = served;
    routes->count++;
}

static struct served_route *find_same(const struct routes *routes, const struct config_route *configured) {
    for (struct served_route *served = routes->all; served != NULL; served = served->next)
        if (served_is_same(served, configured))
            return served;
    return NULL;
}

/* Returns the declaration of a plug-in that already serves a route, even if its file has changed; NULL if there is
 * none. */
static const struct weir_plugin *find_plugin(const struct routes *routes, const struct config_route *configured) {
    for (struct served_route *served = routes->all; served != NULL; served = served->next)
        if (served->plugin.table != NULL && strcmp(served->handler, configured->handler) == 0)
            return served->plugin.table;
    return NULL;
}

/* A shared object that serves already is not loaded again, even if its file has changed. Records the version that
 * was loaded. */
static void note_what_was_loaded(const struct routes *routes, struct served_route *made) {
    for (struct served_route *served = routes->all; served != NULL; served = served->next)
        if (served != made && served->plugin.object != NULL && served->plugin.object == made->plugin.object)
            made->plugin.file = served->plugin.file;
}

/* Creates a route with its handler. `plugin` is the declaration by which its options have been read; NULL: they
 * have not been read yet. */
static struct served_route *make_served(struct routes *routes, const struct config *config,
                                        struct config_route *configured, const struct weir_plugin *plugin,
                                        const struct report *report) {
    struct served_route *served = served_create(routes->core, configured->pattern, configured);
    if (served == NULL) {
        out_of_memory(report);
        return NULL;
    }
    served->route.concurrency.max = configured->concurrency;
    list(routes, served);
    if (served_find_handler(served, config, configured, report->error, report->size) != 0)
        return NULL;
    note_what_was_loaded(routes, served);
    if (plugin == NULL && served->plugin.table != NULL &&
        plugin_read_options(served->plugin.table, config, configured, report->error, report->size) != 0)
        return NULL;
    if (served_keep_options(served, configured))
        return served;
    out_of_memory(report);
    return NULL;
}

static struct served_route *find_added(const struct routes *routes, const char *pattern) {
    for (struct served_route *served = routes->all; served != NULL; served = served->next)
        if (served->handler == NULL && strcmp(served->route.pattern, pattern) == 0)
            return served;
    return NULL;
}

static struct served_route *serve_added(struct routes *routes, const char *pattern,
                                        const struct weir_handler *handler, void *context) {
    struct served_route *served = find_added(routes, pattern);
    if (served == NULL && (served = served_create(routes->core, pattern, NULL)) != NULL) {
        served_set_handler(served, handler, context);
        list(routes, served);
    }
    return served;
}

static const struct added_route *find_programs(const struct routes *routes, const char *pattern) {
    for (size_t i = 0; i < routes->added_count; i++)
        if (strcmp(routes->added[i].pattern, pattern) == 0)
            return &routes->added[i];
    return NULL;
}

/* Loads a route that the program serves and has set options for. */
static int load_with_options(struct routes *routes, struct route_table *table, const struct config *config,
                             struct config_route *configured, const struct report *report) {
    const struct added_route *added = find_programs(routes, configured->pattern);
    if (added == NULL && config->errors != NULL) /* its handler was wrong, which has been reported already */
        return 0;
    if (added == NULL)
        return config_fail(configured->location, report->error, report->size,
                           "the route %s has options and no handler; set one, or call weir_server_route()",
                           configured->pattern);
    struct served_route *served = serve_added(routes, added->pattern, added->handler, added->context);
    if (served == NULL)
        return out_of_memory(report);
    const struct route_entry entry = entry_of(config, configured, &served->route);
    enter(table, served, &entry);
    return 0;
}

static int load_configured(struct routes *routes, struct route_table *table, const struct config *config,
                           struct config_route *configured, const struct report *report) {
    const struct weir_plugin *plugin = find_plugin(routes, configured);
    if (plugin != NULL && plugin_read_options(plugin, config, configured, report->error, report->size) != 0)
        return -1;
    struct served_route *served = find_same(routes, configured);
    if (served == NULL && (served = make_served(routes, config, configured, plugin, report)) == NULL)
        return -1;
    const struct route_entry entry = entry_of(config, configured, &served->route);
    enter(table, served, &entry);
    return 0;
}

static bool has_options(const struct config *config, const char *pattern) {
    for (size_t i = 0; i < config->route_count; i++)
        if (config->routes[i].handler == NULL && strcmp(config->routes[i].pattern, pattern) == 0)
            return true;
    return false;
}

static int load_added(struct routes *routes, struct route_table *table, const struct config *config,
                      const struct report *report) {
    for (size_t i = 0; i < routes->added_count; i++) {
        const struct added_route *added = &routes->added[i];
        if (has_options(config, added->pattern))
            continue; /* load_with_options() has added it */
        if (add_pattern(table, added->pattern, (struct config_location){.source = NULL}, report) != 0)
            return -1;
        struct served_route *served = serve_added(routes, added->pattern, added->handler, added->context);
        if (served == NULL)
            return out_of_memory(report);
        const struct route_entry entry = default_entry(config, &served->route);
        enter(table, served, &entry);
    }
    return 0;
}

static int load_all(struct routes *routes, struct route_table *table, struct config *config,
                    const struct report *report) {
    struct served_route *unrouted = serve_added(routes, "", &no_handler, NULL);
    if (unrouted == NULL)
        return out_of_memory(report);
    route_retain(&unrouted->route);
    table->entries.unrouted = default_entry(config, &unrouted->route);
    table->entries.answers_404 = config->server.unknown_route == UNKNOWN_ROUTE_404;
    for (size_t i = 0; i < config->route_count; i++) {
        struct config_route *configured = &config->routes[i];
        if (add_pattern(table, configured->pattern, configured->location, report) != 0 &&
            config_go_on(config, report->error) != 0)
            return -1;
        if ((configured->handler == NULL ? load_with_options : load_configured)(routes, table, config, configured,
                                                                                report) != 0 &&
            config_go_on(config, report->error) != 0)
            return -1;
    }
    return load_added(routes, table, config, report);
}

struct route_table *routes_build(struct routes *routes, struct config *config, char *error, size_t error_size) {
    const struct report report = {error, error_size};
    struct route_table *table = table_create(config->route_count + routes->added_count);
    if (table == NULL) {
        out_of_memory(&report);
        return NULL;
    }
    if (load_all(routes, table, config, &report) == 0) {
        table->config = config;
        return table;
    }
    route_entries_release(&table->entries);
    routes_reap(routes);
    return NULL;
}

/* Checks a pattern against the existing ones, in a router made for this purpose. */
static int check_pattern(const struct routes *routes, const struct config *config, struct router *router,
                         const char *pattern, char *error, size_t error_size) {
    for (size_t i = 0; i < config->route_count; i++)
        if (config->routes[i].handler != NULL && /* a section without a handler may be for this very pattern */
            router_add(router, config->routes[i].pattern, 0, error, error_size) != 0)
            return -1;
    for (size_t i = 0; i < routes->added_count; i++)
        if (router_add(router, routes->added[i].pattern, 0, error, error_size) != 0)
            return -1;
    return router_add(router, pattern, 0, error, error_size);
}

int routes_add(struct routes *routes, const struct config *config, const struct added_route *route, char *error,
               size_t error_size) {
    struct router *router = router_create();
    int result = router == NULL ? -1 : check_pattern(routes, config, router, route->pattern, error, error_size);
    router_destroy(router);
    if (result != 0 && router != NULL)
        return -1;
    struct added_route *added = realloc(routes->added, (routes->added_count + 1) * sizeof *added);
    char *pattern = strdup(route->pattern);
    if (added != NULL)
        routes->added = added;
    if (router == NULL || added == NULL || pattern == NULL) {
        free(pattern);
        return out_of_memory(&(struct report){error, error_size});
    }
    added[routes->added_count] = *route;
    added[routes->added_count++].pattern = pattern;
    return 0;
}

void routes_forget_added(struct routes *routes) {
    for (size_t i = 0; i < routes->added_count; i++)
        free(routes->added[i].pattern);
    free(routes->added);
    routes->added = NULL;
    routes->added_count = 0;
}

int routes_start(const struct route_table *table, weir_server *server, char *error, size_t error_size) {
    for (size_t i = 0; i < table->config->route_count; i++) {
        struct served_route *served = table->served[i];
        if (served->plugin.object == NULL || served->plugin.started)
            continue;
        if (plugin_start(&served->plugin, server, &table->config->routes[i], error, error_size) != 0)
            return -1;
        served->route.context = served->plugin.context;
    }
    return 0;
}

/* --- Living routes ----------------------------------------------------------------------------------------- */

static enum slow_consumer_policy slow_consumer_policy(enum slow_consumer configured) {
    return configured == SLOW_DROP_OLDEST   ? SLOW_CONSUMER_DROP_OLDEST
           : configured == SLOW_DROP_NEWEST ? SLOW_CONSUMER_DROP_NEWEST
                                            : SLOW_CONSUMER_DISCONNECT;
}

void routes_apply(const struct route_table *table, struct pool *pool) {
    const struct config *config = table->config;
    for (size_t i = 0; i < table->entries.count; i++) {
        struct served_route *served = table->served[i];
        enum slow_consumer policy = config->websocket.slow_consumer;
        if (i < config->route_count) {
            const struct config_route *configured = &config->routes[i];
            if (configured->slow_consumer != SLOW_INHERIT)
                policy = configured->slow_consumer;
            atomic_store(&served->builtin.echo_self, configured->echo_self);
            atomic_store(&served->builtin.may_publish, configured->publish);
            pool_set_concurrency(pool, &served->route.concurrency, configured->concurrency);
        }
        atomic_store(&served->route.slow_consumer, slow_consumer_policy(policy));
    }
}

/* Removes a route from the list and ends it. */
static void retire(struct routes *routes, struct served_route *served) {
    struct served_route **link = &routes->all;
    while (*link != served)
        link = &(*link)->next;
    *link = served->next;
    routes->count--;
    served_end(served);
}

/* The list holds one reference. Any other belongs to a table, a client or a handle. */
void routes_reap(struct routes *routes) {
    struct served_route *next;
    for (struct served_route *served = routes->all; served != NULL; served = next) {
        next = served->next;
        if (atomic_load_explicit(&served->route.references, memory_order_acquire) == 1)
            retire(routes, served);
    }
}

/* Besides its entries, a table has the route for clients whose path matches none. */
size_t routes_retired(const struct routes *routes, const struct route_table *table) {
    return routes->count - table->entries.count - 1;
}

void routes_end(struct routes *routes) {
    for (struct served_route *served = routes->all; served != NULL; served = served->next)
        plugin_unload(&served->plugin);
}

void routes_release(struct routes *routes) {
    while (routes->all != NULL)
        retire(routes, routes->all);
}
