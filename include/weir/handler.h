/* handler.h - what a handler provides: a table of callbacks, called with the route's context.
 *
 * The contract of the callbacks:
 *  - The callbacks of one connection never overlap. Those of different connections do, on different threads.
 *  - `open` is called first. `close` is called once, and last. Messages come in between, in the order in which the
 *    client sent them.
 *  - `open`, `message`, `drained` and `close` may block, unless the handler sets WEIR_NEVER_BLOCKS. Each holds one
 *    of the server's `workers` permits until it returns; the server's own work does not wait for it.
 *  - `upgrade` runs before the connection exists. It may block, and occupies one of the `http_threads` meanwhile.
 *  - Every pointer that a callback receives, except `context`, belongs to the server and is valid until the
 *    callback returns.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HANDLER_H
#define WEIR_HANDLER_H

#include <stddef.h>
#include <stdint.h>

#include <weir/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A connection (conn.h), and a request that asks for a WebSocket connection. */
typedef struct weir_conn weir_conn;
typedef struct weir_upgrade weir_upgrade;

/* The two kinds of message. Their numbers are the opcodes of RFC 6455, 11.8. */
enum weir_opcode {
    WEIR_TEXT = 1,  /* valid UTF-8; the server checks what it receives and what it sends */
    WEIR_BINARY = 2 /* any bytes */
};

/* Results of an `upgrade` callback. */
enum { WEIR_ACCEPT = 0, WEIR_REFUSE = -1 };

enum weir_handler_flags {
    /* No callback of this handler ever blocks. Its callbacks run on the thread that read the message, and take no
     * permit. A callback that blocks anyway stalls the server's own work. Set this only for handlers like echo. */
    WEIR_NEVER_BLOCKS = 1
};

/* Begins the initializer of every handler: {WEIR_HANDLER_INIT, .message = answer}. */
#define WEIR_HANDLER_INIT .size = sizeof(struct weir_handler)

/* Later versions add callbacks at the end. A handler that was compiled before that still works, since its size says
 * what it has. The server copies the struct. */
struct weir_handler {
    size_t size;    /* set by WEIR_HANDLER_INIT */
    unsigned flags; /* of enum weir_handler_flags, combined with | */

    /* Optional. Called with the request before the server sends the 101; may refuse it. Returns WEIR_ACCEPT or
     * WEIR_REFUSE. A refusal has the response set by weir_upgrade_refuse(), or 403 if none was set. Other numbers
     * are reserved for later versions, and refuse. */
    int (*upgrade)(weir_upgrade *upgrade, void *context);

    /* Optional. Called once, when the handshake has succeeded. This is the only callback in which
     * weir_conn_header() finds the request's headers. */
    void (*open)(weir_conn *conn, void *context);

    /* Optional. Called for each complete message. `data` has `size` bytes and no terminator. It is never NULL. */
    void (*message)(weir_conn *conn, enum weir_opcode opcode, const void *data, size_t size, void *context);

    /* Optional. Called once, when the connection is over and nothing can be sent any more. `code` is the close
     * code of whichever side closed first: the client's, or the server's. It is 1005 if the client's Close had no
     * code, and 1006 if the connection was lost without a Close (RFC 6455, 7.1.5). `reason` is never NULL. */
    void (*close)(weir_conn *conn, unsigned code, const char *reason, void *context);

    /* Optional. Called when the send queue (weir_conn_buffered()), after exceeding send_buffer_soft, has drained to
     * half that size. A paused producer may resume. */
    void (*drained)(weir_conn *conn, void *context);

    /* Optional; used only if `message` is, or calls, weir_pubsub_message() (channel.h). That function calls
     * them, on its own thread, before it subscribes the client to `channel` or publishes there. `json` is the value
     * to publish: `size` bytes, no terminator. Return 0 to allow the request. Any other value refuses it: the
     * client gets the error not_permitted. */
    int (*subscribe)(weir_conn *conn, const char *channel, void *context);
    int (*publish)(weir_conn *conn, const char *channel, const void *json, size_t size, void *context);
};

/* --- Inside `upgrade` ------------------------------------------------------------------------------------
 *
 * Call these functions only inside an `upgrade` callback, on the thread that runs it. The strings that they return
 * belong to the server and are valid until the callback returns. */

/* Returns the request's method, "GET" (RFC 6455, 4.1). */
WEIR_API const char *weir_upgrade_method(const weir_upgrade *upgrade);

/* Returns the request's path, percent-decoded and without the query: UTF-8. */
WEIR_API const char *weir_upgrade_path(const weir_upgrade *upgrade);

