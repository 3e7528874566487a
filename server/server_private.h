/* server_private.h - a server's internals, for server.c, configure.c, run.c, start.c, reload.c, logging.c,
 * starved.c and stop.c.
 *
 * They belong to the thread that configures and runs the server, except atomics, the reload requests, and what
 * `core` allows to others. Other threads only read the rest, while the server runs.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_SERVER_SERVER_PRIVATE_H
#define WEIR_SERVER_SERVER_PRIVATE_H

#include <stdatomic.h>
#include <stdbool.h>

#include <weir/server.h>

#include "server/admin/admin.h"
#include "server/channels/channels.h"
#include "server/config/config.h"
#include "server/core/core.h"
#include "server/public_listener.h"
#include "server/routes.h"

/* Settings that have been in force. They are kept until the run is freed, and used again if they come back. */
struct kept_settings {
    struct settings settings;
    struct kept_settings *next;
};

/* Where threads wait for the result of a reload that they have asked for. */
struct reload_requests {
    struct mutex mutex; /* guards all below */
    pthread_cond_t answered;
    uint64_t wanted, finished;    /* generations of the last request and of the last one answered */
    bool done;                    /* whether the last reload succeeded */
    bool closed;                  /* the server is stopping: there will be no more reloads */
    char text[CONFIG_ERROR_SIZE]; /* result of the last reload, for people */
};

/* The state of a run, except its routes. Its memory stays until the routes, the connections' handles and the timers
 * have all been released, because any call on a handle may use it. */
struct run {
    struct core core; /* the first member: the last reference on it frees the run */
    struct channels channels;
    struct kept_settings *settings;
};

struct configure_step;

struct weir_server {
    struct config *config;                /* the one that the server starts with */
    const struct config_sources *sources; /* of `config`, before `steps`; NULL: there are none */
    struct config_sources own_sources;    /* what weir_server_configure() was given */
    struct configure_step *steps;         /* calls of weir_server_load() and weir_server_set(), for a reload */
    size_t step_count;
    struct routes routes;
    int wake_event; /* an eventfd, written to when stop_wanted or reload_wanted is set */
    _Atomic bool stop_wanted, reload_wanted;
    char error[CONFIG_ERROR_SIZE];
    weir_ready_callback *ready; /* NULL: not set */
    void *ready_context;
    struct weir_addresses addresses; /* see bound.c */
    bool started;                    /* by weir_server_start(), and not waited for yet */

    /* Made by weir_server_run(), and kept until the next run or weir_server_destroy(). */
    struct run *run;           /* holds a reference; NULL before the first run */
    _Atomic bool running;      /* the pool may be used */
    struct route_table *table; /* the one in force; `dispatch` holds its reference */
    struct dispatch dispatch;
    struct http_server *public_listener;
    struct admin *admin; /* NULL if there is no admin listener */
    struct reload_requests reloads;
};

/* Returns the configuration in force. */
static inline const struct config *server_config(const weir_server *server) {
    return server->table->config;
}

/* --- run.c --- */

/* Creates a run without its threads. Returns 0, or -1 with server->error set if memory is out. Release it with
 * server_release_run() in both cases. */
int server_begin_run(weir_server *server, unsigned max_connections);

/* Releases the last run, if there is one. Its memory stays as long as handles or timers refer to it. */
void server_release_run(weir_server *server);

/* --- configure.c --- */

/* Replaces the configuration with one built from `sources`, which must outlive the server. Returns 0, or -1 with
 * server->error set. Unless `errors` is NULL, errors are reported there and -1 means only that memory is out. */
int server_configure(weir_server *server, const struct config_sources *sources, struct config_errors *errors);

/* Builds and checks the configuration again from where the server's came from. Returns it, for the caller to free,
 * or NULL with one line in `error`. */
struct config *server_configuration(const weir_server *server, char *error, size_t error_size);

/* Frees the recorded calls of weir_server_load() and weir_server_set(). */
void server_forget_steps(weir_server *server);

/* --- server.c --- */

/* Checks what the configuration alone cannot: whether two patterns match the same paths, and whether plug-ins load
 * and declare the options that are set. Returns 0, or -1 with server->error set. If server->config->errors is set,
 * errors are reported there. */
int server_check(weir_server *server);

/* --- bound.c --- */

/* Notes what the listeners are bound to, in server->addresses. Returns 0, or -1 with server->error set if memory is
 * out. */
int server_note_addresses(weir_server *server);

/* Empties server->addresses. */
void server_forget_addresses(weir_server *server);

/* --- start.c --- */

/* Starts every part of the server. Returns 0; or, with server->error set, -1 if a part could not start and the
 * others have stopped again, or 1 if a handler of a client that had connected meanwhile did not return. */
int server_start(weir_server *server);

/* Divides the process's descriptors for `max_connections` (descriptors.h). Returns 0, or -1 with one line in
 * `error`. */
struct descriptor_plan;
int server_plan_descriptors(const weir_server *server, unsigned max_connections, struct descriptor_plan *plan,
                            char *error, size_t error_size);

/* --- reload.c --- */

/* Returns the settings of a configuration, which the run owns; NULL if memory is out. */
const struct settings *server_settings(weir_server *server, const struct config *config);

/* Puts a table in force, with its configuration's limits, log levels and channel rules. */
void server_apply(weir_server *server, struct route_table *table, const struct settings *settings,
                  unsigned max_connections);

/* Reads the configuration again. If it has an error, nothing changes. Logs the result. */
void server_reload(weir_server *server);

/* false, in a stop: ends the waiting for reloads, and refuses new ones. true, at the start of a run: allows them.
 */
void server_set_reloadable(weir_server *server, bool reloadable);

/* Asks for a reload and waits for its result, up to 10 s. For any thread but the one that runs the server; see
 * admin_options.reload. `context` is the server. */
int server_reload_from_outside(void *context, char *text, size_t text_size);

/* --- logging.c --- */

/* Starts the log as configured; log_stop() ends it. Returns 0, or -1 with server->error set. */
int server_start_log(weir_server *server);

/* Sets the level of every log subsystem. May be called at any time. */
void server_set_log_levels(const struct config *config);

/* --- stop.c --- */

/* Closes every connection and stops the pool, within drain_timeout. Returns false, with server->error set, if a
 * handler or a client is left. */
bool server_drain(weir_server *server);

/* Logs the last line of a clean stop: the number of handled messages, and the other counters that are not 0. */
void server_log_stopped(const weir_server *server);

/* --- starved.c --- */

/* Logs that messages have waited `waited_ms` milliseconds for a permit, and which routes hold the permits.
 * `context` is the server. Any thread. */
void server_warn_starved(void *context, uint64_t waited_ms);

#endif
