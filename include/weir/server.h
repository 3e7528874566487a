/* server.h - a server inside your own program (link with libweir.a), and what handlers need of it.
 *
 *     weir_server *server = weir_server_create();
 *     weir_server_set(server, "server", "listen", "127.0.0.1:9000");
 *     weir_server_route(server, "/echo", &my_handler, NULL, NULL);
 *     int status = weir_server_run(server);
 *     weir_server_destroy(server);
 *
 * Any thread may call these functions, unless a function says otherwise. The thread that configures a server also
 * runs it. It serves on threads of its own; the thread in weir_server_run() or weir_server_wait() carries out
 * reloads and the stop.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_SERVER_H
#define WEIR_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/handler.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct weir_server weir_server;
typedef struct weir_timer weir_timer;

/* Returns a new server with the default configuration and no routes, or NULL if memory or descriptors are out. Free
 * it with weir_server_destroy(). */
WEIR_API weir_server *weir_server_create(void);

/* --- Before the start, on the thread that will start the server ------------------------------------------ */

/* Reads an ini file; conf/weir.ini describes every key. Relative paths in the file are relative to its folder.
 * Several files may be read: their routes add up, and a later value replaces an earlier one. Returns 0, or -1 with
 * the reason in weir_server_error(). After -1 no route of the file was added, but options may have been set. */
WEIR_API int weir_server_load(weir_server *server, const char *path);

/* Configures the server as `weir serve` does: from an ini file, then from environment variables, then from
 * settings, the last of which win. `file` may be NULL; `environment` (like environ) and `settings`
 * (SECTION.KEY=VALUE, as after
 * --set) are NULL-terminated, or NULL. Replaces what earlier calls of weir_server_load() and weir_server_set() have
 * set. All strings must stay valid as long as the server, because a reload reads them again. Returns 0, or -1 with
 * the reason in weir_server_error(); then nothing has changed. */
WEIR_API int weir_server_configure(weir_server *server, const char *file, const char *const *environment,
                                   const char *const *settings);

/* Sets one option, as a line `key = value` of the ini file would, with the same errors. All strings are copied.
 * `section` is the text between the brackets of the file: "server", "websocket", "channel news:*", "route /echo". A
 * section with a pattern is added if it does not exist yet. A route section without the key "handler" sets options
 * of a route that weir_server_route() serves, whether that call comes before or after. Returns 0, or -1 with the
 * reason in weir_server_error(). */
WEIR_API int weir_server_set(weir_server *server, const char *section, const char *key, const char *value);

enum weir_compression {
    WEIR_COMPRESSION_INHERIT, /* as [websocket] compression says */
    WEIR_COMPRESSION_OFF,
    WEIR_COMPRESSION_ON,      /* permessage-deflate (RFC 7692), each message by itself */
    WEIR_COMPRESSION_TAKEOVER /* with context takeover */
};

/* What happens to a client beyond send_buffer_hard. */
enum weir_slow_consumer {
    WEIR_SLOW_CONSUMER_INHERIT, /* as [websocket] slow_consumer says */
    WEIR_SLOW_CONSUMER_DISCONNECT,
    WEIR_SLOW_CONSUMER_DROP_OLDEST,
    WEIR_SLOW_CONSUMER_DROP_NEWEST
};

/* Begins the initializer of every weir_route_options: {WEIR_ROUTE_OPTIONS_INIT, .concurrency = 4}. */
#define WEIR_ROUTE_OPTIONS_INIT .size = sizeof(struct weir_route_options)

/* The options of a route, as in its section of the ini file (conf/weir.ini). Members that are 0 or NULL stand for
 * the default. Later versions add members at the end. The pointers must be valid during weir_server_route() only.
 */
struct weir_route_options {
    size_t size;                     /* set by WEIR_ROUTE_OPTIONS_INIT */
    const char *const *origins;      /* pages that may connect (RFC 6455, 10.2); NULL-terminated */
    const char *const *subprotocols; /* that the route speaks, most preferred first; NULL-terminated */
    bool require_subprotocol;        /* a client that offers none of them gets HTTP 400 */
    unsigned concurrency;            /* handlers of this route at the same time; 0: as many as there are workers */
    enum weir_compression compression;
    enum weir_slow_consumer slow_consumer;
};

