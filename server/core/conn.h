/* conn.h - a connection, from the 101 to its end. For the files conn*.c and the registry; everybody else uses
 * <weir/conn.h>, or the functions at the end.
 *
 * Three tasks share the work, each run by one thread at a time:
 *
 *   - input reads, decodes, answers control frames; the only one that tears the connection down (conn_input.c), and
 *     that pings and times it out (conn_keepalive.c)
 *   - flush compresses and writes what waits in the outbox, ends with SHUT_WR after both Closes (conn_flush.c)
 *   - handler calls the handler's callbacks, in a slot; if these never block, input does (conn_handler.c)
 *
 * What belongs to a task needs no lock. What several need the latch guards.
 *
 * One reference stands for the living connection (given up after the close callback), one for each task that is not
 * idle, one for each weir_retain().
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CORE_CONN_H
#define WEIR_CORE_CONN_H

#include <weir/conn.h>

#include "pool/latch.h"
#include "server/core/core.h"
#include "server/core/inbox.h"
#include "server/core/outbox.h"
#include "server/core/rate.h"
#include "server/core/stamp.h"
#include "server/core/transport.h"

/* Bytes of the thread's scratch memory: for what is read at once, and for replies behind it. */
enum { CONN_READ_SIZE = 65536, CONN_SCRATCH_SIZE = CONN_READ_SIZE + 16384 };
enum { USER_AGENT_MAX = 128 };

/* Bytes of its strings that are part of what any connection costs; more of them count in memory_limit. And what a
 * subscription costs about, with its share of the channel. */
enum { CONN_TEXT_USUAL = 512, CONN_SUBSCRIPTION_COST = 256 };

/* Where a string stands in `text`, which begins with the path; 0: there is none. */
typedef uint16_t conn_text;

/* Times are stamps, of four bytes, and flags are bits, for there are very many connections. Bits that stand side by
 * side are written together: they have to belong to one task, or to one lock. */
struct weir_conn {
    /* What sending touches stands together, since a broadcast touches it for thousands. Immutable: */
    struct route *route; /* which lives as long; for the core see conn_core() */
    struct transport transport;
    uint32_t compression_threshold; /* that of the terms when it began */
    struct deflate_params deflate;

    _Atomic bool closing;  /* set under the latch, once: nothing can be sent any more */
    _Atomic bool draining; /* likewise: read once more, handle what waits, then close with 1001 */
    _Atomic bool stopped;  /* conn_stop_reading() */
    _Atomic uint32_t references;
    _Atomic stamp stuck_at;    /* when a write found no room for anything; STAMP_NONE: the last one did */
    _Atomic int unsent;        /* what the kernel had not sent then */
    struct registry_link link; /* the registry's mutex */
    struct source source;      /* the poller's, with two of the tasks */

    struct latch latch; /* guards all that follows, to the next blank line */
    uint32_t dropped;   /* messages that slow_consumer has dropped */
    struct outbox outbox;
    bool over_soft : 1;   /* all that waits to be sent has been over the soft limit, and not yet under half of it */
    bool drained_due : 1; /* the drained callback is */
    bool send_failed : 1;
    bool flushing : 1;       /* a thread is between outbox_gather() and outbox_sent() */
    bool ended : 1;          /* torn down: the close callback is due once the inbox is empty */
    bool closed_by_peer : 1; /* the peer's Close came first */
    bool drop_inbox : 1;     /* we close: what waits is not handled any more */
    bool drop_outbox : 1;    /* disconnected: what waits is not sent any more, once it can be dropped */
    bool input_stopped : 1;  /* draining: the reader has handed over all it had */
    bool may_shut : 1;       /* once our Close has left, the socket may be shut for writing: peer_done */
    bool close_flushed : 1;  /* that has been done */
    bool input_paused : 1;   /* the inbox or the replies are over their limit */
    bool handler_paused : 1; /* the replies are */
    bool left : 1;           /* its channels, for ever: this and the two below belong to channels/ */
    uint16_t close_code;     /* 0: not known yet */
    uint32_t subscription_count;
    struct subscription *subscriptions; /* NULL: none */
    struct inbox inbox;
    char *close_reason; /* what the close callback is told, with the code; NULL: none */

    struct task handler;
    struct timer timer; /* the pool's */

    _Atomic uint32_t partial;       /* bytes of memory_count() that the input task holds */
    _Atomic uint32_t round_trip_us; /* of the last ping answered; 0: none was */
    _Atomic stamp message_at;       /* the last message in either direction, if there is an idle timeout */

    /* The task's that calls the callbacks. */
    bool opened : 1, finished : 1; /* open has been called; close has */
    char *headers; /* name and value in turn, terminated, then an empty name; until `open` has returned. Changed
                    * under the latch */
    void *data;    /* weir_set_data() */

    /* Immutable. */
    struct streams *streams; /* NULL: no context is taken over from message to message */
    struct visitor *visitor; /* its place among those of its address; NULL: there are no limits */
    uint64_t id;             /* these two are set by registry_add() */
    uint64_t key;            /* in the registry's table */
    uint64_t opened_at;      /* pool_now() */

    /* The input task's. */
    struct decoder decoder;
    struct rest *rest;                /* NULL: all that has been read is decoded */
    uint64_t messages_in, payload_in; /* before a Close; bytes, inflated */
    uint64_t wire_in;                 /* bytes of any kind that have come, behind the request */
    struct throttle *throttle;        /* NULL: no limit on what may come */
    const struct terms *timed_by;     /* the terms that keepalive goes by */
    uint64_t ping_payload;            /* of our last ping: microseconds of the monotonic clock; 0: it is answered */
    stamp ping_due_at;                /* the next ping */
    stamp pinged_at;                  /* the ping that waits for traffic; STAMP_NONE: none does */
    stamp wake_at;                    /* what the timer is set to; STAMP_NONE: it is not */
    bool torn_down : 1;
    bool read_last : 1;     /* draining: nothing more is read */
    bool peer_done : 1;     /* its Close, its end or nonsense has come: nothing more is decoded */
    bool close_awaited : 1; /* the close timeout runs, until wake_at */

