/* server.h - a server inside a program of one's own (link with libweir.a), and what handlers ask of it.
 *
 *     weir_server *server = weir_server_create();
 *     weir_server_set(server, "server", "listen", "127.0.0.1:9000");
 *     weir_server_route(server, "/echo", &my_handler, NULL);
 *     int status = weir_server_run(server);
 *     weir_server_destroy(server);
 *
 * Every function may be called from any thread unless it says otherwise.
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
#pragma GCC visibility push(default)

typedef struct weir_server weir_server;
typedef struct weir_timer weir_timer;

/* A server with the default configuration and no route; NULL if memory is out. */
weir_server *weir_server_create(void);

/* Before weir_server_run(), by the thread that will call it: */

/* Reads an ini file (every key is described in conf/weir.ini). Relative paths in it begin at its folder. Returns 0,
 * or -1 with the reason to be had from weir_server_error(). */
int weir_server_load(weir_server *server, const char *path);

/* Sets one option as a line of the ini file would, with the same errors. `section` is what stands between the
 * brackets there: "server", "websocket", "channel news:*", "route /echo". A section with a pattern is added if it
 * is not there. A route that is added so and gets no "handler" is one that weir_server_route() serves, before or
 * after: this sets its origins, subprotocols, concurrency, compression, slow_consumer. 0 or -1 with
 * weir_server_error(). */
int weir_server_set(weir_server *server, const char *section, const char *key, const char *value);

/* Serves `pattern` with `handler`, which must stay valid as long as the server and each handle of a connection,
 * with `context` handed to each callback. Returns 0; or -1 with weir_server_error(): the pattern is malformed, or
 * it matches the same paths as one that is there. */
int weir_server_route(weir_server *server, const char *pattern, const struct weir_handler *handler, void *context);

/* Serves until weir_server_stop() and then closes every connection with 1001. The program's signals stay its own:
 * they are blocked in the server's threads, and what SIGPIPE does is left as it was. Returns 0 after a clean stop;
 * -1 if it could not start, with everything closed and ended again; 1 if a handler outlasted drain_timeout: it is
 * still running, so nothing was freed, and all that is left is to leave the process with _exit().
 * weir_server_error() says more. */
int weir_server_run(weir_server *server);

/* Asks weir_server_run() to return, soon. Safe in a signal handler, and more than once. */
void weir_server_stop(weir_server *server);

/* Asks the server to read its configuration again, soon: routes, limits, origins and the log's level are then those
 * of the file, for new connections and, where it makes sense, for those that are there, none of which is closed. A
 * file that is wrong changes nothing; the log says why. What was set with weir_server_set() is set again, in the
 * same order. Safe in a signal handler. */
void weir_server_reload(weir_server *server);

/* The last error in one line, without a newline; "" if there was none. Valid until the next call that fails. */
const char *weir_server_error(const weir_server *server);

/* Frees a server that is not running. NULL is allowed. Not after weir_server_run() left a handler behind. Other
 * threads may be in any call on a retained connection or on a timer meanwhile: these handles stay valid until they
 * are given back, before or after. What takes the server itself must have returned, and what weir_conn_server()
 * returns is of no use any more. */
void weir_server_destroy(weir_server *server);

/* --- The log, of which a process has one: where weir_server_run() writes what happens ------------------ */

/* Opens the log file anew, soon, after another program has renamed it; nothing happens if the log goes to stderr.
 * Safe in a signal handler. */
void weir_log_reopen(void);

/* Waits until what has been logged is written, for 200 ms at most: before _exit(). Safe in a signal handler. */
void weir_log_flush(void);

/* From now on, when the process dies of SIGSEGV, SIGBUS, SIGFPE, SIGILL or SIGABRT, the log says before where:
 * signal, callback, route, connection, backtrace. A signal that the program has caught already stays the program's.
 * `weir serve` does this. Once, before weir_server_run(). */
void weir_report_crashes(void);

/* --- For handlers ---------------------------------------------------------------------------------------- */

/* The server that a connection belongs to. */
weir_server *weir_conn_server(const weir_conn *conn);

/* Sends one message to every open connection of the route with this pattern (not to those that a reload has left on
 * a route of that pattern with another handler), encoded once. Returns the number of connections that accepted it,
 * or a negative weir_result (WEIR_INVALID: no such route, or as for weir_send(); WEIR_GONE: the server does not
 * serve). */
long weir_server_broadcast(weir_server *server, const char *pattern, enum weir_opcode opcode, const void *data,
                           size_t size);

/* Calls `callback(arg)` once, `delay_ms` milliseconds from now or a little later, in a handler slot: it may
 * block. Returns a handle that must be given to weir_timer_cancel() exactly once, before or after the call; NULL if
 * memory is out or the server is not running. A server that has stopped calls no timer any more. */
weir_timer *weir_after(weir_server *server, uint64_t delay_ms, void (*callback)(void *arg), void *arg);

/* Gives the handle back, in this run of the server, in a later one or after its end. Returns true if the callback
 * has not begun and now never will; false if it has begun. Then it has ended when this returns, unless this is
 * called in the callback of a timer, its own or another: there nothing is waited for, so that two may cancel each
 * other. */
bool weir_timer_cancel(weir_timer *timer);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