/* Serves the paths that match `pattern` with `handler`, and passes `context` to each callback. Pattern, handler and
 * options are copied; `options` may be NULL. Later calls of weir_server_set() may change the options. Returns 0, or
 * -1 with the reason in weir_server_error(): the pattern is malformed, or matches the same paths as an existing
 * route; the handler or an option is not valid; out of memory. */
WEIR_API int weir_server_route(weir_server *server, const char *pattern, const struct weir_handler *handler,
                               void *context, const struct weir_route_options *options);

/* The addresses that a running server listens on: "127.0.0.1:9000", "[::1]:9000", in the order of the
 * configuration, with the port that a configured port of 0 has become. Both lists are NULL-terminated. */
struct weir_addresses {
    const char *const *listen; /* [server] listen, for clients */
    const char *const *admin;  /* [admin] listen */
};

/* Called when the server listens, on the thread that starts it. */
typedef void weir_ready_callback(weir_server *server, const struct weir_addresses *addresses, void *context);

/* Sets a callback for when the server is ready, once for each start. NULL removes it. */
WEIR_API void weir_server_on_ready(weir_server *server, weir_ready_callback *ready, void *context);

/* Starts the server, and returns when it listens; it then serves clients on threads of its own. The thread that has
 * called this must call weir_server_wait() next. Until then, a stop or reload that is asked for does not begin. The
 * server's threads block the program's signals, and leave its SIGPIPE action unchanged. Returns 0, or with the
 * reason in weir_server_error():
 *  - -1 if the server could not start; everything that had started has stopped again;
 *  - 1 if, besides, the handler of a client that had connected meanwhile did not return: see weir_server_wait(). */
WEIR_API int weir_server_start(weir_server *server);

/* Waits until weir_server_stop() is called, then closes every connection with 1001. Reloads take place in this
 * call. A server whose run has returned 0 or -1 may be started again. Returns:
 *  - 0 after a clean stop;
 *  - -1 if the server has not been started;
 *  - 1 if a handler did not return within drain_timeout. It is still running, so nothing was freed, and the program
 *    can only end with _exit().
 * weir_server_error() has the reason for -1 and 1. */
WEIR_API int weir_server_wait(weir_server *server);

/* Starts the server and waits: weir_server_start(), then weir_server_wait(). Returns what they return. */
WEIR_API int weir_server_run(weir_server *server);

/* Returns the addresses that the server listens on; both lists are empty before its first start. They are valid
 * until the next start or weir_server_destroy(). Call this on the thread that configures and runs the server. */
WEIR_API const struct weir_addresses *weir_server_addresses(const weir_server *server);

/* Asks the server to stop, and returns at once: weir_server_wait() then stops it. May be called more than once. If
 * the server does not run yet, its next run stops as soon as it has started. Safe in a signal handler. */
WEIR_API void weir_server_stop(weir_server *server);

/* Asks the server to read its configuration again, and returns at once. Routes, limits, origins and the log's
 * levels then apply to new connections and, where that makes sense, to existing ones; no connection is closed. If
 * the configuration has an error, nothing changes and the log says why. Calls of weir_server_load() and
 * weir_server_set() are repeated in their order. Safe in a signal handler. */
WEIR_API void weir_server_reload(weir_server *server);

/* Returns the last error in one line, without a newline, or "" if there was none. The string belongs to the server
 * and is valid until the next call that fails. Call this on the thread that configures and runs the server. */
WEIR_API const char *weir_server_error(const weir_server *server);

/* Frees a server that is not running. NULL is allowed. Not allowed after weir_server_run() has returned 1. Calls of
 * other threads that take the server itself must have returned. Retained connections and timers stay valid until
 * they are released, and other threads may use them meanwhile; only the result of weir_conn_server() is then
 * invalid. */
WEIR_API void weir_server_destroy(weir_server *server);

/* --- The log of the process, shared by all its servers --------------------------------------------------- */

/* Called for each line of the log: `size` bytes without a newline, and without a terminator. The line is valid
 * until the callback returns. */
typedef void weir_log_callback(const char *line, size_t size, void *context);

