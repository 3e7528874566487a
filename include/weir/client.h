/* client.h - a WebSocket client, RFC 6455 and RFC 7692 (link with libweir.a).
 *
 *     struct weir_client_error error;
 *     weir_client *client = weir_client_connect("ws://127.0.0.1:9000/echo", NULL, &error);
 *     if (client == NULL)
 *         return puts(error.text), 1;
 *     weir_client_send(client, WEIR_TEXT, "hello", 5);
 *     struct weir_client_message message;
 *     if (weir_client_receive(client, &message, 5000) == WEIR_CLIENT_OK)
 *         printf("%.*s\n", (int)message.size, (const char *)message.data);
 *     weir_client_close(client, 1000, NULL);
 *     weir_client_destroy(client);
 *
 * Threads: any number may send, ping and close at the same time as one receives. Only one may receive at a time:
 * weir_client_receive() and weir_client_run() are for one thread. Pings are answered, and the server's Close is,
 * while somebody receives; a client that only sends has to receive now and then. Nothing here waits without a
 * timeout unless it is told to.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CLIENT_H
#define WEIR_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/handler.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef struct weir_client weir_client;

/* Why there is no connection, or no longer. */
enum weir_client_cause {
    WEIR_CLIENT_NO_ERROR = 0,
    WEIR_CLIENT_BAD_ARGUMENT, /* the URL, a header, a subprotocol is malformed */
    WEIR_CLIENT_NO_TLS,       /* wss:// is not built yet */
    WEIR_CLIENT_UNKNOWN_HOST, /* the name does not resolve */
    WEIR_CLIENT_REFUSED,      /* nobody listens there */
    WEIR_CLIENT_UNREACHABLE,  /* no route, no source port, no descriptor: the text has the system's words */
    WEIR_CLIENT_TIMED_OUT,    /* no answer to the connection, the handshake, a send, a Close in time */
    WEIR_CLIENT_HTTP,         /* the server answered with another status than 101: see http_status */
    WEIR_CLIENT_HANDSHAKE, /* the answer is no WebSocket's: not HTTP, a wrong accept key, an extension not asked for
                            */
    WEIR_CLIENT_LOST,      /* reset, or ended without a Close (1006) */
    WEIR_CLIENT_PROTOCOL,  /* the server broke RFC 6455; it was told so with a Close */
    WEIR_CLIENT_TOO_BIG,   /* a message beyond max_message_size; likewise */
    WEIR_CLIENT_NO_MEMORY,
    WEIR_CLIENT_CAUSES /* how many there are */
};

struct weir_client_error {
    enum weir_client_cause cause;
    int http_status; /* of WEIR_CLIENT_HTTP; else 0 */
    /* One line without a newline: "ws://[::1]:9000: connection refused; ...", "HTTP 403: this origin may not
     * connect". What the server said is in it, its control characters escaped. */
    char text[256];
};

/* All zero are the defaults. Nothing is kept: pointers need to be valid during weir_client_connect() only. */
struct weir_client_options {
    const char *const *headers;      /* "Name: value", NULL-terminated: sent with the request */
    const char *const *subprotocols; /* NULL-terminated, the preferred one first (RFC 6455, 1.9) */
    const char *origin;              /* the Origin header (10.2); browsers send one, programs need not */
    const char *source;              /* the local IP address to connect from */
    uint64_t connect_timeout_ms;     /* name, TCP and handshake together; 0: 10 s */
    uint64_t send_timeout_ms;        /* for one message to leave, once its turn has come; 0: 10 s */
    uint64_t close_timeout_ms;       /* for the server's Close and the end of the stream; 0: 10 s */
    size_t max_message_size;         /* of one message received, inflated; 0: 1 MiB */
    bool compress;                   /* offer permessage-deflate; what is sent is compressed if it was accepted */
};

/* A message that has been received. */
struct weir_client_message {
    enum weir_opcode opcode;
    const void *data; /* `size` bytes, no terminator; never NULL; valid until the next receive or close */
    size_t size;
};

enum weir_client_status {
    WEIR_CLIENT_OK = 0,
    WEIR_CLIENT_TIMEOUT = -1, /* of weir_client_receive(): nothing came; the connection goes on */
    WEIR_CLIENT_CLOSED = -2,  /* the closing handshake has begun or is over: weir_client_close_code() */
    WEIR_CLIENT_FAILED = -3,  /* the connection is over, and not as it should be: weir_client_failure() */
    WEIR_CLIENT_INVALID = -4  /* an argument is out of its range; nothing was sent, the connection goes on */
};

#define WEIR_CLIENT_FOREVER (-1L)

/* Connects and does the opening handshake (RFC 6455, 4.1). `url` is ws://host[:port][/path][?query]; the host is a
 * name, an IPv4 address or an IPv6 address in brackets; user:password@ before it become an Authorization header
 * (Basic, RFC 7617). All addresses of a name are tried in turn. `options` may be NULL, `error` too. Returns NULL
 * with *error filled if there is no connection. Redirects are not followed: they are WEIR_CLIENT_HTTP. */
