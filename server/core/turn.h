/* turn.h - what this thread is doing at the moment: the callback that it is in, the message that the callback was
 * given, and the replies that it holds back until the turn ends. Each thread has its own, which no other thread
 * uses.
 *
 * What the turn submits to the pool is deferred by the pool itself (pool_defer()).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CORE_TURN_H
#define WEIR_CORE_TURN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/handler.h>

#include "base/utf8.h"
#include "server/core/payload.h"

struct weir_conn;
struct message;
struct cork;

/* For the log line that a crash leaves (crash.h), too. All zero: the thread is in no callback. */
struct callback {
    const char *name;       /* "message", "upgrade", ... */
    struct weir_conn *conn; /* NULL: the callback does not concern a connection */
    const char *pattern;    /* of the route, if the callback concerns a route without a connection; otherwise
                               NULL */
    const char *handler;    /* of that route, as configured; NULL: one that the program registered itself */
    bool is_timer;          /* a thread in a timer's callback never waits for another timer, which may be waiting
                               for it */
};

/* All zero: the thread is in no turn. */
struct turn {
    struct callback callback;

    /* The current message: the one that the callback was given. A handler that sends it on has it neither checked
     * nor, if it lies in a buffer, copied again. NULL: there is none. */
    struct payload *message;

    /* The current message as one to send, once a handler has sent it in its buffer, which then belongs to it. The
     * reference here keeps the buffer until the callback returns. */
    struct message *wrapped;

    struct cork *cork; /* see conn_cork.c; NULL: replies are not held back */
};

extern _Thread_local struct turn turn;

static inline bool turn_is_current(const void *data, size_t size) {
    return turn.message != NULL && data == turn.message->data && size == turn.message->size;
}

/* Whether a message may be sent: a known opcode, and text that is UTF-8 (RFC 6455, 5.6). Text that was received
 * has been checked, so an echo is not checked again. */
static inline bool conn_message_is_valid(enum weir_opcode opcode, const void *data, size_t size) {
    if (opcode == WEIR_TEXT)
        return (turn_is_current(data, size) && turn.message->opcode == WEIR_TEXT) || utf8_valid(data, size);
    return opcode == WEIR_BINARY;
}

#endif
