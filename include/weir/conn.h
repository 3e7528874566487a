/* conn.h - a connection, as a handler sees it.
 *
 * Any thread may call any function here that does not say otherwise, for as long as it may use the handle: a
 * callback may use the one that it was given until it returns; who wants it longer, or elsewhere, takes a
 * reference with weir_retain(). A handle never dangles while a reference is held: once the connection is
 * over, what is sent to it is refused with WEIR_GONE, and its path, parameters, user and peer can still be
 * read. No function here ever waits for a client.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CONN_H
#define WEIR_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/handler.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* What became of something to be sent. */
enum weir_result {
    WEIR_OK = 0,         /* accepted; it leaves as fast as the client reads */
    WEIR_GONE = -1,      /* the connection is closing or closed */
    WEIR_OVERFLOW = -2,  /* past send_buffer_hard: the client does not read, or the message alone is larger than
                          * that; it is being closed with 1013, or has lost this message (slow_consumer) */
    WEIR_NO_MEMORY = -3, /* the message is lost, so the connection is being closed with 1011 */
    WEIR_INVALID = -4,   /* an argument is out of its range: see the function */
    WEIR_LIMIT = -5,     /* there are as many of them as there may be: see the function */
    WEIR_DENIED = -6     /* the configuration does not allow it: see the function */
};

/* Sends one message; `data` is copied. Messages that one thread sends to one connection arrive in that order.
 * What a handler has sent leaves at the latest about 2 ms later, even if the handler then blocks.
 * WEIR_INVALID, and nothing is sent: an opcode that is neither WEIR_TEXT nor WEIR_BINARY, or a text that is not
 * UTF-8, which every client would answer by closing (RFC 6455, 8.1). */
enum weir_result weir_send(weir_conn *conn, enum weir_opcode opcode, const void *data, size_t size);

/* Bytes that wait for this client, with what they cost in memory; 0: it has taken all that was sent. Past
 * send_buffer_hard, slow_consumer says what happens. A handler that produces much stops at some amount, and goes on
 * in `drained`. */
size_t weir_buffered(weir_conn *conn);

/* Starts the closing handshake (RFC 6455, 7.1.2): what was sent before still arrives, then a Close with this
 * code and reason. Messages that the client sends from now on are not handled any more. `reason` may be
 * NULL. WEIR_INVALID: a code that must not be sent (only 1000-1003, 1007-1014 and 3000-4999 may, 7.4), a reason
 * longer than 123 bytes or not UTF-8. */
enum weir_result weir_close(weir_conn *conn, unsigned code, const char *reason);

/* Sends one message to every open connection of conn's route, encoded once. conn itself is left out if
 * `include_self` is false. Returns the number of connections that accepted it, or a negative weir_result: WEIR_GONE
 * if conn itself is closing, WEIR_INVALID as for weir_send(). */
long weir_broadcast(weir_conn *conn, enum weir_opcode opcode, const void *data, size_t size, bool include_self);

/* True until either side has begun to close. A later send may still find it closed. */
bool weir_conn_is_open(const weir_conn *conn);

/* A number that no other connection of this process has or will have. The first one is 1. */
uint64_t weir_conn_id(const weir_conn *conn);

/* The request that opened the connection: its decoded path, a parameter of its route's pattern
 * (`/light/{status}` has "status"), NULL if the pattern has none of that name. A pattern's trailing `*` is the
 * parameter "*". */
const char *weir_path(const weir_conn *conn);
const char *weir_param(const weir_conn *conn, const char *name);

/* A request header, by name in any case; NULL if the client did not send it. It has the bytes that the client sent,
 * which need not be UTF-8. Only until `open` returns, and
 * only on the thread that runs `open`; afterwards always NULL. */
const char *weir_header(const weir_conn *conn, const char *name);

/* The name that `upgrade` gave with weir_upgrade_set_user(), or NULL. */
const char *weir_user(const weir_conn *conn);

/* The subprotocol that the handshake selected (RFC 6455, 1.9), or NULL. */
const char *weir_subprotocol(const weir_conn *conn);

/* The client's address: "192.0.2.7:50124", "[2001:db8::1]:50124". */
const char *weir_peer(const weir_conn *conn);

/* How long the last ping that the client answered took, in microseconds; -1 if none has been answered yet. The
 * server pings every ping_interval (RFC 6455, 5.5.2). */
long weir_round_trip(const weir_conn *conn);

/* One pointer of the handler's own. The server neither reads nor frees it. Not guarded: use it in the
 * callbacks of this connection, which never overlap, or under a lock of yours. */
void weir_set_data(weir_conn *conn, void *data);
void *weir_data(const weir_conn *conn);

/* One reference more, one less. weir_retain() returns its argument. */
weir_conn *weir_retain(weir_conn *conn);
void weir_release(weir_conn *conn);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
