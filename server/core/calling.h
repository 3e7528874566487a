/* calling.h - which callback this thread is in, for the line that a crash leaves (crash.h).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CORE_CALLING_H
#define WEIR_CORE_CALLING_H

struct weir_conn;

/* All zero: in none. Each thread has its own, and only that thread uses it. */
struct calling {
    const char *callback;   /* "message", "upgrade", ... */
    struct weir_conn *conn; /* NULL: the callback is not about a connection */
    const char *pattern;    /* of the route, if there is no connection but a route; else NULL */
    const char *handler;    /* of that route, as configured; NULL: the program's own */
};

extern _Thread_local struct calling calling;

#endif
