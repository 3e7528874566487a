/* conn.h - a connection, as a handler sees it.
 *
 * Any thread may call these functions, unless a function says otherwise, for as long as it may use the handle. A
 * callback may use the handle that it received until it returns. To use it longer, or on another thread, take a
 * reference with weir_conn_retain() first. A handle stays valid while a reference is held. Once the connection is
 * over, sends return WEIR_CLOSED; its path, parameters, user and peer can still be read. No function here ever
 * waits for a client.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CONN_H
#define WEIR_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/handler.h>
#include <weir/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Sends one message of `size` bytes; `data` is copied. Messages that one thread sends to one connection arrive in
 * that order. What a handler sends leaves when its callback returns, or about 2 ms later if the callback blocks.
 * Returns WEIR_OK, WEIR_CLOSED, WEIR_OVERFLOW or WEIR_NO_MEMORY. WEIR_INVALID: the opcode is neither WEIR_TEXT nor
 * WEIR_BINARY, or a text is not UTF-8, for which clients would close the connection (RFC 6455, 8.1); nothing was
 * sent. */
WEIR_API enum weir_status weir_conn_send(weir_conn *conn, enum weir_opcode opcode, const void *data, size_t size);

/* Sends one message as weir_conn_send() does, but takes the data over instead of copying it: `free_data(data)` is
 * called once, also after an error, and perhaps before this call returns. free() will do. It may run on any thread,
 * while the server holds locks, so it must not call functions of weir. The data must not change after this call.
 * Small messages are copied all the same. Returns what weir_conn_send() returns. */
WEIR_API enum weir_status weir_conn_send_owned(weir_conn *conn, enum weir_opcode opcode, void *data, size_t size,
                                               void (*free_data)(void *data));

/* Returns the bytes queued for this client, including per-message overhead. 0 means that everything sent has
 * reached the socket. Beyond send_buffer_hard, slow_consumer decides what happens. A handler that produces a lot
 * should pause at an amount of its own above send_buffer_soft, and resume in `drained`. */
WEIR_API size_t weir_conn_buffered(weir_conn *conn);

/* Starts the closing handshake (RFC 6455, 7.1.2). What was sent before still arrives, followed by a Close with this
 * code and reason. Messages that the client sends from now on, and those not handled yet, are dropped. `reason` is
 * copied; it may be NULL. Returns WEIR_OK, or WEIR_CLOSED if either side has begun to close. WEIR_INVALID: `code`
 * must not be sent (allowed are 1000-1003, 1007-1014 and 3000-4999; 7.4), or `reason` has more than 123 bytes or is
 * not UTF-8. */
WEIR_API enum weir_status weir_conn_close(weir_conn *conn, unsigned code, const char *reason);

/* Sends one message to every open connection of conn's route, encoded once; `data` is copied. conn itself is left
 * out if `include_self` is false. Returns the number of connections that accepted the message, or a negative
 * weir_status: WEIR_CLOSED if conn is closing; WEIR_INVALID as for weir_conn_send(); WEIR_NO_MEMORY, and then conn
 * is closed with 1011. */
WEIR_API long weir_conn_broadcast(weir_conn *conn, enum weir_opcode opcode, const void *data, size_t size,
                                  bool include_self);

/* Returns true until either side has begun to close. A send after that call may still return WEIR_CLOSED. */
WEIR_API bool weir_conn_is_open(const weir_conn *conn);

/* Returns a number that no other connection of the process has or will have. The first connection is 1. */
WEIR_API uint64_t weir_conn_id(const weir_conn *conn);

/* Returns the path of the request that opened the connection, percent-decoded and without the query: UTF-8. The
 * string is valid as long as the handle. */
WEIR_API const char *weir_conn_path(const weir_conn *conn);

/* Returns a parameter of the route's pattern, percent-decoded, in UTF-8: "status" for `/light/{status}`, "*" for a
 * trailing `*`. Returns NULL if the pattern has no parameter of this name. The string is valid as long as the
 * handle. */
WEIR_API const char *weir_conn_param(const weir_conn *conn, const char *name);

/* Returns the value of a request header, or NULL if the client did not send it. The case of `name` does not matter.
 * The value has the bytes that the client sent, which need not be UTF-8. Call this only inside `open`, on the
 * thread that runs it; the string is valid until `open` returns. Afterwards the result is always NULL. */
WEIR_API const char *weir_conn_header(const weir_conn *conn, const char *name);

/* Returns the name that `upgrade` set with weir_upgrade_set_user(), or NULL. The string is valid as long as the
 * handle. */
WEIR_API const char *weir_conn_user(const weir_conn *conn);

/* Returns the subprotocol that the handshake selected (RFC 6455, 1.9), or NULL. The string is valid as long as the
 * handle. */
WEIR_API const char *weir_conn_subprotocol(const weir_conn *conn);

/* Returns the address and port of the TCP peer: "192.0.2.7:50124", "[2001:db8::1]:50124". If the client connects
 * through a proxy, this is the proxy. The string is valid as long as the handle. */
WEIR_API const char *weir_conn_peer(const weir_conn *conn);

/* Returns the time from the server's last answered ping to its pong, in microseconds, or -1 if no ping has been
 * answered yet. The server pings every ping_interval (RFC 6455, 5.5.2). */
WEIR_API long weir_conn_round_trip(const weir_conn *conn);

/* Stores one pointer for the handler's own use. The server neither reads nor frees it. No lock guards it: use it
 * only in the callbacks of this connection, which never overlap, or under a lock of your own. */
WEIR_API void weir_conn_set_data(weir_conn *conn, void *data);

/* Returns the pointer that weir_conn_set_data() stored, or NULL. No lock guards it: see weir_conn_set_data(). */
WEIR_API void *weir_conn_data(const weir_conn *conn);

/* Takes a reference, which keeps the handle valid until weir_conn_release(). Returns `conn`. */
WEIR_API weir_conn *weir_conn_retain(weir_conn *conn);

/* Gives back a reference taken with weir_conn_retain(). The caller must not use the handle afterwards. */
WEIR_API void weir_conn_release(weir_conn *conn);

#ifdef __cplusplus
}
#endif

#endif
