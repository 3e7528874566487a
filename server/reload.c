/* reload.c - reads the configuration again while the server runs. Nothing changes before all of it is checked and
 * every new plug-in has started.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <stdlib.h>

#include "server/available_memory.h"
#include "server/core/conn.h"
#include "server/descriptors.h"
#include "server/log/log.h"
#include "server/notify.h"
#include "server/reload_check.h"
#include "server/server_private.h"
#include "server/sweep.h"

enum { PATIENCE_MS = 10000 };

/* --- Settings ---------------------------------------------------------------------------------------------- */

const struct settings *server_settings(weir_server *server, const struct config *config) {
    for (struct kept_settings *kept = server->run->settings; kept != NULL; kept = kept->next)
        if (config_settings_are_same(&kept->settings, &config->settings))
            return &kept->settings;
    struct kept_settings *kept = malloc(sizeof *kept);
    if (kept == NULL)
        return NULL;
    kept->settings = config->settings;
    kept->next = server->run->settings;
    server->run->settings = kept;
    return &kept->settings;
}

/* --- Channels ---------------------------------------------------------------------------------------------- */

static struct channel_rule make_rule(const struct config_channel *configured) {
    return (struct channel_rule){.pattern = configured->pattern,
                                 .options = {.history = configured->history,
                                             .history_age_ms = configured->history_age_ms,
                                             .position_ttl_ms = configured->position_ttl_ms,
                                             .max_subscribers = configured->max_subscribers,
                                             .may_subscribe = configured->subscribe,
                                             .may_publish = configured->publish,
                                             .presence = configured->presence,
                                             .announce = configured->announce,
                                             .publisher = configured->publisher}};
}

/* History counts against memory_limit, and closing clients does not free it. So it gets at most half of the limit.
 */
static size_t history_memory(const struct config *config) {
    size_t most = config->server.memory_limit / 2;
    return most == 0 || config->channel_limits.history_memory < most ? config->channel_limits.history_memory : most;
}

/* Idle channels count against memory_limit too, and closing clients does not free them. They get an eighth of it.
 */
static size_t idle_memory(const struct config *config) {
    return config->server.memory_limit == 0 ? SIZE_MAX : config->server.memory_limit / 8;
}

static void set_channels(weir_server *server, const struct config *config) {
    const struct channels_limits limits = {.channels = config->channel_limits.max_channels,
                                           .per_connection = config->channel_limits.max_channels_per_connection,
                                           .history_memory = history_memory(config),
                                           .idle_memory = idle_memory(config)};
    struct channel_rule *rules = calloc(config->channel_rule_count + 1, sizeof *rules);
    for (size_t i = 0; rules != NULL && i < config->channel_rule_count; i++)
        rules[i] = make_rule(&config->channel_rules[i]);
    if (rules == NULL ||
        channels_configure(&server->run->channels, rules, config->channel_rule_count, &limits) != 0)
        log_event(LOG_SERVER, LOG_ERROR, "channels",
                  LOG_FIELDS(LOG_TEXT("error", "out of memory; the channel rules have not changed")));
    free(rules);
}

/* --- Putting in force -------------------------------------------------------------------------------------- */

static void set_settings(weir_server *server, const struct settings *settings) {
    if (core_settings(&server->run->core) == settings)
        return;
    atomic_store_explicit(&server->run->core.settings, settings, memory_order_release);
    sweep_all(&server->run->core, conn_renew);
}

void server_apply(weir_server *server, struct route_table *table, const struct settings *settings,
                  unsigned max_connections) {
    const struct config_server *config = &table->config->server;
    struct core *core = &server->run->core;
    server_set_log_levels(table->config);
    set_settings(server, settings);
    registry_set_limit(&core->registry, max_connections);
    if (server->admin != NULL)
        admin_set_token(server->admin, table->config->admin.secret);
    address_limiter_set_limits(&core->address_limiter, config->max_connections_per_ip,
                               config->handshake_rate_per_ip);
    atomic_store(&core->memory_limit.limit, (int64_t)config->memory_limit);
    available_memory_check(config->memory_limit);
    set_channels(server, table->config);
    routes_apply(table, core->pool);
    route_entries_replace(&server->dispatch.current_routes, &table->entries);
    server->table = table;
    routes_reap(&server->routes);
}

/* --- Reading again ----------------------------------------------------------------------------------------- */

/* Reports the result to all threads whose request has the number `generation` or a lower one. */
static void report(weir_server *server, uint64_t generation, bool done, const char *text) {
    struct reload_requests *requests = &server->reloads;
    atomic_fetch_add(done ? &server->run->core.counters.reloads : &server->run->core.counters.failed_reloads, 1);
    atomic_store(&server->run->core.counters.reload_failed, !done);
    mutex_lock(&requests->mutex);
    requests->finished = generation;
    requests->done = done;
    snprintf(requests->text, sizeof requests->text, "%s", text);
    pthread_cond_broadcast(&requests->answered);
    mutex_unlock(&requests->mutex);
}

