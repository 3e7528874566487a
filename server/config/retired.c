/* retired.c - the names that are no longer used, with those that replaced them.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/config/retired.h"

#include <stddef.h>
#include <string.h>

struct retired {
    const char *section, *name, *now;
};

static const struct retired keys[] = {
    {"server", "handshakes_per_ip", "max_half_open_per_ip"},
    {"server", "upgrades_per_ip", "handshake_rate_per_ip"},
    {"server", "wake_after", "wake_threshold"},
    {"route", "channels", "allowed_channels"},
    {NULL, NULL, NULL},
};
static const struct retired sections[] = {{"", "channels", "channel_limits"}, {NULL, NULL, NULL}};
static const struct retired handlers[] = {{"", "channel", "relay"}, {"", "channels", "pubsub"}, {NULL, NULL, NULL}};

static const char *retired_find(const struct retired *row, const char *section, const char *name) {
    for (; row->name != NULL; row++)
        if (strcmp(row->section, section) == 0 && strcmp(row->name, name) == 0)
            return row->now;
    return NULL;
}

const char *retired_key(const char *section, const char *key) {
    return retired_find(keys, section, key);
}

const char *retired_section(const char *section) {
    return retired_find(sections, "", section);
}

const char *retired_handler(const char *handler) {
    return retired_find(handlers, "", handler);
}