    /* Its strings: immutable. */
    uint8_t param_count;
    conn_text peer, user, subprotocol; /* the last two may be missing */
    conn_text client;                  /* likewise: the peer */
    conn_text user_agent;              /* likewise, cut: none, or access is not logged */
    char text[]; /* terminated: path, name and value of each parameter, peer and the others above */
};

/* What has been read, but is for another turn to decode. */
struct rest {
    uint32_t size;
    uint8_t bytes[];
};

/* The limits on how much a client sends: the input task's. */
struct throttle {
    struct rate messages, bytes; /* what has come */
    uint64_t until;              /* beyond the limits: nothing is read before */
};

/* The contexts of permessage-deflate that go on from message to message. */
struct streams {
    struct inflater *inflater; /* the client's: the input task's; NULL before the first message, or none goes on */
    struct deflater *deflater; /* ours: the flush task's; likewise */
};

/* One of its strings; NULL if it has none. */
static inline const char *conn_string(const struct weir_conn *conn, conn_text place) {
    return place == 0 ? NULL : conn->text + place;
}

/* As long as there is a handle, the route is there, and the core with it. */
static inline struct core *conn_core(const struct weir_conn *conn) {
    return conn->route->core;
}

static inline const struct terms *conn_terms(const struct weir_conn *conn) {
    return core_terms(conn_core(conn));
}

/* What a handshake has learnt; all of it is copied. */
struct conn_request {
    const char *path; /* decoded, without the query */
    const char *peer;
    const char *client;      /* the address for whom a proxy speaks, or NULL */
    struct visitor *visitor; /* from visitors_admit() */
    const char *user;        /* or NULL */
    const char *subprotocol; /* or NULL */
    const char *user_agent;  /* or NULL; USER_AGENT_MAX bytes of it are kept */
    struct deflate_params deflate;
    size_t param_count;
    const char *const *params; /* name, value, name, value ... */
    size_t header_count;
    const char *const *headers; /* likewise */
};

/* A connection that takes over the transport and the places that registry_admit() and visitors_admit() gave, with
 * the bytes of the 101 as the first that it sends. NULL if memory is out, or the strings are longer together than
 * a conn_text can tell: the caller then still has all. */
struct weir_conn *conn_create(struct route *route, const struct transport *transport,
                              const struct conn_request *request, const void *response, size_t response_size);

/* Makes it live: visible to broadcasts, watched, its 101 sent. The 101 stands first in the outbox, so nothing can
 * overtake it. A client that has read it is in the registry already: what another client sends upon that is not
 * missed. Returns -1 if it cannot be: the client is then disconnected, and the connection gone without a callback.
 */
int conn_start(struct weir_conn *conn);

/* Reads once more what has arrived, without regard to message_rate and byte_rate; handles all that has been read;
 * then closes with 1001. Claims tasks into `ready`. */
void conn_drain(struct weir_conn *conn, struct task_list *ready);

/* Closes with 1001 at once; because the server stops, or for this reason. */
void conn_close_now(struct weir_conn *conn, struct task_list *ready);
void conn_send_away(struct weir_conn *conn, const char *reason, struct task_list *ready);

/* After a reload: has the input task look at the terms in force now. */
void conn_renew(struct weir_conn *conn, struct task_list *ready);

/* Before a reload that sets an idle timeout where there was none: so far nobody has looked at its clock. */
void conn_start_idle_clock(struct weir_conn *conn, struct task_list *ready);

/* The connection whose message is handled on this thread where it was read, by a handler that never blocks; NULL:
 * none is. */
struct weir_conn *conn_in_turn(void);

/* To be called in its turn: it is not read any more until another thread calls conn_read_on(), which claims a task
 * into `ready`. Returns false if that is so already. */
bool conn_stop_reading(struct weir_conn *conn);
void conn_read_on(struct weir_conn *conn, struct task_list *ready);

/* Ends it without any farewell. */
void conn_abort(struct weir_conn *conn, struct task_list *ready);

/* Before conn_start(): the connection will be closed with this code and reason as soon as it has begun. */
void conn_close_at_start(struct weir_conn *conn, unsigned code, const char *reason);

/* Sends what is known to be valid: else like weir_send(). */
enum weir_result conn_send(struct weir_conn *conn, enum weir_opcode opcode, const void *data, size_t size);

/* Adds a message to the outbox, without a system call, and claims the flush into `ready`. Takes over a reference of
 * the caller's, if it returns WEIR_OK. */
enum weir_result conn_append(struct weir_conn *conn, struct message *message, struct task_list *ready);

/* The same for up to 64 messages. Returns which of them were accepted, a bit for each from the lowest on: of those
 * it takes over a reference each. */
uint64_t conn_append_all(struct weir_conn *conn, struct message *const *messages, unsigned count,
                         struct task_list *ready);

/* Has the processor fetch what conn_append() and the flush task touch. */
static inline void conn_prefetch(const struct weir_conn *conn) {
    enum { CACHE_LINE_SIZE = 64 };
    const char *end = (const char *)&conn->subscription_count;
    for (const char *line = (const char *)conn; line <= end; line += CACHE_LINE_SIZE)
        __builtin_prefetch(line, 1);
}

/* The connection that a handler task belongs to. */
struct weir_conn *conn_of_handler(struct task *task);

#endif