void server_set_reloadable(weir_server *server, bool reloadable) {
    struct reload_requests *requests = &server->reloads;
    mutex_lock(&requests->mutex);
    requests->closed = !reloadable;
    pthread_cond_broadcast(&requests->answered);
    mutex_unlock(&requests->mutex);
}

static uint64_t reload_generation(struct reload_requests *requests, bool new) {
    mutex_lock(&requests->mutex);
    uint64_t generation = new ? ++requests->wanted : requests->wanted;
    mutex_unlock(&requests->mutex);
    return generation;
}

int server_reload_from_outside(void *context, char *text, size_t text_size) {
    weir_server *server = context;
    struct reload_requests *requests = &server->reloads;
    uint64_t generation = reload_generation(requests, true), deadline = pool_now() + PATIENCE_MS;
    weir_server_reload(server);
    mutex_lock(&requests->mutex);
    while (requests->finished < generation && !requests->closed &&
           mutex_wait_until(&requests->answered, &requests->mutex, deadline))
        continue;
    bool known = requests->finished >= generation, too_late = !known && requests->closed;
    int result = known ? requests->done : too_late ? 0 : -1;
    snprintf(text, text_size, "%s",
             known      ? requests->text
             : too_late ? "The server is stopping."
                        : "The reload is still running; see the log for its result.");
    mutex_unlock(&requests->mutex);
    return result;
}

/* Limits max_connections to the descriptors that the process may have. */
static int plan_connections(weir_server *server, const struct config *config, unsigned *connections, char *error,
                            size_t error_size) {
    struct descriptor_plan plan;
    if (server_plan_descriptors(server, config->server.max_connections, &plan, error, error_size) != 0)
        return -1;
    *connections = plan.connections;
    return 0;
}

/* Builds the table and starts its new plug-ins. A table that it returns owns the configuration. Returns NULL with
 * one line in `error`; the configuration is then still the caller's. */
static struct route_table *prepare(weir_server *server, struct config *config, char *error, size_t error_size) {
    struct route_table *table = routes_build(&server->routes, config, error, error_size);
    if (table == NULL)
        return NULL;
    if (routes_start(table, server, error, error_size) == 0) {
        table->owned = config;
        return table;
    }
    route_entries_release(&table->entries);
    routes_reap(&server->routes);
    return NULL;
}

/* Returns the table of the configuration as it is now, with its settings; NULL with one line in `error`. */
static struct route_table *read_again(weir_server *server, const struct settings **settings, unsigned *connections,
                                      char *error, size_t error_size) {
    struct config *config = server_configuration(server, error, error_size);
    if (config != NULL && reload_check(server_config(server), config, error, error_size) != 0) {
        config_destroy(config);
        return NULL;
    }
    *settings = config == NULL ? NULL : server_settings(server, config);
    struct route_table *table = NULL;
    if (*settings != NULL && plan_connections(server, config, connections, error, error_size) == 0)
        table = prepare(server, config, error, error_size);
    if (table == NULL)
        config_destroy(config);
    return table;
}

static void log_change(void *context, const struct config_change *change) {
    (void)context;
    if (change->restart)
        log_event(LOG_SERVER, LOG_WARNING, "reload",
                  LOG_FIELDS(LOG_TEXT("section", change->section), LOG_TEXT("key", change->name),
                             LOG_TEXT("note", "it takes effect after a restart")));
}

static void log_reloaded(const weir_server *server, unsigned connections) {
    config_compare(server->config, server_config(server), log_change, NULL);
    log_event(LOG_SERVER, LOG_INFO, "reload",
              LOG_FIELDS(LOG_BOOLEAN("done", true), LOG_NUMBER("routes", server->table->entries.count),
                         LOG_NUMBER("retired", routes_retired(&server->routes, server->table)),
                         LOG_NUMBER("max_connections", connections)));
}

void server_reload(weir_server *server) {
    uint64_t generation = reload_generation(&server->reloads, false);
    char text[CONFIG_ERROR_SIZE] = "out of memory";
    const struct settings *settings;
    unsigned connections = 0;
    notify_reloading();
    struct route_table *table = read_again(server, &settings, &connections, text, sizeof text);
    if (table != NULL) {
        server_apply(server, table, settings, connections);
        snprintf(text, sizeof text, "reloaded: %zu routes, %zu more with clients that stay", table->entries.count,
                 routes_retired(&server->routes, table));
        reload_note_plugins(table, text, sizeof text);
        log_reloaded(server, connections); /* the last line of a reload */
    } else {
        log_event(LOG_SERVER, LOG_ERROR, "reload", LOG_FIELDS(LOG_BOOLEAN("done", false), LOG_TEXT("error", text)));
    }
    notify_ready();
    report(server, generation, table != NULL, text);
}
