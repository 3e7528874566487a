/* channels.h - the channels of a server by name: made when somebody needs them, forgotten when nobody does. What
 * other layers may ask of channels stands here; what a channel is, in channel.h.
 *
 * Every function may be called from any thread. Names are to be checked before (channel_name_valid()). Locks:
 *
 *     channels    which channels there are
 *     channel     one channel: subscribers, offset, options
 *     history     what all channels remember
 *
 * in this order, and those of the connections come below them (core.h). The table's is held for a lookup; that
 * of a channel for a bounded number of steps. A message is encoded and compressed without any.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CHANNELS_CHANNELS_H
#define WEIR_CHANNELS_CHANNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pool/buckets.h"
#include "pool/slots.h"
#include "pool/striped.h"
#include "pool/task.h"
#include "pool/timers.h"
#include "server/channels/history.h"
#include "server/core/core.h"
#include "server/proto/channel_name.h"

struct channel;

/* What [channel PATTERN] says. */
struct channel_options {
    uint32_t history;         /* messages remembered */
    uint64_t history_age_ms;  /* for so long; 0: any time */
    uint64_t position_ttl_ms; /* with a history: epoch and offset outlive subscribers and messages for so long */
    uint32_t max_subscribers; /* 0: any number */
    bool may_subscribe, may_publish; /* clients */
    bool presence, announce, publisher;
};

struct channel_rule {
    char *pattern;
    struct channel_options options;
};

struct channels_limits {
    uint32_t channels, per_connection;
    size_t history_memory;
    size_t idle_memory; /* of channels without subscribers, beside their history; SIZE_MAX: any */
};

enum publish_source { PUBLISHED_BY_CLIENT, PUBLISHED_BY_API, PUBLISHED_BY_HANDLER, PUBLISH_SOURCES };

/* Since the server began to run. */
struct channel_counters {
    struct striped published[PUBLISH_SOURCES];
    _Atomic uint64_t recovered, not_recovered;  /* subscriptions with `since` */
    _Atomic uint64_t evicted_own, evicted_full; /* idle channels, since their creator made too many; or all did */
};

struct channels {
    struct core *core;
    struct history_store store;
    struct channel_counters counters;
    uint64_t epoch_seed, name_seed; /* the second is a secret: see channels_hash() */
    _Atomic uint64_t subscriptions;

    struct mutex mutex;      /* guards all below */
    struct channel *by_name; /* a uthash */
    struct slots slots;      /* the same, in places that do not move */
    uint32_t count;
    struct channel *idle; /* those without subscribers, see idle.h */
    uint32_t idle_count;
    size_t idle_memory;
    struct creator *creators; /* a uthash */
    uint64_t epochs;          /* given so far */
    struct channel_rule *rules;
    size_t rule_count;
    struct channels_limits limits;

    struct lane compressing; /* the pool's */

    struct task sweep; /* forgets what is too old */
    uint32_t swept;    /* that task's: where it goes on */
    struct timer sweep_timer;
};

/* No rules, and the limits of the defaults. -1 if memory is out. */
int channels_init(struct channels *channels, struct core *core);

/* Once the pool runs; until it is stopped. -1 if memory is out. */
int channels_start(struct channels *channels);

/* With no connection left. */
void channels_release(struct channels *channels);

/* From now on these rules and limits, copied, for channels that exist too. -1 if memory is out, and then nothing
 * has changed. */
int channels_configure(struct channels *channels, const struct channel_rule *rules, size_t rule_count,
                       const struct channels_limits *limits);

/* What the rules say of a name. */
struct channel_options channels_options(struct channels *channels, const char *name);

/* --- Subscribing ------------------------------------------------------------------------------------------- */

/* How a subscriber gets messages: as they are, or as objects of weir.v1. */
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

/* What is said of a channel at the moment of joining it. */
struct joined {
    const char *name, *epoch;
    uint64_t offset;
    bool recovered;                /* what was missed follows */
    const struct channel *channel; /* for channel_write_presence_locked() */
};

struct join {
    enum channel_form form;
    bool recover;      /* the two that follow count */
    uint64_t since;    /* the last message that the client has */
    const char *epoch; /* NULL: not checked */
    uint32_t last;     /* so many messages, unless what was missed follows; 0: none */

