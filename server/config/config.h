/* config.h - what the ini files, the environment and the command line say, checked: one struct, filled from the
 * option table (options.c), that remembers where each value comes from.
 *
 * A later source wins: the defaults, the file and what it includes, the environment, the command line. Within the
 * files it is what is read later, and a file is read where its `include` stands, so before the lines of the file
 * that includes it.
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

enum {
    CONFIG_ERROR_SIZE = 512,
    CONFIG_ROUTES_MAX = 4096,
    CONFIG_CHANNEL_RULES_MAX = 4096,
    CONFIG_INCLUDE_DEPTH = 8
};

/* Where a value comes from. All zero: it is the default. */
struct config_place {
    const char *source; /* "conf/weir.ini", "WEIR_SERVER_WORKERS", "--set server.workers"; the configuration's */
    unsigned line;      /* of a file; 0 for other sources */
    bool refused;       /* what was given there is wrong: the option has the value that it had before */
};

/* Who wants to be told of every error, not of the first alone. */
struct config_errors {
    void (*tell)(void *context, const char *error); /* one line, "source:line: what is wrong" */
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
    unsigned wake_after;
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
    enum config_log_level level_server, level_http, level_conn, level_access;
    enum config_log_format format;
    char *file; /* absolute; NULL: stderr */
    size_t buffer;
};

/* [admin] */
struct config_admin {
    char **listen; /* as the server's; "none" alone */
    unsigned http_threads;
    char *token;      /* NULL: none; likewise the two below */
    char *token_file; /* absolute */
    char *secret;     /* the token, wherever it stands; config_check() gets it */
};

/* [channels] */
struct config_channels {
    unsigned max_channels;
    unsigned max_channels_per_connection;
    size_t history_memory;
};

/* [channel PATTERN] */
struct config_channel {
    char *pattern;           /* see channel_pattern_matches(), and _precedes() for which of several counts */
    unsigned history;        /* messages */
    uint64_t history_age_ms; /* 0: no limit */
    uint64_t position_ttl_ms;
    unsigned max_subscribers; /* 0: no limit */
    bool subscribe, publish;  /* whether clients may */
    bool presence;
    bool announce;
    bool publisher;
    struct config_place place;   /* of [channel PATTERN] */
    struct config_place *places; /* of its options; the index is that of the option table */
};

/* A key of a route that no option knows: meant for its plug-in. */
struct config_extra {
    char *name;
    char *value;
    char *content; /* of the file that the value names, where it is that of a secret; else NULL */
    bool secret;   /* the value is not to be shown */
    struct config_place place;
};

/* [route PATTERN] */
struct config_route {
    char *pattern;
    char *handler; /* NULL: the program's; "echo", "broadcast", "channel", "channels", "plugin:PATH", the path
                      absolute */
    unsigned concurrency; /* handlers at once; 0: as many as there are workers */
    bool echo_self;
    char *channel;       /* of handler channel: a template, see channel_template_next(); NULL for all others */
    bool publish;        /* of channel and channels: whether clients may */
    char **channels;     /* of channels: the patterns of those that clients may use, NULL-terminated */
    char **subprotocols; /* in the order of preference, NULL-terminated; "none" alone */
    bool require_subprotocol;
    char **origins; /* as the server's; "inherit" alone */
    enum compression compression;
    enum slow_consumer slow_consumer;
    struct config_place place;   /* of [route PATTERN] */
    struct config_place *places; /* of its options; the index is that of the option table */
    struct config_extra *extras;
    size_t extra_count;
};

struct config {
    char *path;                   /* of the file that was loaded last, absolute; NULL if there is none */
    struct config_errors *errors; /* NULL: reading and checking end with the first error */
    struct config_server server;
    struct config_websocket websocket;
    struct config_log log;
    struct config_admin admin;
    struct config_channels channels;
    struct config_channel *channel_rules; /* in the order of the files */
    size_t channel_rule_count;
    struct config_route *routes;
    size_t route_count;
    struct config_place *places; /* of the options above; the index is that of the option table */
    char **sources;              /* the names that the places have */
    size_t source_count;
};

/* What a configuration is built from, and built anew at a reload. */
struct config_sources {
    const char *path;         /* of the ini file; NULL: none */
    char *const *environment; /* like environ; NULL: none */
    char *const *settings;    /* SECTION.KEY=VALUE each, as after --set; the section may have a PATTERN */
    size_t setting_count;
};

/* The defaults, no routes and no rules for channels. NULL if memory is out. */
struct config *config_create(void);
void config_destroy(struct config *config); /* NULL is allowed */

/* All the sources, checked by config_check() too. NULL with one line in `error` that says where and what is wrong,
 * and what would be right. Variables of the environment count if their names begin with WEIR_ and a section.
 */
struct config *config_build(const struct config_sources *sources, char *error, size_t error_size);

/* The same, but each error is told, and what is right is returned all the same; NULL if memory is out. `errors` has
 * to outlive the configuration. */
struct config *config_build_all(const struct config_sources *sources, struct config_errors *errors);

/* After an error: 0 to go on, if all are wanted, having told of this one; else -1. */
int config_go_on(const struct config *config, const char *error);

/* Reads a file, and those that it includes, over what is there and adds their routes and rules for channels.
 * Returns 0; or -1 with one line in `error` that begins with "path:line: " of the file it is about, or "path: " if
 * that cannot be read at all. Then none of them has been added, but options may have been set. */
int config_load(struct config *config, const char *path, char *error, size_t error_size);

/* Sets one option as a line of the file would, below a header like "server", "channel news:*" or "route /x", which
 * is added if it is not there. A route that is added so may be left without a handler: then it has the options of
 * one that the program serves. */
int config_set(struct config *config, const char *section, const char *key, const char *value, char *error,
               size_t error_size);

/* What a single value cannot tell: send_buffer_hard >= send_buffer_soft + max_message_size + 1 MiB; routes with all
 * their keys; the token, which it reads again from token_file. */
int config_check(struct config *config, char *error, size_t error_size);

/* Whether a value comes from the environment. */
bool config_is_variable(struct config_place place);

/* Begins at the folder of the place's file, or at the working directory. Freed by the caller; NULL if memory is
 * out.
 */
char *config_absolute_path(struct config_place place, const char *path);

/* Whether it is the name of a route's own key, whatever the case of its letters. */
bool config_is_route_key(const char *name);

/* Where the route's handler is set. */
struct config_place config_handler_place(const struct config_route *route);

/* What the route speaks, which is weir.v1 for handler channels without any of its own; "none" alone. */
char **config_subprotocols(const struct config_route *route);

/* Writes "source:line: ", or "source: ", in front of the message. Returns -1. */
int config_fail(struct config_place place, char *error, size_t error_size, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The effective configuration as an ini file that would load again to the same, save the token; comments say where
 * the values come from that are not defaults. Defaults that have no effect here are left out. */
void config_print(const struct config *config, FILE *out);

/* Every option: section, name, type with its bounds, default, help. */
void config_list(FILE *out);

/* --- What a reload changes --- */

struct config_change {
    const char *section; /* "server", "channel news:*", "route /echo" */
    const char *name;
    const char *before, *after; /* as the file would have it; NULL: the section, or a plug-in's key, is not there */
    bool restart;               /* it takes effect when the server starts again */
};

/* Calls back for each value that differs, in the order of the option table; a section that only one of them has is
 * reported by its pattern, a route's by its handler, alone. A token is "(not shown)", and has changed too if its
 * file's content has. */
void config_compare(const struct config *before, const struct config *after,
                    void (*report)(void *context, const struct config_change *change), void *context);

#endif
