/* handler.h - what a program that handles connections provides: a table of callbacks and a context.
 *
 * The contract of the callbacks:
 *  - Those of one connection never overlap; those of different connections do, on different threads.
 *  - `open` comes first, `close` comes once and last. Messages come in between, in the order they were sent.
 *  - `open`, `message`, `drained` and `close` may block: each holds one of the server's `workers` slots
 *    meanwhile, and nothing else waits for it. `upgrade` runs before there is a connection and may block one of
 *    the `http_threads`.
 *  - Every pointer that a callback is given belongs to the server and is valid until the callback returns.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HANDLER_H
#define WEIR_HANDLER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* A connection (conn.h) and a request that asks to become one. */
typedef struct weir_conn weir_conn;
typedef struct weir_upgrade weir_upgrade;

/* The two kinds of message, numbered as their opcodes (RFC 6455, 11.8). */
enum weir_opcode {
    WEIR_TEXT = 1,  /* valid UTF-8: the server checks what comes in, and what goes out */
    WEIR_BINARY = 2 /* any bytes */
};

enum weir_handler_flags {
    /* No callback ever blocks. They then run on whichever thread read the message and need no slot. One
     * that blocks all the same stalls the server's own work: set this only for handlers like echo. */
    WEIR_NEVER_BLOCKS = 1
};

struct weir_handler {
    /* Optional. Sees the request before the 101 and may turn it down. Return 0 to accept; anything else
     * refuses, with the answer given to weir_upgrade_refuse(), or 403 without one. */
    int (*upgrade)(weir_upgrade *upgrade, void *context);

    /* Optional. The handshake is done. The only callback in which weir_header() still finds the request's
     * headers. */
    void (*open)(weir_conn *conn, void *context);

    /* Optional. One whole message. `data` has `size` bytes and no terminator; it may be NULL when size is 0. */
    void (*message)(weir_conn *conn, enum weir_opcode opcode, const void *data, size_t size, void *context);

    /* Optional. The connection is over; nothing can be sent any more. `code` is the close code that the
     * client sent, or the one that the server sent if it closed first; 1005 if the client's Close had none,
     * 1006 if the connection was lost without a Close (RFC 6455, 7.1.5). `reason` is never NULL. */
    void (*close)(weir_conn *conn, unsigned code, const char *reason, void *context);

    unsigned flags; /* of enum weir_handler_flags */

    /* Optional. More than send_buffer_soft had been waiting for this client (weir_buffered()), and no more than
     * half of that is left: whoever has stopped sending to it may go on. */
    void (*drained)(weir_conn *conn, void *context);

    /* Optional, for handlers whose `message` is weir_channels_message() (channel.h), which calls them before it
     * does what the client asks for. Return 0 to allow it; anything else refuses, with the error not_permitted. */
    int (*subscribe)(weir_conn *conn, const char *channel, void *context);
    int (*publish)(weir_conn *conn, const char *channel, const void *json, size_t size, void *context);
};

/* --- Inside `upgrade`, on the thread that runs it ------------------------------------------------------- */

/* The request: "GET", the decoded path without its query, a path parameter or a header by name (its case
 * does not matter). NULL if there is no such parameter or header. Path and parameters are UTF-8; a header and the
 * query have the bytes that the client sent. */
const char *weir_upgrade_method(const weir_upgrade *upgrade);
const char *weir_upgrade_path(const weir_upgrade *upgrade);
const char *weir_upgrade_query(const weir_upgrade *upgrade); /* raw, without '?'; "" if there is none */
const char *weir_upgrade_param(const weir_upgrade *upgrade, const char *name);
const char *weir_upgrade_header(const weir_upgrade *upgrade, const char *name);
const char *weir_upgrade_subprotocol(const weir_upgrade *upgrade); /* selected; NULL if none was */
const char *weir_upgrade_peer(const weir_upgrade *upgrade);        /* "192.0.2.7:50124", "[2001:db8::1]:50124" */

/* Names the user whom the connection then belongs to: see weir_user(). `name` is copied: 1 to 255 bytes of UTF-8
 * without control characters, because other clients, the log and the admin API show it. Returns 0 or a weir_result
 * (conn.h): WEIR_INVALID for any other name, which leaves the user as it was; WEIR_NO_MEMORY. */
int weir_upgrade_set_user(weir_upgrade *upgrade, const char *name);

/* Sets the answer for a refusal: an HTTP status from 400 to 599 and a plain-text body, which is copied.
 * Another status becomes 500. In the body, bytes that are not UTF-8 become question marks. Returns -1, so that a
 * callback can end with `return weir_upgrade_refuse(upgrade, 401, "who are you?\n")`. */
int weir_upgrade_refuse(weir_upgrade *upgrade, int status, const char *body);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