    /* Makes the answer, under the channel's mutex; it is sent before any message. NULL: there is none, or memory is
     * out. The function itself may be NULL. */
    struct message *(*answer)(const struct joined *joined, void *context);
    void *context;
};

enum join_result channels_join(struct channels *channels, struct weir_conn *conn, const char *name,
                               const struct join *join);

/* Returns whether it was subscribed. */
bool channels_leave(struct channels *channels, struct weir_conn *conn, const char *name);

/* Hands a connection at once what waits for it in its channels. */
void channels_hand_out(struct weir_conn *conn);

/* A connection that ends leaves all its channels, and joins none any more. */
void channels_leave_all(struct weir_conn *conn);

bool channels_is_member(struct channels *channels, const struct weir_conn *conn, const char *name);

/* --- Publishing -------------------------------------------------------------------------------------------- */

enum publication_kind { PUBLICATION_TEXT, PUBLICATION_BINARY, PUBLICATION_JSON };

/* Text is valid UTF-8 and JSON is one checked value: the caller has seen to that. */
struct publication {
    const char *channel;
    enum publication_kind kind;
    const void *data;
    size_t size;
    struct weir_conn *publisher; /* NULL: no client */
    bool skip_publisher;
    enum publish_source source;
};

struct published {
    uint64_t offset; /* 0: there is no such channel, so nobody was told and nothing remembered */
    uint32_t subscribers;
    uint32_t receivers; /* those, but for a publisher that is skipped */
};

/* WEIR_OK, WEIR_LIMIT, WEIR_NO_MEMORY, or WEIR_DENIED: the channel does not take a client's. */
enum weir_result channels_publish(struct channels *channels, const struct publication *publication,
                                  struct published *published);

/* The same by a handler, of any name and opcode. Returns as weir_publish(), weir_publish_json(). */
long channels_publish_message(struct channels *channels, const char *channel, enum weir_opcode opcode,
                              const void *data, size_t size);
long channels_publish_json(struct channels *channels, const char *channel, const void *json, size_t size);

/* --- Looking ----------------------------------------------------------------------------------------------- */

struct channel_figures {
    char name[CHANNEL_NAME_MAX + 1];
    char epoch[20];
    uint64_t offset;
    uint32_t subscribers;
    uint32_t history; /* messages remembered */
    double rate;      /* messages a second, of the last ten seconds or so */
};

/* -1: there is no such channel. */
int channels_look(struct channels *channels, const char *name, struct channel_figures *figures);

/* Calls `visit` for each channel, `count` at most, from `*position` on, which is 0 at first and then left where the
 * next call is to go on. Returns how many: less than `count` only at the end. No mutex is held. */
uint32_t channels_each(struct channels *channels, uint32_t *position, uint32_t count,
                       void (*visit)(const struct channel_figures *figures, void *arg), void *arg);

/* The whole of what is being remembered behind `since`, as objects of weir.v1 without their frames. */
struct channel_past {
    char epoch[20];
    uint64_t offset;           /* the last message's */
    bool complete;             /* the history reaches back to `since` */
    bool more;                 /* there are more messages than `limit` or `max_bytes` allow */
    struct message **messages; /* with a reference each */
    uint32_t count;
};

/* `limit` messages at most, the oldest of them first. -1: there is no such channel, or memory is out (then errno is
 * ENOMEM). */
int channels_past(struct channels *channels, const char *name, uint64_t since, uint32_t limit, size_t max_bytes,
                  struct channel_past *past);
void channel_past_release(struct channel_past *past);

/* Who is there: `{"count":n,"clients":[...]}` without the braces, of `max` clients at most. */
struct json_writer;
int channels_write_presence(struct channels *channels, const char *name, uint32_t max, struct json_writer *writer);
void channel_write_presence_locked(const struct channel *channel, uint32_t max, struct json_writer *writer);

/* Forgets its history and closes its subscribers' connections with 1001. Returns how many they were; -1: there is
 * no such channel. */
long channels_close(struct channels *channels, const char *name);

/* Channels, and subscriptions to all of them together. */
void channels_count(struct channels *channels, uint32_t *count, uint64_t *subscriptions);

#endif
