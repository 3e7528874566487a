/* option_applies.c - see option_applies.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/config/option_applies.h"

#include <string.h>

#include "server/config/config.h"

bool applies_if_drain_timeout(const struct config *config, const void *section) {
    (void)section;
    return config->server.drain_timeout_ms > 0;
}

bool applies_if_compression(const struct config *config, const void *section) {
    (void)section;
    bool on = config->websocket.compression != COMPRESSION_OFF;
    for (size_t i = 0; !on && i < config->route_count; i++)
        on = config->routes[i].compression == COMPRESSION_ON ||
             config->routes[i].compression == COMPRESSION_TAKEOVER;
    return on;
}

bool applies_if_rate(const struct config *config, const void *section) {
    (void)section;
    return config->settings.message_rate > 0 || config->settings.byte_rate > 0;
}

bool applies_if_pings(const struct config *config, const void *section) {
    (void)section;
    return config->settings.ping_interval_ms > 0;
}

bool applies_if_admin(const struct config *config, const void *section) {
    (void)section;
    return config->admin.listen[0] != NULL;
}

bool applies_if_history(const struct config *config, const void *section) {
    (void)config;
    return ((const struct config_channel *)section)->history > 0;
}

/* --- Routes -------------------------------------------------------------------------------------------------- */

static bool has_handler(const void *section, const char *handler) {
    const char *configured = ((const struct config_route *)section)->handler;
    return configured != NULL && strcmp(configured, handler) == 0;
}

/* For options that matter only to handlers that may block; the built-in handlers never block. */
bool applies_if_plugin(const struct config *config, const void *section) {
    (void)config;
    return strncmp(((const struct config_route *)section)->handler, "plugin:", 7) == 0;
}

bool applies_if_relay(const struct config *config, const void *section) {
    (void)config;
    return has_handler(section, "relay");
}

bool applies_if_pubsub(const struct config *config, const void *section) {
    (void)config;
    return has_handler(section, "pubsub");
}

bool applies_if_publishing(const struct config *config, const void *section) {
    return applies_if_relay(config, section) || applies_if_pubsub(config, section);
}

bool applies_if_sends_back(const struct config *config, const void *section) {
    return applies_if_relay(config, section) || has_handler(section, "broadcast");
}

bool applies_if_subprotocols(const struct config *config, const void *section) {
    return applies_if_pubsub(config, section) || ((const struct config_route *)section)->subprotocols[0] != NULL;
}
