/* config.h - the configuration from ini files, environment and command line, checked. It is one struct, filled from
 * the option table (options.c), that records where each value comes from.
 *
 * A later source wins. Their order is: the defaults, the file and the files that it includes, the environment, the
 * command line. Within the files, the value read last wins. An included file is read where its `include` stands,
 * and so before the other lines of the file that includes it.
 *
 * No locks: one thread reads and sets a configuration, and it never changes while a server runs with it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CONFIG_CONFIG_H
#define WEIR_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "server/core/settings.h"

enum {
    CONFIG_ERROR_SIZE = 512,
    CONFIG_ROUTES_MAX = 4096,
    CONFIG_CHANNEL_RULES_MAX = 4096,
    CONFIG_INCLUDE_DEPTH = 8
};

/* Where a value comes from. All zero: it is the default. */
struct config_location {
    const char
        *source;   /* "conf/weir.ini", "WEIR_SERVER_WORKERS", "--set server.workers"; the configuration owns it */
    unsigned line; /* of a file; 0 for other sources */
    bool refused;  /* the value given there is wrong: the option keeps its previous value */
};

/* Receives every error of a configuration, not only the first. */
struct config_errors {
    void (*report)(void *context, const char *error); /* one line, "source:line: what is wrong" */
    void *context;
    size_t count;
};

enum unknown_route { UNKNOWN_ROUTE_CLOSE, UNKNOWN_ROUTE_404 };
enum config_log_level {
    CONFIG_LOG_ERROR,
    CONFIG_LOG_WARNING,
    CONFIG_LOG_INFO,
    CONFIG_LOG_DEBUG,
    CONFIG_LOG_INHERIT
};
enum config_log_format { CONFIG_LOG_LOGFMT, CONFIG_LOG_JSON };

/* [server] */
struct config_server {
    char **listen; /* "0.0.0.0:9000", "[::1]:9000"; NULL-terminated */
    unsigned workers;
    unsigned wake_threshold;
    unsigned http_threads;
    unsigned connection_queue;
    unsigned max_connections;        /* 0: as many as the descriptor limit allows */
    unsigned max_connections_per_ip; /* 0: no limit */
    unsigned handshake_rate_per_ip;  /* per second; 0: no limit */
    unsigned max_half_open_per_ip;   /* unfinished at the same time; 0: no limit */
    char **trusted_proxies;          /* networks, see network_parse(); empty: none */
    size_t memory_limit;             /* 0: none */
    uint64_t drain_timeout_ms;
    uint64_t drain_window_ms;
    enum unknown_route unknown_route;
};

enum slow_consumer { SLOW_DISCONNECT, SLOW_DROP_OLDEST, SLOW_DROP_NEWEST, SLOW_INHERIT };
enum compression { COMPRESSION_OFF, COMPRESSION_ON, COMPRESSION_TAKEOVER, COMPRESSION_INHERIT };

/* The options of [websocket] that are not in struct settings: those that a route may override, and those that apply
 * before there is a connection. */
struct config_websocket {
    enum compression compression;
    enum slow_consumer slow_consumer;
    uint64_t handshake_timeout_ms;
    char **origins; /* see value_origin(); NULL-terminated */
};

/* [log] */
struct config_log {
    enum config_log_level level;
    enum config_log_level level_server, level_http, level_conn, level_access;
    enum config_log_format format;
    char *file; /* absolute; NULL: stderr */
    size_t buffer;
};

/* [admin] */
struct config_admin {
    char **listen; /* like config_server.listen; empty: no admin listener */
    unsigned http_threads;
    char *token;      /* NULL: none */
    char *token_file; /* absolute path; NULL: none */
    char *secret;     /* the token, from either; NULL: none. config_check() sets it */
};

/* [channel_limits] */
struct config_channel_limits {
    unsigned max_channels;
    unsigned max_channels_per_connection;
    size_t history_memory;
};

/* [channel PATTERN] */
struct config_channel {
    char *pattern;           /* see channel_pattern_matches(); of several, channel_pattern_precedes() decides */
    unsigned history;        /* messages */
    uint64_t history_age_ms; /* 0: no limit */
    uint64_t position_ttl_ms;
    unsigned max_subscribers; /* 0: no limit */
    bool subscribe, publish;  /* whether clients may */
    bool presence;
    bool announce;
    bool publisher;
    struct config_location location;   /* of [channel PATTERN] */
    struct config_location *locations; /* of its options, by index in the option table */
};

/* A key of a route that is not in the option table: it is for the route's plug-in. */
struct config_extra {
    char *name;
    char *value;
    char *content; /* the secret, if the value names its file; else NULL */
    bool secret;   /* the value must not be shown */
    struct config_location location;
};

/* [route PATTERN] */
struct config_route {
    char *pattern;
    char *handler; /* "echo", "broadcast", "relay", "pubsub", or "plugin:PATH" with an absolute path; NULL: the
                      program serves the route */
    unsigned concurrency; /* handlers at the same time; 0: as many as there are workers */
    bool echo_self;
    char *channel;           /* handler channel: a template, see channel_template_next(); NULL for other handlers */
    bool publish;            /* handlers relay and pubsub: whether clients may publish */
    char **allowed_channels; /* handler pubsub: patterns of the channels that clients may use, NULL-terminated */
    char **subprotocols;     /* in order of preference, NULL-terminated; may be empty */
    bool require_subprotocol;
    char **origins; /* like config_websocket.origins; empty: those */
    enum compression compression;
    enum slow_consumer slow_consumer;
    struct config_location location;   /* of [route PATTERN] */
    struct config_location *locations; /* of its options, by index in the option table */
    struct config_extra *extras;
    size_t extra_count;
};

