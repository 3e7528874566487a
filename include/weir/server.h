/* server.h - a server inside your own program (link with libweir.a), and what handlers need of it.
 *
 *     weir_server *server = weir_server_create();
 *     weir_server_set(server, "server", "listen", "127.0.0.1:9000");
 *     weir_server_route(server, "/echo", &my_handler, NULL);
 *     int status = weir_server_run(server);
 *     weir_server_destroy(server);
 *
 * Any thread may call these functions, unless a function says otherwise. The thread that configures a server also
 * calls weir_server_run(), which serves on that thread and on threads of its own.
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

/* --- Before weir_server_run(), on the thread that will call it ------------------------------------------- */

/* Reads an ini file; conf/weir.ini describes every key. Relative paths in the file are relative to its folder.
 * Several files may be read: their routes add up, and a later value replaces an earlier one. Returns 0, or -1 with
 * the reason in weir_server_error(). After -1 no route of the file was added, but options may have been set. */
WEIR_API int weir_server_load(weir_server *server, const char *path);

/* Sets one option, as a line `key = value` of the ini file would, with the same errors. All strings are copied.
 * `section` is the text between the brackets of the file: "server", "websocket", "channel news:*", "route /echo". A
 * section with a pattern is added if it does not exist yet. A route section without the key "handler" belongs to a
 * route that weir_server_route() serves, whether that call comes before or after. It sets that route's origins,
 * subprotocols, concurrency, compression and slow_consumer. Returns 0, or -1 with the reason in
 * weir_server_error(). */
WEIR_API int weir_server_set(weir_server *server, const char *section, const char *key, const char *value);

/* Serves the paths that match `pattern` with `handler`, and passes `context` to each callback. `pattern` is copied.
 * `handler` must stay valid as long as the server and as long as any handle of a connection. Returns 0, or -1 with
 * the reason in weir_server_error(): the pattern is malformed, or matches the same paths as an existing route. */
WEIR_API int weir_server_route(weir_server *server, const char *pattern, const struct weir_handler *handler,
                               void *context);

/* Serves until weir_server_stop() is called, then closes every connection with 1001. A server whose run has
 * returned 0 or -1 may run again. The server's threads block the program's signals, and leave its SIGPIPE action
 * unchanged. Returns:
 *  - 0 after a clean stop;
 *  - -1 if the server could not start; everything that had started has stopped again;
 *  - 1 if a handler did not return within drain_timeout. It is still running, so nothing was freed, and the program
 *    can only end with _exit().
 * weir_server_error() has the reason for -1 and 1. */
WEIR_API int weir_server_run(weir_server *server);

/* Asks weir_server_run() to stop, and returns at once. May be called more than once. If the server does not run
 * yet, its next run stops as soon as it has started. Safe in a signal handler. */
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
