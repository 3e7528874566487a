/* conn.h - a connection, from the 101 to its end. For the files conn*.c and the registry. All other code uses
 * <weir/conn.h>, or the functions at the end.
 *
 * Three tasks share the work; one thread at a time runs each:
 *
 *   - input reads, decodes and answers control frames (conn_input.h), pings and times out (conn_keepalive.c). It
 *     alone ends the connection.
 *   - flush compresses and writes what waits in the outbox; it ends with SHUT_WR after both Closes (conn_flush.c).
 *   - handler calls the handler's callbacks, with a permit (conn_handler.c). If they never block, input calls them.
 *
 * What belongs to one task needs no lock. The mutex guards what several tasks need.
 *
 * References: one for the living connection, released after the close callback; one for each task that is not
 * idle; one for each weir_conn_retain().
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CORE_CONN_H
#define WEIR_CORE_CONN_H

#include <weir/conn.h>

#include "base/small_mutex.h"
#include "base/time32.h"
#include "base/token_bucket.h"
#include "server/core/conn_state.h"
#include "server/core/core.h"
#include "server/core/inbox.h"
#include "server/core/outbox.h"
#include "server/core/transport.h"

/* Bytes of the thread's scratch memory: for what is read at once, followed by room for replies. */
enum { CONN_READ_SIZE = 65536, CONN_SCRATCH_SIZE = CONN_READ_SIZE + 16384 };
enum { USER_AGENT_MAX = 128 };

/* CONN_TEXT_USUAL: bytes of strings that count as part of every connection; strings beyond that count in
 * memory_limit. CONN_SUBSCRIPTION_COST: the approximate cost of a subscription, with its share of the channel. */
enum { CONN_TEXT_USUAL = 512, CONN_SUBSCRIPTION_COST = 256 };

/* The offset of a string in `text`, which begins with the path; 0: there is no such string. */
typedef uint16_t conn_text;

/* Times have 32 bits, and flags are bits, because there are very many connections. Adjacent bits are
 * written together, so they must belong to one task or to one lock. */
struct weir_conn {
    /* The fields that sending touches stand together, since a broadcast touches them for thousands of connections.
     * Immutable: */
    struct route *route; /* outlives the connection; for the core see conn_core() */
    struct transport transport;
    uint32_t compression_threshold; /* that of the settings in force when the connection began */
    struct deflate_params deflate;

    _Atomic uint8_t state;  /* enum conn_state; changed in conn_enter_locked() alone */
    _Atomic uint8_t pauses; /* a mask of enum conn_pause */
    _Atomic uint32_t references;
    _Atomic time32 stuck_at;   /* when a write found no room at all; TIME32_NONE: the last write found some */
    _Atomic int unsent;        /* bytes that the client had not acknowledged then; -1: not known */
    struct registry_link link; /* guarded by the registry's mutex */
    struct source source;      /* the poller's; contains the input and flush tasks */

    struct small_mutex mutex; /* guards all fields from here to the next blank line */
    uint32_t dropped;         /* number of messages that slow_consumer has dropped */
    struct outbox outbox;
    bool over_soft : 1;   /* the bytes waiting to be sent have exceeded the soft limit, and have not yet fallen to
                             half of it */
    bool drained_due : 1; /* the drained callback must be called */
    bool flushing : 1;    /* a thread is between outbox_fill_vectors() and outbox_sent() */
    bool closed_by_peer : 1; /* the peer's Close came first */
    bool drop_inbox : 1;     /* our side closes: waiting messages are not handled any more */
    bool drop_outbox : 1;    /* disconnected: waiting messages are not sent any more, once they can be dropped */
    bool handler_paused : 1; /* the replies have reached their limit */
    bool left : 1;           /* it has left its channels for good; this and the two fields below it belong to
                                channels/ */
    uint16_t close_code;     /* 0: not known yet */
    uint32_t subscription_count;
    struct subscription *subscriptions; /* NULL: none */
    struct inbox inbox;
    char *close_reason; /* passed to the close callback with the code; NULL: none */

    struct task handler;
    struct timer timer; /* guarded by the pool's mutex */

