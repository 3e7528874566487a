/* client.h - a WebSocket client, RFC 6455 and RFC 7692 (link with libweir.a).
 *
 *     struct weir_client_error error;
 *     weir_client *client = weir_client_connect("ws://127.0.0.1:9000/echo", NULL, &error);
 *     if (client == NULL)
 *         return puts(error.text), 1;
 *     weir_client_send(client, WEIR_TEXT, "hello", 5);
 *     struct weir_client_message message;
 *     if (weir_client_receive(client, &message, 5000) == WEIR_OK)
 *         printf("%.*s\n", (int)message.size, (const char *)message.data);
 *     weir_client_close(client, 1000, NULL);
 *     weir_client_wait_closed(client);
 *     weir_client_destroy(client);
 *
 * Threads: any number of threads may send, ping and close while another one receives. Only one thread at a time
 * may be in weir_client_receive() or weir_client_run(). The library has no thread of its own: it answers Pings and
 * the server's Close while a thread receives, so a program that mainly sends must receive now and then. Every call
 * that waits has a timeout, except weir_client_run() and a receive with WEIR_CLIENT_FOREVER.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CLIENT_H
#define WEIR_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/handler.h>
#include <weir/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct weir_client weir_client;

/* Why there is no connection, or why it failed. */
enum weir_client_cause {
    WEIR_CLIENT_NO_ERROR = 0,
    WEIR_CLIENT_BAD_ARGUMENT, /* the URL, a header, a subprotocol or the source address is malformed */
    WEIR_CLIENT_NO_TLS,       /* the URL is wss://, and this library has no TLS yet */
    WEIR_CLIENT_UNKNOWN_HOST, /* the name does not resolve */
    WEIR_CLIENT_REFUSED,      /* connection refused: no server listens there */
    WEIR_CLIENT_UNREACHABLE,  /* no route, source port or descriptor: the text has the system's message */
    WEIR_CLIENT_TIMED_OUT,    /* the connection, handshake, a send or the Close took longer than its timeout */
    WEIR_CLIENT_HTTP,         /* the server responded with a status other than 101: see http_status */
    WEIR_CLIENT_HANDSHAKE,    /* the response is not a valid WebSocket handshake */
    WEIR_CLIENT_LOST,         /* the connection was reset, or ended without a Close (1006) */
    WEIR_CLIENT_PROTOCOL,     /* the server violated RFC 6455; the client sent a Close that says how */
    WEIR_CLIENT_TOO_BIG,      /* a message exceeds max_message_size; the client sent a Close with 1009 */
    WEIR_CLIENT_NO_MEMORY,    /* out of memory */
    WEIR_CLIENT_CAUSES        /* the number of causes */
};

struct weir_client_error {
    enum weir_client_cause cause;
    int http_status; /* for WEIR_CLIENT_HTTP; otherwise 0 */
    /* One line without a newline: "ws://[::1]:9000: connection refused; ...", "HTTP 403: this origin may not
     * connect". It includes the server's explanation, with control characters escaped. */
    char text[256];
};

/* All zero means the defaults. The pointers must be valid during weir_client_connect() only. */
struct weir_client_options {
    const char *const *headers;      /* request headers, "Name: value" each; NULL-terminated */
    const char *const *subprotocols; /* to offer, most preferred first (RFC 6455, 1.9); NULL-terminated */
    const char *origin;              /* the Origin header (RFC 6455, 10.2), which only browsers must send */
    const char *source;              /* local IP address to connect from */
    uint64_t connect_timeout_ms;     /* for name, TCP and handshake together; 0: 10 s */
    uint64_t send_timeout_ms;        /* to write one message, from when its turn has come; 0: 10 s */
    uint64_t close_timeout_ms;       /* for the server's Close and the end of the stream; 0: 10 s */
    size_t max_message_size;         /* bytes of one received message, after inflating; 0: 1 MiB */
    bool compress;                   /* offer permessage-deflate (RFC 7692), and compress sends if it is accepted */
};

/* A received message. */
struct weir_client_message {
    enum weir_opcode opcode;
    const void *data; /* `size` bytes, no terminator; never NULL; valid until the next receive, close or destroy */
    size_t size;
};

#define WEIR_CLIENT_FOREVER (-1L)

/* Connects and performs the opening handshake (RFC 6455, 4.1). `url` is ws://host[:port][/path][?query]. The host
 * is a name, an IPv4 address, or an IPv6 address in brackets; `user:password@` before it is sent as an
 * Authorization header (Basic, RFC 7617). All addresses of a name are tried in turn. Redirects are not followed:
 * they fail with WEIR_CLIENT_HTTP. `options` and `error` may be NULL. Returns a client, to be freed with
 * weir_client_destroy(); or NULL with the reason in *error. */
WEIR_API weir_client *weir_client_connect(const char *url, const struct weir_client_options *options,
                                          struct weir_client_error *error);

/* Sends one message of `size` bytes, and returns when the system has taken all of it; the caller may then reuse
 * `data`. Any thread; messages of different threads never mix. Returns WEIR_OK, or:
 *  - WEIR_INVALID: the opcode is neither WEIR_TEXT nor WEIR_BINARY, or a text is not UTF-8;
 *  - WEIR_CLOSED: the closing handshake has begun;
 *  - WEIR_FAILED: the connection has failed, or the message took longer than send_timeout_ms. Half a frame
 *    may then have left, so no other can follow. If the server went away, what it sent before can still be
 * received, perhaps with a Close that says why. */