/* Passes the lines of the log to a callback, instead of to [log] file; NULL: to the file again. `level` and
 * `format` of [log] still apply. The log's own thread calls it while a server runs. Before and after, each thread
 * calls it that logs, perhaps several at a time. It must not call functions of weir, and should return soon: lines
 * beyond [log] buffer are dropped. Has no effect while a server runs. */
WEIR_API void weir_log_to(weir_log_callback *callback, void *context);

/* Asks the log to open its file again, after another program has renamed it, and returns at once. Does nothing if
 * the log goes to stderr. Safe in a signal handler. */
WEIR_API void weir_log_reopen(void);

/* Waits until everything logged so far is written, 200 ms at most. Call this before _exit(). Safe in a signal
 * handler. */
WEIR_API void weir_log_flush(void);

/* Makes the process log where it crashes when SIGSEGV, SIGBUS, SIGFPE, SIGILL or SIGABRT ends it: signal, callback,
 * route, connection, backtrace. Signals that the program already handles are left alone. `weir serve` calls this.
 * Call it once, before weir_server_run(). */
WEIR_API void weir_report_crashes(void);

/* --- For handlers ---------------------------------------------------------------------------------------- */

/* Returns the server that a connection belongs to, valid until weir_server_destroy(). */
WEIR_API weir_server *weir_conn_server(const weir_conn *conn);

/* Returns the connection with this id (weir_conn_id()), to be given back with weir_conn_release(); NULL if there is
 * none, or the server is not running. It may be closing. Looks through all connections. */
WEIR_API weir_conn *weir_server_find(weir_server *server, uint64_t id);

/* Calls `visit` for each connection of the routes with this pattern, or of all routes if it is NULL, until it
 * returns false. `conn` is valid until it returns; weir_conn_retain() keeps it. `visit` runs on this thread,
 * without a lock, and may send, close and block. Connections that come or go meanwhile are visited or not. Returns
 * the number of calls; 0 if the server is not running. */
WEIR_API size_t weir_server_each(weir_server *server, const char *pattern,
                                 bool (*visit)(weir_conn *conn, void *context), void *context);

/* Sends one message of `size` bytes to every open connection of the route with this pattern, encoded once; `data`
 * is copied. Connections that a reload has left with another handler on the same pattern do not get it. Returns the
 * number of connections that accepted the message, or a negative weir_status (status.h): WEIR_INVALID if no route
 * has this pattern, or as for weir_conn_send(); WEIR_CLOSED if the server is not running; WEIR_NO_MEMORY. */
WEIR_API long weir_server_broadcast(weir_server *server, const char *pattern, enum weir_opcode opcode,
                                    const void *data, size_t size);

/* Starts a timer: `callback(arg)` is called `delay_ms` milliseconds from now or a little later. With `interval_ms`
 * above 0 it is called again every `interval_ms` after that, until weir_timer_cancel(); its calls never overlap,
 * and those that become due while one still runs are left out. With 0 it is called once. The callback holds one of
 * the `workers` permits, and may block. No call begins after the server has stopped.
 *
 * Returns a handle, to be given back with weir_timer_release(); or NULL if memory is out or the server is not
 * running. Any thread, callbacks included. */
WEIR_API weir_timer *weir_timer_start(weir_server *server, uint64_t delay_ms, uint64_t interval_ms,
                                      void (*callback)(void *arg), void *arg);

/* Cancels a timer, and keeps its handle: after this call, no call of its callback begins. If the callback is
 * running on another thread, waits until it has returned; but inside the callback of any timer it does not wait, so
 * that two timers can cancel each other. Returns true if it has prevented a call; false if none was to come,
 * because the timer has been called for the last time, is being called, or was cancelled before.
 *
 * Any thread; while the server runs, after its run, and after weir_server_destroy(). */
WEIR_API bool weir_timer_cancel(weir_timer *timer);

/* Gives back the handle, which must not be used afterwards. It does not cancel: a timer that waits is still called,
 * so a program that never cancels may release the handle at once. NULL is allowed. Any thread, also inside the
 * timer's own callback; while the server runs, after its run, and after weir_server_destroy(). */
WEIR_API void weir_timer_release(weir_timer *timer);

#ifdef __cplusplus
}
#endif

#endif
