/* bench_client.h - one connection of the load tester: its states, from connecting to closing. A client belongs to
 * one thread, and with others of that thread to a group. What goes over an open connection is in exchange.h.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BENCH_CLIENT_H
#define WEIR_BENCH_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/bench/payload.h"
#include "client/bench/result.h"
#include "client/bench/seconds.h"
#include "client/bench/sequence.h"
#include "client/bench/settings.h"
#include "client/bench/target.h"
#include "server/proto/decoder.h"

enum { BENCH_INPUT_SIZE = 131072, BENCH_OUTPUT_SIZE = 65536 };

enum bench_client_state {
    BENCH_WAITING, /* to be connected; that is where all zero begins */
    BENCH_CONNECTING,
    BENCH_HANDSHAKE, /* the request is sent */
    BENCH_OPEN,
    BENCH_CLOSING, /* our Close is sent */
    BENCH_RESTING, /* of the scenario connect: it failed, and tries again soon */
    BENCH_CLOSED
};

/* Bytes in the heap that go out as they are. */
struct leftover {
    uint8_t *bytes;
    uint32_t size, sent;
};

/* What each message needs stands together, at the beginning of a cache line. */
struct bench_client {
    _Alignas(64) int descriptor;
    enum bench_client_state state;
    uint32_t id; /* among all clients of the run; those that send come first */

    /* When messages were to be sent: a ring, from the oldest that is needed to the newest. */
    uint32_t times_mask;
    uint64_t *times, one_time;

    /* Messages queued, sent whole, and received back; those queued and not sent exist as numbers only. `received`
     * are the own ones in a broadcast; with EXPECT_NONE those that were sent. */
    uint64_t queued, sent, received;
    size_t sent_bytes; /* of the frame of message `sent` */

    struct leftover leftover; /* the rest of a frame that cannot be made again, or of a control frame */
    struct leftover pong;     /* a Pong that waits for the end of a frame */
    struct decoder decoder;
    bool compressing;       /* permessage-deflate was agreed on */
    bool fed;               /* it is in the list `feeding` */
    bool was_open;          /* whatever became of it later */
    struct sequence *heard; /* in a broadcast: one for each publisher of its room */

    struct leftover head;                 /* the beginning of an answer to the handshake that came in pieces */
    struct bench_client *previous, *next; /* in the list of its state, if that has one; or in `feeding` */
    uint64_t since;                       /* when it came into that list */
};

_Static_assert(sizeof(struct bench_client) <= 320, "18,000 clients are to fit into one process with ease");

struct bench_list {
    struct bench_client *first, *last;
};

/* What the clients of one thread share. */
struct bench_group {
    const struct settings *settings;
    const struct payload *payload;
    const struct target *targets;
    unsigned loopback_sources; /* 127.0.0.2 and the next are used in turn; 0: the system's choice */
    int epoll;
    uint8_t *input, *output; /* BENCH_INPUT_SIZE, BENCH_OUTPUT_SIZE bytes */
    uint8_t *plain, *packed; /* with compression: a message, and its frame; packed_size bytes */
    size_t packed_size;
    struct deflater *deflater;
    struct inflater *inflater;
    struct decoder_limits limits;
    struct weir_client_options options;

    uint64_t now;          /* nanoseconds; read anew with every input */
    uint64_t began;        /* of the run: times in messages count from here */
    uint64_t measure_from; /* messages that were to be sent before are not measured */
    bool sending;          /* a message received lets the next one be sent */

    struct bench_list waiting, handshakes, closing, resting;
    struct bench_list feeding;  /* EXPECT_NONE: open, and all that they had to send has left */
    unsigned handshaking, open; /* clients in these states */
    uint64_t outstanding;       /* messages queued and not received back (EXPECT_NONE: sent); not in a broadcast */
    uint64_t delivered;         /* in a broadcast: each message once for each client */
    bool declined;              /* compression was offered, and the server did not want it */

    struct weir_client_error error; /* why a client ends, see exchange_take() */
    struct second second;           /* since the last one was delivered */
    struct result result;
};

uint64_t bench_clock(void);

/* Puts a client that is in no list at the end of `waiting`. */
void bench_client_wait(struct bench_group *group, struct bench_client *client);

/* Begins to connect a client of the list `waiting`, and takes it off that list. */
void bench_client_connect(struct bench_group *group, struct bench_client *client);

/* Goes on after epoll has told of `events`. */
void bench_client_ready(struct bench_group *group, struct bench_client *client, uint32_t events);

/* Lets the clients of `feeding` send the next messages of their windows, so many clients at most. */
void bench_client_feed(struct bench_group *group, unsigned count);

/* Sends what is queued. */
void bench_client_flush(struct bench_group *group, struct bench_client *client);

/* Sends the first messages of an open client: as many as the window has. */
void bench_client_start(struct bench_group *group, struct bench_client *client);

/* Counts a client that waits as one that could not connect. */
void bench_client_give_up(struct bench_group *group, struct bench_client *client);

/* Begins the closing handshake of an open client. */
void bench_client_close(struct bench_group *group, struct bench_client *client);

/* Lets go of everything at once; what it had under way is missing. */
void bench_client_drop(struct bench_group *group, struct bench_client *client);

/* Ends handshakes and closes that take too long; those that have rested wait to be connected. Returns when to call
 * it again, UINT64_MAX if nothing is under way. */
uint64_t bench_client_expire(struct bench_group *group, uint64_t now);

#endif
