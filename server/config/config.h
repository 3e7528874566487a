/* config.h - what the ini file says, checked: one struct, filled from the option table (options.c).
 *
 * No locks: it is read and set by one thread, and never changes while a server runs on it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CONFIG_CONFIG_H
#define WEIR_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { CONFIG_ERROR_SIZE = 512, CONFIG_ROUTES_MAX = 4096 };

enum unknown_route { UNKNOWN_ROUTE_CLOSE, UNKNOWN_ROUTE_404 };
enum config_log_level { CONFIG_LOG_ERROR, CONFIG_LOG_WARNING, CONFIG_LOG_INFO, CONFIG_LOG_DEBUG };

/* [server] */
struct config_server {
    char **listen; /* "0.0.0.0:9000", "[::1]:9000"; NULL-terminated */
    unsigned workers;
    unsigned http_threads;
    unsigned connection_queue;
    unsigned max_connections;        /* 0: as many as the descriptor limit allows */
    unsigned max_connections_per_ip; /* 0: no limit; likewise the two below */
    unsigned upgrades_per_ip;        /* in a second */
    unsigned handshakes_per_ip;
    char **trusted_proxies; /* networks, see network_parse(); "none" alone */
    size_t memory_limit;    /* 0: none */
    uint64_t drain_timeout_ms;
    uint64_t drain_window_ms;
    enum unknown_route unknown_route;
};

enum slow_consumer { SLOW_DISCONNECT, SLOW_DROP_OLDEST, SLOW_DROP_NEWEST, SLOW_INHERIT };
enum rate_policy { RATE_PAUSE, RATE_CLOSE };
enum compression { COMPRESSION_OFF, COMPRESSION_ON, COMPRESSION_TAKEOVER, COMPRESSION_INHERIT };

/* [websocket] */
struct config_websocket {
    size_t max_message_size;
    unsigned max_fragments;
    enum compression compression;
    size_t compression_threshold;
    size_t inbox_size;
    size_t send_buffer_soft;
    size_t send_buffer_hard;
    enum slow_consumer slow_consumer;
    uint64_t send_timeout_ms; /* 0: none */
    unsigned message_rate;    /* in a second; 0: no limit */
    size_t byte_rate;         /* likewise */
    enum rate_policy rate_policy;
    uint64_t handshake_timeout_ms;
    uint64_t close_timeout_ms;
    uint64_t ping_interval_ms; /* 0: no pings */
    uint64_t ping_timeout_ms;
    uint64_t idle_timeout_ms; /* 0: none */
    char **origins;           /* see value_origin(); NULL-terminated */
};

/* [log] */
struct config_log {
    enum config_log_level level;
};

/* A key of a route that no option knows: meant for its plug-in. */
struct config_extra {
    char *name;
    char *value;
    unsigned line;
};

/* [route PATTERN] */
struct config_route {
    char *pattern;
    char *handler;        /* "echo", "broadcast", "plugin:PATH" */
    unsigned concurrency; /* handlers at once; 0: as many as there are workers */
    bool echo_self;
    char **subprotocols; /* in the order of preference, NULL-terminated; "none" alone */
    bool require_subprotocol;
    char **origins; /* as the server's; "inherit" alone */
    enum compression compression;
    enum slow_consumer slow_consumer;
    unsigned section_line; /* of [route PATTERN] */
    unsigned line;         /* of the handler key; both are 0 if the route did not come from a file */
    struct config_extra *extras;
    size_t extra_count;
};

struct config {
    char *path; /* of the file; NULL if there is none */
    struct config_server server;
    struct config_websocket websocket;
    struct config_log log;
    struct config_route *routes;
    size_t route_count;
};

/* The defaults, no routes. NULL if memory is out. */
struct config *config_create(void);
void config_destroy(struct config *config); /* NULL is allowed */

/* Reads a file over what is there and adds its routes. Returns 0; or -1 with one line in `error` that says what
 * would be right and begins with "path:line: ", or "path: " if the file cannot be read at all. Then no route has
 * been added, but options may have been set. Limits that only make sense together are checked by config_check(). */
int config_load(struct config *config, const char *path, char *error, size_t error_size);

/* Sets one option of [server], [websocket] or [log] as a line of the file would. */
int config_set(struct config *config, const char *section, const char *key, const char *value, char *error,
               size_t error_size);

/* What a single value cannot tell: send_buffer_hard >= send_buffer_soft + max_message_size + 1 MiB. */
int config_check(const struct config *config, char *error, size_t error_size);

/* The effective configuration as an ini file that would load again to the same. */
void config_print(const struct config *config, FILE *out);

/* Every option: section, name, type with its bounds, default, help. */
void config_list(FILE *out);

#endif