/* Returns the query as the client sent it, not decoded and without the '?', or "" if the request has none. */
WEIR_API const char *weir_upgrade_query(const weir_upgrade *upgrade);

/* Returns a parameter of the route's pattern, percent-decoded, in UTF-8: "status" for `/light/{status}`, "*" for a
 * trailing `*`. Returns NULL if the pattern has no parameter of this name. */
WEIR_API const char *weir_upgrade_param(const weir_upgrade *upgrade, const char *name);

/* Returns the value of a request header. The case of `name` does not matter. The value has the bytes that the
 * client sent, which need not be UTF-8. Returns NULL if the client did not send this header. */
WEIR_API const char *weir_upgrade_header(const weir_upgrade *upgrade, const char *name);

/* Returns the value of a parameter of the query, "blue" for `?colour=blue`; the first if there are several. Name
 * and value are decoded as forms are (WHATWG URL Standard, 5.1): `%C3%BC` is ü, `+` is a blank. The value is "" if
 * it is missing, and need not be UTF-8. Returns NULL if there is no such parameter, its value has a zero byte, or
 * memory is out. */
WEIR_API const char *weir_upgrade_query_param(weir_upgrade *upgrade, const char *name);

/* Returns the value of a cookie (RFC 6265, 4.2), without the quotes that may be around it; the first if there are
 * several of the name, whose case matters. It is not decoded further, because the RFC gives it no encoding. Returns
 * NULL if there is no such cookie, or memory is out. */
WEIR_API const char *weir_upgrade_cookie(weir_upgrade *upgrade, const char *name);

/* Returns the subprotocol that the server has selected (RFC 6455, 4.2.2), or NULL if none. It is the first in the
 * route's option `subprotocols` that the client offers, unless weir_upgrade_select() has selected another. */
WEIR_API const char *weir_upgrade_subprotocol(const weir_upgrade *upgrade);

/* Returns a subprotocol that the client offers (RFC 6455, 4.1), in its order of preference, from index 0 on; NULL
 * beyond the last, or if memory is out. */
WEIR_API const char *weir_upgrade_offered(weir_upgrade *upgrade, size_t index);

/* Selects a subprotocol in place of the server's choice; NULL: none. Returns WEIR_OK; or WEIR_INVALID if the client
 * does not offer it, and would have to end the connection (RFC 6455, 4.1), or if it has more than 1,023 bytes. */
WEIR_API enum weir_status weir_upgrade_select(weir_upgrade *upgrade, const char *subprotocol);

/* Returns the address and port of the TCP peer: "192.0.2.7:50124", "[2001:db8::1]:50124". If the client connects
 * through a proxy, this is the proxy. */
WEIR_API const char *weir_upgrade_peer(const weir_upgrade *upgrade);

/* Names the user that the connection belongs to; weir_conn_user() returns this name later. `name` is copied. It
 * must have 1 to 255 bytes of UTF-8 without control characters, because other clients, the log and the admin API
 * show it. Returns WEIR_OK; WEIR_INVALID for any other name; WEIR_NO_MEMORY. After an error the user is
 * unchanged. */
WEIR_API enum weir_status weir_upgrade_set_user(weir_upgrade *upgrade, const char *name);

/* Sets the pointer that weir_conn_data() returns in `open` and later. If there will be no connection, because the
 * callback refuses or the client has gone, `discard(data)` is called, on this thread; otherwise `close` is the
 * place to free the data. `discard` may be NULL. A second call discards the data of the first. */
WEIR_API void weir_upgrade_set_data(weir_upgrade *upgrade, void *data, void (*discard)(void *data));

/* Adds a field to the response, the 101 or the refusal: "Set-Cookie", "WWW-Authenticate". Both strings are copied.
 * A name may be added several times. Returns WEIR_OK; WEIR_INVALID: the name is not a token (RFC 9110, 5.6.2), the
 * value has a control character other than a tab, or the name is Sec-WebSocket-* or another field that the server
 * sets itself; WEIR_LIMIT: the fields exceed 2 KiB together; WEIR_NO_MEMORY. */
WEIR_API enum weir_status weir_upgrade_add_header(weir_upgrade *upgrade, const char *name, const char *value);

/* Sets the response of a refusal: an HTTP status from 400 to 599 and a plain-text body. Any other status becomes
 * 500. `body` is copied, up to 4,095 bytes; NULL is an empty body. Bytes that are not UTF-8 become question marks.
 * Returns WEIR_REFUSE, so that a callback can end with `return weir_upgrade_refuse(upgrade, 401, "who are
 * you?\n")`. */
WEIR_API int weir_upgrade_refuse(weir_upgrade *upgrade, int status, const char *body);

#ifdef __cplusplus
}
#endif

#endif