WEIR_API enum weir_status weir_client_send(weir_client *client, enum weir_opcode opcode, const void *data,
                                           size_t size);

/* Sends a Ping with a payload of at most 125 bytes (RFC 6455, 5.5.2). The receiving thread gets its Pong: see
 * weir_client_on_pong(). Any thread. Returns what weir_client_send() returns; WEIR_INVALID means that the
 * payload is too long. */
WEIR_API enum weir_status weir_client_ping(weir_client *client, const void *data, size_t size);

/* Sets a callback for Pongs: `pong` is called for every Pong, on the receiving thread, with its payload, which is
 * valid until the callback returns. NULL removes it. Call this before the first receive. */
WEIR_API void weir_client_on_pong(weir_client *client, void (*pong)(void *context, const void *data, size_t size),
                                  void *context);

/* Waits up to `timeout_ms` milliseconds for one message, and stores it in *message. 0 takes only what has arrived;
 * WEIR_CLIENT_FOREVER waits without limit. One thread at a time. Returns WEIR_OK, or:
 *  - WEIR_TIMEOUT: no message came in time;
 *  - WEIR_CLOSED: all messages before the server's Close have been received, and the Close was answered. The
 *    call has also waited for the end of the stream (RFC 6455, 7.1.1), up to timeout_ms and close_timeout_ms;
 *  - WEIR_FAILED: the connection failed;
 *  - WEIR_INVALID: another thread is receiving, or the caller is inside a callback of this client. */
WEIR_API enum weir_status weir_client_receive(weir_client *client, struct weir_client_message *message,
                                              long timeout_ms);

/* Receives until the connection is over, and calls `message` for each message. One thread at a time. The callback
 * may send and close; its message is valid until it returns. Returns WEIR_CLOSED or WEIR_FAILED; or
 * WEIR_INVALID at once if another thread is receiving, or inside a callback of this client. */
WEIR_API enum weir_status weir_client_run(weir_client *client,
                                          void (*message)(weir_client *client,
                                                          const struct weir_client_message *message, void *context),
                                          void *context);

/* Starts the closing handshake (RFC 6455, 7.1.2): sends a Close, unless one was sent before, and does not wait.
 * What the server still sends can be received, then the receiver gets WEIR_CLOSED. `reason` is copied; it
 * may be NULL. Any thread. Returns WEIR_OK, also if the connection is over; or WEIR_INVALID: `code`
 * must not be sent (allowed are 1000-1003, 1007-1014 and 3000-4999; 7.4), or `reason` has more than 123 bytes or is
 * not UTF-8. */
WEIR_API enum weir_status weir_client_close(weir_client *client, unsigned code, const char *reason);

/* Waits until the connection is over, after weir_client_close(): for the server's Close and the end of the stream,
 * at most close_timeout_ms. Drops messages that arrive meanwhile. Returns WEIR_OK if the server answered, or had
 * closed before; WEIR_FAILED if the connection failed or the server did not answer in time; WEIR_INVALID at once if
 * neither side has begun to close, if another thread receives or uses a message from weir_client_receive(), or
 * inside a callback of this client: the receiver then sees the end. */
WEIR_API enum weir_status weir_client_wait_closed(weir_client *client);

/* Returns the close code that the connection ended with: that of the server's Close, or the client's own if the
 * client failed the connection. 1005: the server's Close had no code. 1006: the connection was lost without a Close
 * (RFC 6455, 7.1.5). 0: the connection is not over. Any thread. */
WEIR_API unsigned weir_client_close_code(const weir_client *client);

/* Returns the reason that belongs to weir_client_close_code(), "" if there is none; never NULL. The string is valid
 * until weir_client_destroy(). Any thread. */
WEIR_API const char *weir_client_close_reason(const weir_client *client);

/* Stores in *error why the connection failed: the first reason, if there were several. The cause is
 * WEIR_CLIENT_NO_ERROR if it did not fail. Any thread. */
WEIR_API void weir_client_failure(weir_client *client, struct weir_client_error *error);

/* Returns the subprotocol that the server selected (RFC 6455, 1.9), or NULL. The string is valid until
 * weir_client_destroy(). Any thread. */
WEIR_API const char *weir_client_subprotocol(const weir_client *client);

/* Returns the value of a header of the server's handshake response, or NULL if it has none of this name. The case
 * of `name` does not matter. The string is valid until weir_client_destroy(). Any thread. */
WEIR_API const char *weir_client_header(const weir_client *client, const char *name);

/* Returns true if permessage-deflate (RFC 7692) is in use. Any thread. */
WEIR_API bool weir_client_compressed(const weir_client *client);

/* Returns the server's address and port: "127.0.0.1:9000". The string is valid until weir_client_destroy(). Any
 * thread. */
WEIR_API const char *weir_client_peer(const weir_client *client);

/* Returns the socket, to be polled for POLLIN together with other descriptors. Do not read, write or close it. Call
 * weir_client_receive() with timeout 0 until it returns something other than WEIR_OK:
 *  - before the first poll, because messages may have arrived with the handshake;
 *  - after each poll;
 *  - after a timeout of your own, because a Pong or Close may be left to send, or the close timeout may be over. */
WEIR_API int weir_client_descriptor(const weir_client *client);

/* Ends the connection at once, without a closing handshake, if it is not over, and frees everything. No other
 * thread may use the client, and it must not be called inside a callback of this client. NULL is allowed. */
WEIR_API void weir_client_destroy(weir_client *client);

#ifdef __cplusplus
}
#endif

#endif