struct config {
    char *path;                   /* absolute path of the file that was loaded last; NULL if there is none */
    struct config_errors *errors; /* NULL: reading and checking stop at the first error */
    struct config_server server;
    struct config_websocket websocket;
    struct settings settings; /* the other options of [websocket] */
    struct config_log log;
    struct config_admin admin;
    struct config_channel_limits channel_limits;
    struct config_channel *channel_rules; /* in the order of the files */
    size_t channel_rule_count;
    struct config_route *routes;
    size_t route_count;
    struct config_location *locations; /* of the options above, by index in the option table */
    char **sources;                    /* the names that the locations refer to */
    size_t source_count;
};

/* What a configuration is built from, and built again from at a reload. */
struct config_sources {
    const char *path;         /* of the ini file; NULL: none */
    char *const *environment; /* like environ; NULL: none */
    char *const *settings;    /* SECTION.KEY=VALUE each, as after --set; the section may have a PATTERN */
    size_t setting_count;
};

/* Returns a configuration with the defaults, no routes and no channel rules; NULL if memory is out. */
struct config *config_create(void);

/* Frees a configuration. NULL is allowed. */
void config_destroy(struct config *config);

/* Builds a configuration from all sources, and checks it with config_check(). Environment variables count if their
 * names begin with WEIR_ and a section. Returns NULL with one line in `error`: where and what is wrong, and what
 * would be right. */
struct config *config_build(const struct config_sources *sources, char *error, size_t error_size);

/* Builds a configuration as config_build() does, but reports every error, and returns a configuration of the values
 * that are right; NULL if memory is out. `errors` must outlive the configuration. */
struct config *config_build_all(const struct config_sources *sources, struct config_errors *errors);

/* Call this after an error. If all errors are wanted, reports this one and returns 0, to go on. Else returns -1. */
int config_go_on(const struct config *config, const char *error);

/* Reads a file and the files that it includes. Sets their options and adds their routes and channel rules. Returns
 * 0; or -1 with one line in `error` that begins with "path:line: ", or "path: " if the file cannot be read. After
 * -1 no route or rule has been added, but options may have been set. */
int config_load(struct config *config, const char *path, char *error, size_t error_size);

/* Sets one option, as a line of the file below the header `section` would: "server", "channel news:*", "route /x".
 * A section with a pattern is added if it does not exist. A route added this way may have no handler: then it holds
 * the options of a route that the program serves. Returns 0, or -1 with one line in `error`. */
int config_set(struct config *config, const char *section, const char *key, const char *value, char *error,
               size_t error_size);

/* Checks what depends on several values: send_buffer_hard >= send_buffer_soft + max_message_size + 1 MiB, and
 * routes with all their keys. Also reads the token from token_file, again if it was read before. Returns 0, or -1
 * with one line in `error`. */
int config_check(struct config *config, char *error, size_t error_size);

/* Returns true if a value comes from the environment. */
bool config_is_variable(struct config_location location);

/* Makes a path absolute: relative to the folder of the location's file, or to the working directory for other
 * sources. The caller frees the result. NULL if memory is out. */
char *config_absolute_path(struct config_location location, const char *path);

/* Returns true if the option table has a key of this name for routes. Case does not matter. */
bool config_is_route_key(const char *name);

/* Returns the location where the route's handler is set. */
struct config_location config_handler_location(const struct config_route *route);

/* Returns the route's subprotocols: those configured, or weir.v1 for the handler pubsub without any. */
char **config_subprotocols(const struct config_route *route);

/* Writes an error with "source:line: " or "source: " in front of the message. Returns -1. */
int config_fail(struct config_location location, char *error, size_t error_size, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Returns true if connections have the same settings, so that a reload need not tell them. */
bool config_settings_are_same(const struct settings *a, const struct settings *b);

/* Prints the effective configuration as an ini file that would load to the same, except for secrets. Comments say
 * where values come from that are not defaults. Defaults that have no effect are left out. */
void config_print(const struct config *config, FILE *out);

/* Prints every option: section, name, type with its bounds, default, help. */
void config_list(FILE *out);

/* --- What a reload changes --- */

struct config_change {
    const char *section; /* "server", "channel news:*", "route /echo" */
    const char *name;
    const char *before, *after; /* as written in the file; NULL: the section, or a plug-in's key, does not exist */
    bool restart;               /* it takes effect at the next start of the server */
};

/* Calls `report` for each value that differs, in the order of the option table. A section that only one of the two
 * has is reported once: a channel rule by its pattern, a route by its handler. A token is shown as "(not shown)";
 * it has also changed if the content of its file has. */
void config_compare(const struct config *before, const struct config *after,
                    void (*report)(void *context, const struct config_change *change), void *context);

#endif
