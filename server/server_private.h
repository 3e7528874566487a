/* server_private.h - the inside of a server, for server.c, configure.c, run.c, start.c, reload.c, logging.c and
 * stop.c.
 *
 * All of it belongs to the thread that configures and runs the server, save what `core` says otherwise; the other
 * threads only read it while they run.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_SERVER_SERVER_PRIVATE_H
#define WEIR_SERVER_SERVER_PRIVATE_H

#include <stdatomic.h>
#include <stdbool.h>

#include <weir/server.h>

#include "server/channels/channels.h"
#include "server/config/config.h"
#include "server/core/core.h"
#include "server/http/admin.h"
#include "server/http/front.h"
#include "server/routes.h"

/* Terms that have been in force; each is kept to the end, and used again when it comes back. */
struct kept_terms {
    struct terms terms;
    struct kept_terms *next;
};

/* Where those wait who want to know what came of a reload. */
struct reload_desk {
    struct mutex mutex; /* guards all below */
    pthread_cond_t answered;
    uint64_t wanted, finished; /* tickets */
    bool done;                 /* of the last one */
    bool closed;               /* there will be no more */
    char text[CONFIG_ERROR_SIZE];
};

/* What a run has made, besides its routes. Its memory stays until they, their connections' handles and the timers
 * have all been given back: any call on a handle may touch it. */
struct run {
    struct core core; /* the first member: its last reference frees all this */
    struct channels channels;
    struct kept_terms *terms;
};

struct configure_step;

struct weir_server {
    struct config *config;                /* of the start */
    const struct config_sources *sources; /* where it came from; NULL: from the two functions that load and set */
    struct configure_step *steps;         /* then: their calls */
    size_t step_count;
    struct routes routes;
    int wake_event; /* an eventfd: one of the two that follow has been set */
    _Atomic bool stop_wanted, reload_wanted;
    char error[CONFIG_ERROR_SIZE];

    /* Made by weir_server_run(), kept until the next one or the end. */
    struct run *run;           /* NULL: there was none; with a reference */
    _Atomic bool running;      /* the pool may be used */
    struct route_table *table; /* in force; `service` has the reference */
    struct service service;
    struct front *front;
    struct admin *admin; /* NULL: none */
    struct reload_desk desk;
};

/* What is in force. */
static inline const struct config *server_config(const weir_server *server) {
    return server->table->config;
}

/* --- run.c --- */

/* All of it but its threads. -1 with server->error set if memory is out; that too can be released. */
int server_begin_run(weir_server *server, unsigned max_connections);

/* Gives up what the last run has left, if there is one. Handles and timers keep their part of it. */
void server_release_run(weir_server *server);

/* --- configure.c --- */

/* Configures the server anew, from all sources, which have to outlive it. 0, or -1 with server->error set. With
 * `errors`, which may be NULL, each error is told there, and only a lack of memory is one of this call. */
int server_configure(weir_server *server, const struct config_sources *sources, struct config_errors *errors);

/* What they say now, checked. NULL with one line in `error`. */
struct config *server_configuration(const weir_server *server, char *error, size_t error_size);
void server_forget_steps(weir_server *server);

/* --- server.c --- */

/* What the configuration alone cannot tell: whether patterns tie, and whether plug-ins load and know their options.
 * 0, or -1 with server->error set; errors are told to server->config->errors if that is set. */
int server_check(weir_server *server);

/* --- start.c: every part. 0; or, with server->error set, -1 with everything stopped again, or 1: a handler of a
 * client that has come meanwhile was left behind --- */
int server_start(weir_server *server);

/* What descriptors the process can have for so many connections. 0, or -1 with one line in `error`. */
struct descriptor_plan;
int server_plan_descriptors(const weir_server *server, unsigned max_connections, struct descriptor_plan *plan,
                            char *error, size_t error_size);

/* --- reload.c --- */

/* The terms of a configuration; NULL if memory is out. */
const struct terms *server_terms(weir_server *server, const struct config *config);

/* Puts a table in force, with the limits of its configuration. */
void server_apply(weir_server *server, struct route_table *table, const struct terms *terms,
                  unsigned max_connections);

/* Reads the configuration again. If anything in it is wrong, nothing changes. Logs what came of it. */
void server_reload(weir_server *server);

/* In a stop: nobody waits for a reload any more. */
void server_set_reloadable(weir_server *server, bool reloadable);

/* On any other thread: asks for that and waits. See admin_options.reload; `context` is the server. */
int server_reload_from_outside(void *context, char *text, size_t text_size);

/* --- logging.c: the log as configured; log_stop() ends it. 0, or -1 with server->error set --- */
int server_start_log(weir_server *server);
void server_set_log_levels(const struct config *config); /* at any time */

/* --- stop.c: closes every connection. Returns false if a handler was left behind. --- */
bool server_drain(weir_server *server);

/* The last line of a clean stop: how many messages were handled, and of the other counters those that are not 0. */
void server_log_stopped(const weir_server *server);

/* Warns that messages have waited so long for a slot, and says which routes hold these. `context` is the server;
 * any thread. */
void server_warn_starved(void *context, uint64_t waited_ms);

#endif