    _Atomic uint32_t partial;       /* bytes counted by memory_count() that the input task holds */
    _Atomic uint32_t round_trip_us; /* of the last ping that was answered; 0: no ping has been answered */
    _Atomic time32 message_at;      /* the last message in either direction; kept while there is an idle timeout */

    /* These belong to the task that calls the callbacks. */
    bool opened : 1, finished : 1; /* open has been called; close has been called */
    char *headers; /* name and value in turn, terminated, then an empty name; kept until `open` has returned.
                      Changed under the mutex */
    void *data;    /* see weir_conn_set_data() */

    /* Immutable once the connection is live. */
    struct zlib_state *zlib;                 /* NULL: no context is taken over from message to message */
    struct limited_address *limited_address; /* NULL: addresses have no limits */
    uint64_t id;                             /* set by registry_add(), like the key */
    uint64_t key;                            /* its key in the registry's table */
    uint64_t opened_at;                      /* pool_now() */

    /* These belong to the input task. */
    struct decoder decoder;
    struct pending_input *pending;    /* NULL: everything that was read has been decoded */
    uint64_t messages_in, payload_in; /* messages and their inflated bytes that arrived before a Close */
    uint64_t wire_in;                 /* bytes of any kind received after the request */
    struct throttle *throttle;        /* NULL: there is no limit on what may arrive */
    const struct settings *timed_by;  /* the settings that keepalive currently applies */
    uint64_t ping_payload;            /* of our last ping: microseconds of the monotonic clock; 0: it has been
                                         answered */
    time32 ping_due_at;               /* when the next ping is due */
    time32 pinged_at;                 /* when the ping was sent that still waits for traffic; TIME32_NONE: no ping
                                        waits */
    time32 wake_at;                   /* what the timer is set to; TIME32_NONE: it is not set */
    bool read_last : 1;               /* draining: nothing more is read */
    bool close_awaited : 1;           /* the close timeout runs, until wake_at */

    /* Its strings: immutable. */
    uint8_t param_count;
    conn_text peer, user, subprotocol; /* user and subprotocol may be missing */
    conn_text client;                  /* the address that a proxy named; missing without one: then it is the
                                          peer */
    conn_text user_agent;              /* cut to USER_AGENT_MAX bytes; missing if the client sent none or access is
                                          not logged */
    char text[]; /* terminated strings: path, name and value of each parameter, peer, and the others above */
};

/* Bytes that have been read, but are left for a later turn to decode. */
struct pending_input {
    uint32_t size;
    uint8_t bytes[];
};

/* The limits on how fast a client sends. Belongs to the input task. */
struct throttle {
    struct token_bucket messages, bytes; /* what has arrived */
    uint64_t until; /* milliseconds; the client is over its limits, and nothing is read before this
                       time */
};

/* The permessage-deflate contexts that continue from message to message. */
struct zlib_state {
    struct inflater *inflater; /* for the client's messages, used by the input task; NULL before the first message,
                                  or if none continues */
    struct deflater *deflater; /* for our messages, used by the flush task; NULL before the first message, or if
                                  none continues */
};

/* Returns one of its strings, or NULL if it has none there. */
static inline const char *conn_string(const struct weir_conn *conn, conn_text offset) {
    return offset == 0 ? NULL : conn->text + offset;
}

static inline enum conn_state conn_state(const struct weir_conn *conn) {
    return (enum conn_state)atomic_load(&conn->state);
}

/* Whether either side has closed, or the connection has ended: nothing can be sent any more. */
static inline bool conn_is_closing(const struct weir_conn *conn) {
    return conn_state(conn) >= CONN_CLOSE_SENT;
}

static inline bool conn_is_draining(const struct weir_conn *conn) {
    enum conn_state state = conn_state(conn);
    return state == CONN_DRAINING || state == CONN_DRAINED;
}

/* The route, and with it the core, stays as long as there is a handle. */
static inline struct core *conn_core(const struct weir_conn *conn) {
    return conn->route->core;
}

static inline const struct settings *conn_settings(const struct weir_conn *conn) {
    return core_settings(conn_core(conn));
}

