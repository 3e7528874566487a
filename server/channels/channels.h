/* channels.h - the channels of a server, by name. They are made when first needed and forgotten when no longer
 * needed. This is the interface for other layers; channel.h says what a channel is.
 *
 * Any thread may call any function. The caller checks names first (channel_name_valid()). The locks, in this
 * order:
 *
 *     channels    which channels there are
 *     channel     one channel: subscribers, offset, options
 *     history     what all channels remember
 *
 * The locks of connections come after these (core.h). The table's mutex is held for a lookup, a channel's for a
 * bounded number of steps. Messages are encoded and compressed without any lock.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CHANNELS_CHANNELS_H
#define WEIR_CHANNELS_CHANNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/channel.h>

#include "base/atomic_histogram.h"
#include "base/handle_table.h"
#include "base/thread_counter.h"
#include "pool/task.h"
#include "pool/timers.h"
#include "server/channels/channel_name.h"
#include "server/channels/history.h"
#include "server/core/core.h"

struct channel;

/* The options of a [channel PATTERN] section. */
struct channel_options {
    uint32_t history;         /* messages remembered */
    uint64_t history_age_ms;  /* how long they are remembered; 0: without limit */
    uint64_t position_ttl_ms; /* with a history: how long epoch and offset outlive subscribers and messages */
    uint32_t max_subscribers; /* 0: no limit */
    bool may_subscribe, may_publish; /* whether clients may */
    bool presence, announce, publisher;
};

struct channel_rule {
    char *pattern;
    struct channel_options options;
};

struct channels_limits {
    uint32_t channels, per_connection;
    size_t history_memory;
    size_t idle_memory; /* of channels without subscribers, not counting their history; SIZE_MAX: no limit */
};

enum published_by { PUBLISHED_BY_CLIENT, PUBLISHED_BY_API, PUBLISHED_BY_HANDLER, PUBLISHED_BY_COUNT };

/* Counted since the server started. */
struct channel_counters {
    struct thread_counter published[PUBLISHED_BY_COUNT];
    _Atomic uint64_t recovered, not_recovered;  /* subscriptions with `since` */
    _Atomic uint64_t evicted_own, evicted_full; /* idle channels evicted because their creator had too many, or
                                                   because all together were too many or too large */
};

struct channels {
    struct core *core;
    struct history_store store;
    struct channel_counters counters;
    uint64_t epoch_seed, name_seed; /* name_seed is a secret: see channel_table_hash() */
    _Atomic uint64_t subscriptions;

    struct mutex mutex;          /* guards all that follows */
    struct channel *by_name;     /* a uthash */
    struct handle_table handles; /* the same channels, at positions that do not move */
    uint32_t count;
    struct channel *idle; /* channels without subscribers, see idle.h */
    uint32_t idle_count;
    size_t idle_memory;
    struct creator *creators; /* a uthash */
    uint64_t epochs;          /* given so far */
    struct channel_rule *rules;
    size_t rule_count;
    struct channels_limits limits;

    struct concurrency_limit compressing; /* the pool's mutex guards it */

    struct task expiry;       /* forgets what is too old */
    uint32_t expiry_position; /* where the expiry task continues; only that task uses it */
    struct timer expiry_timer;
};

/* Starts without rules and with the default limits. Returns -1 if the kernel gives no random bytes for the
 * seeds. */
int channels_init(struct channels *channels, struct core *core);

/* Starts the expiry task. Call it once the pool runs; it ends with the pool. Returns -1 if memory is out. */
int channels_start(struct channels *channels);

/* Call it when no connection is left. */
void channels_release(struct channels *channels);

/* Applies copies of these rules and limits, to existing channels too. Returns -1 if memory is out; then nothing
 * has changed. */
int channels_configure(struct channels *channels, const struct channel_rule *rules, size_t rule_count,
                       const struct channels_limits *limits);

/* The options that the rules give this name. */
struct channel_options channels_options(struct channels *channels, const char *name);

/* --- Subscribing ------------------------------------------------------------------------------------------- */

/* The form in which a subscriber gets messages: as they are, or as objects of weir.v1. */
enum channel_form { FORM_RAW, FORM_WRAPPED, CHANNEL_FORMS };

enum join_result {
    JOIN_DONE,
    JOIN_ALREADY, /* it was subscribed before */
    JOIN_GONE,    /* the connection is ending */
    JOIN_CHANNELS_LIMIT,
    JOIN_CONNECTION_LIMIT,
    JOIN_SUBSCRIBERS_LIMIT,
    JOIN_NO_MEMORY
};

/* The state of a channel at the moment of joining it. */
struct joined {
    const char *name, *epoch;
    uint64_t offset;
    bool recovered;                /* the missed messages follow */
    const struct channel *channel; /* for channel_write_presence_locked() */
};