weir_client *weir_client_connect(const char *url, const struct weir_client_options *options,
                                 struct weir_client_error *error);

/* Sends one message, and returns when the system has taken all of it. WEIR_CLIENT_INVALID: a text that is not valid
 * UTF-8, an opcode that is neither WEIR_TEXT nor WEIR_BINARY. A message that did not leave within send_timeout_ms
 * fails the connection, since half a frame may be on its way. WEIR_CLIENT_FAILED because the server has gone: what
 * it sent before can still be received, perhaps a Close that says why. */
enum weir_client_status weir_client_send(weir_client *client, enum weir_opcode opcode, const void *data,
                                         size_t size);

/* Sends a Ping with at most 125 bytes, else WEIR_CLIENT_INVALID (5.5.2); its Pong comes to the receiving thread,
 * see weir_client_on_pong(). */
enum weir_client_status weir_client_ping(weir_client *client, const void *data, size_t size);

/* Before the first receive: `pong` is called for every Pong, on the thread that receives, with its payload. */
void weir_client_on_pong(weir_client *client, void (*pong)(void *context, const void *data, size_t size),
                         void *context);

/* Waits for one message. timeout_ms 0: takes what has arrived; WEIR_CLIENT_FOREVER: no limit. Messages that arrived
 * before the server's Close come first, then WEIR_CLIENT_CLOSED: it has been answered, and the end of the stream
 * waited for (7.1.1), though no longer than timeout_ms and close_timeout_ms. WEIR_CLIENT_INVALID: another thread is
 * receiving, or this is its callback. */
enum weir_client_status weir_client_receive(weir_client *client, struct weir_client_message *message,
                                            long timeout_ms);

/* Receives until the connection is over and calls `message` for each. Returns WEIR_CLIENT_CLOSED or
 * WEIR_CLIENT_FAILED. Within the callback the client may send and close. */
enum weir_client_status weir_client_run(weir_client *client,
                                        void (*message)(weir_client *client,
                                                        const struct weir_client_message *message, void *context),
                                        void *context);

/* Sends a Close (7.1.2), unless one has been sent. What the server still sends can be received; then comes
 * WEIR_CLIENT_CLOSED. `reason` may be NULL, at most 123 bytes of UTF-8. WEIR_CLIENT_INVALID: a code that must not
 * be sent (only 1000-1003, 1007-1014 and 3000-4999 may, 7.4) or such a reason. */
enum weir_client_status weir_client_begin_close(weir_client *client, unsigned code, const char *reason);

/* The same, then waits for the server's Close, at most close_timeout_ms, and ends the connection. Messages that
 * come meanwhile are dropped. WEIR_CLIENT_OK if the server answered; WEIR_CLIENT_FAILED if it did not;
 * WEIR_CLIENT_INVALID as above. Within a callback, and while another thread receives or has a message from
 * weir_client_receive(), it does not wait, and WEIR_CLIENT_OK says only that the Close is on its way: the receiver
 * then sees the end. Otherwise it is the receiver itself, and a weir_client_receive() meanwhile
 * WEIR_CLIENT_INVALID; with a thread that receives, weir_client_begin_close() is simpler. A connection that is over
 * needs no close. */
enum weir_client_status weir_client_close(weir_client *client, unsigned code, const char *reason);

/* What the connection ended with: the code of the server's Close, or of ours if there was none from it because we
 * failed the connection; 1005: its Close had no code; 1006: it was lost without one; 0: it goes on. The reason is
 * never NULL and valid as long as the client. */
unsigned weir_client_close_code(const weir_client *client);
const char *weir_client_close_reason(const weir_client *client);

/* Why the connection failed: the first reason, if there were several; WEIR_CLIENT_NO_ERROR if it did not. */
void weir_client_failure(weir_client *client, struct weir_client_error *error);

/* The subprotocol that the server selected, or NULL; a header of its answer by name, or NULL; whether
 * permessage-deflate is in force; "127.0.0.1:9000", whom we are connected to. */
const char *weir_client_subprotocol(const weir_client *client);
const char *weir_client_header(const weir_client *client, const char *name);
bool weir_client_compressed(const weir_client *client);
const char *weir_client_peer(const weir_client *client);

/* The socket, to poll for POLLIN beside others. Before the first poll, since messages may have come with the
 * handshake, after each and after a timeout of your own (a Pong or Close may be left to send, or the close timeout
 * be over), call weir_client_receive() with timeout 0 until it returns something else than WEIR_CLIENT_OK. Not to
 * be read, written or closed. */
int weir_client_descriptor(const weir_client *client);

/* Ends the connection at once if it is still there, and frees everything. No other thread may use the client, and
 * it may not be called within a callback. NULL is allowed. */
void weir_client_destroy(weir_client *client);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
