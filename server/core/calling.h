/* calling.h - which callback this thread is in, for the log line that a crash leaves (crash.h).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CORE_CALLING_H
#define WEIR_CORE_CALLING_H

struct weir_conn;

/* All zero: this thread is in no callback. Each thread has its own, which no other thread uses. */
struct calling {
    const char *callback;   /* "message", "upgrade", ... */
    struct weir_conn *conn; /* NULL: the callback does not concern a connection */
    const char *pattern;    /* of the route, if the callback concerns a route without a connection; otherwise
                               NULL */
    const char *handler;    /* of that route, as configured; NULL: one that the program registered itself */
};

extern _Thread_local struct calling calling;

#endif