struct join {
    enum channel_form form;
    bool recover;      /* `since` and `epoch` count */
    uint64_t since;    /* offset of the last message that the client has */
    const char *epoch; /* NULL: not checked */
    uint32_t last;     /* number of recent messages to send, unless the missed ones follow; 0: none */

    /* Makes the answer, under the channel's mutex; the client gets it before any message. Returns NULL if there is
     * no answer or memory is out. May be NULL. */
    struct message *(*answer)(const struct joined *joined, void *context);
    void *context;
};

enum join_result channels_join(struct channels *channels, struct weir_conn *conn, const char *name,
                               const struct join *join);

/* Returns whether it was subscribed. */
bool channels_leave(struct channels *channels, struct weir_conn *conn, const char *name);

/* Hands a connection, at once, everything that waits for it in its channels. */
void channels_hand_out(struct weir_conn *conn);

/* Removes an ending connection from all its channels. It can join none afterwards. */
void channels_leave_all(struct weir_conn *conn);

bool channels_is_member(struct channels *channels, const struct weir_conn *conn, const char *name);

/* --- Publishing -------------------------------------------------------------------------------------------- */

enum publication_kind { PUBLICATION_TEXT, PUBLICATION_BINARY, PUBLICATION_JSON };

/* The caller has checked that text is valid UTF-8, and that JSON is one valid value. */
struct publication {
    const char *channel;
    enum publication_kind kind;
    const void *data;
    size_t size;
    struct weir_conn *publisher; /* NULL: no client */
    bool skip_publisher;
    enum published_by published_by;
};

struct published {
    uint64_t offset; /* 0: there is no such channel; nothing was sent or remembered */
    uint32_t subscribers;
    uint32_t receivers; /* `subscribers` without a skipped publisher */
    char epoch[20];     /* "" if there is no such channel */
};

/* Returns WEIR_OK, WEIR_LIMIT, WEIR_NO_MEMORY, or WEIR_DENIED if clients may not publish to the channel. */
enum weir_status channels_publish(struct channels *channels, const struct publication *publication,
                                  struct published *published);

/* Publish a handler's message. They check name, opcode and data themselves, and do what weir_publish() and
 * weir_publish_json() do. */
enum weir_status channels_publish_message(struct channels *channels, const char *channel, enum weir_opcode opcode,
                                          const void *data, size_t size, weir_publish_callback *done,
                                          void *context);
enum weir_status channels_publish_json(struct channels *channels, const char *channel, const void *json,
                                       size_t size, weir_publish_callback *done, void *context);

/* --- Querying ---------------------------------------------------------------------------------------------- */

struct channel_statistics {
    char name[CHANNEL_NAME_MAX + 1];
    char epoch[20];
    uint64_t offset;
    uint32_t subscribers;
    uint32_t history; /* messages remembered */
    double rate;      /* messages a second, in the current window of ten seconds and the one before */
};

/* Returns -1 if there is no such channel. */
int channels_query(struct channels *channels, const char *name, struct channel_statistics *statistics);

/* Calls `visit` for up to `count` channels, from `*position` on. It is 0 at first, and then left where the next
 * call goes on. Returns how many; fewer than `count` only at the end. Holds no mutex meanwhile. */
uint32_t channels_each(struct channels *channels, uint32_t *position, uint32_t count,
                       void (*visit)(const struct channel_statistics *statistics, void *arg), void *arg);

/* The messages remembered after `since`, as frames that carry objects of weir.v1. */
struct history_page {
    char epoch[20];
    uint64_t offset;           /* the last message's */
    bool complete;             /* the history reaches back to `since` */
    bool more;                 /* there are more messages than `limit` or `max_bytes` allow */
    struct message **messages; /* with a reference each */
    uint32_t count;
};

/* Reads the oldest messages after `since`: `limit` at most, and `max_bytes` at most unless it is one alone.
 * Returns -1 with errno: ENOENT if there is no such channel, ENOMEM if memory is out. */
int channels_read_history(struct channels *channels, const char *name, uint64_t since, uint32_t limit,
                          size_t max_bytes, struct history_page *page);
void history_page_release(struct history_page *page);

/* Writes which clients are subscribed into an open object: "count":n,"clients":[...], with `max` clients at most.
 * The first returns -1 if there is no such channel. */
struct json_writer;
int channels_write_presence(struct channels *channels, const char *name, uint32_t max, struct json_writer *writer);
void channel_write_presence_locked(const struct channel *channel, uint32_t max, struct json_writer *writer);

/* Forgets a channel's history and closes its subscribers' connections with 1001. Returns how many there were, or
 * -1 if there is no such channel. */
long channels_close(struct channels *channels, const char *name);

/* Counts the channels, and the subscriptions to all of them. */
void channels_count(struct channels *channels, uint32_t *count, uint64_t *subscriptions);

#endif