/* What the handshake found out. Everything is copied. */
struct conn_request {
    const char *path; /* decoded, without the query */
    const char *peer;
    const char *client;                      /* the address that the proxy speaks for, or NULL */
    struct limited_address *limited_address; /* from address_limiter_admit() */
    const char *user;                        /* or NULL */
    void *data;                              /* for weir_conn_data() */
    const char *subprotocol;                 /* or NULL */
    const char *user_agent;                  /* or NULL; at most USER_AGENT_MAX bytes of it are kept */
    struct deflate_params deflate;
    size_t param_count;
    const char *const *params; /* name, value, name, value ... */
    size_t header_count;
    const char *const *headers; /* name, value, name, value ... */
};

/* Creates a connection. It takes over the transport and what registry_admit() and address_limiter_admit() have
 * counted, and sends the bytes of the 101 first. Returns NULL if memory is exhausted, or if the strings are longer
 * together than a conn_text can address. In that case the caller keeps everything. */
struct weir_conn *conn_create(struct route *route, const struct transport *transport,
                              const struct conn_request *request, const void *response, size_t response_size);

/* Makes the connection live: visible to broadcasts, watched, its 101 sent. The 101 is first in the outbox, so
 * nothing can overtake it. A client that has read it is already in the registry, so it misses nothing that another
 * client sends in response. Returns -1 on failure: the client is then disconnected, and the connection gone
 * without a callback. */
int conn_start(struct weir_conn *conn);

/* Reads once more what has arrived, ignoring message_rate and byte_rate, and handles everything that has been
 * read. Then it closes with 1001. Claims tasks into `ready`. */
void conn_drain(struct weir_conn *conn, struct task_list *ready);

/* Close with 1001 at once. conn_close_now() gives the server's stop as the reason, conn_send_away() this one. */
void conn_close_now(struct weir_conn *conn, struct task_list *ready);
void conn_send_away(struct weir_conn *conn, const char *reason, struct task_list *ready);

/* To be called after a reload. Makes the input task look at the settings now in force. */
void conn_renew(struct weir_conn *conn, struct task_list *ready);

/* The connection whose message is being handled on this thread in the turn that read it, by a handler that never
 * blocks. NULL: there is none. */
struct weir_conn *conn_in_turn(void);

/* conn_stop_reading() is called in the connection's turn. The connection is not read any more until another thread
 * calls conn_read_on(), which claims a task into `ready`. Returns false if reading had been stopped already. */
bool conn_stop_reading(struct weir_conn *conn);
void conn_read_on(struct weir_conn *conn, struct task_list *ready);

/* Ends the connection without a closing handshake. */
void conn_abort(struct weir_conn *conn, struct task_list *ready);

/* To be called before conn_start(). The connection will be closed with this code and reason as soon as it has
 * begun. */
void conn_close_at_start(struct weir_conn *conn, unsigned code, const char *reason);

/* Does what weir_conn_send() does, for a message that is known to be valid. */
enum weir_status conn_send(struct weir_conn *conn, enum weir_opcode opcode, const void *data, size_t size);

/* Adds a message to the outbox, without a system call, and claims the flush into `ready`. Takes over one of the
 * caller's references if it returns WEIR_OK. */
enum weir_status conn_append(struct weir_conn *conn, struct message *message, struct task_list *ready);

/* Does what conn_append() does, for up to 64 messages. Returns which were accepted, one bit for each, starting
 * with the lowest. Takes over one reference on each accepted message. */
uint64_t conn_append_all(struct weir_conn *conn, struct message *const *messages, unsigned count,
                         struct task_list *ready);

/* Makes the processor fetch what conn_append() and the flush task touch. */
static inline void conn_prefetch(const struct weir_conn *conn) {
    enum { CACHE_LINE_SIZE = 64 };
    const char *end = (const char *)&conn->subscription_count;
    for (const char *line = (const char *)conn; line <= end; line += CACHE_LINE_SIZE)
        __builtin_prefetch(line, 1);
}

/* The connection that a handler task belongs to; NULL if the task is not a connection's handler task. */
struct weir_conn *conn_of_handler(struct task *task);

#endif
