/* bench_client.h - one connection of the load tester and its states, from connecting to closing. A client belongs
 * to one thread; the clients of a thread form a group. exchange.h handles what is sent over an open connection.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BENCH_LOAD_BENCH_CLIENT_H
#define WEIR_BENCH_LOAD_BENCH_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "commands/bench/load/payload.h"
#include "commands/bench/load/sequence.h"
#include "commands/bench/load/target.h"
#include "commands/bench/result.h"
#include "commands/bench/seconds.h"
#include "commands/bench/settings.h"
#include "ws/decoder.h"

enum { BENCH_INPUT_SIZE = 131072, BENCH_OUTPUT_SIZE = 65536 };

enum bench_client_state {
    BENCH_WAITING, /* waits to be connected; the state of a zeroed client */
    BENCH_CONNECTING,
    BENCH_HANDSHAKE, /* the request has been sent */
    BENCH_OPEN,
    BENCH_CLOSING, /* our Close has been sent */
    BENCH_RESTING, /* scenario connect: the connection failed, and is tried again soon */
    BENCH_CLOSED
};

/* Bytes in the heap that are sent unchanged. */
struct leftover {
    uint8_t *bytes;
    uint32_t size, sent;
};

/* The members that each message needs are at the beginning, together in a cache line. */
struct bench_client {
    _Alignas(64) int descriptor;
    enum bench_client_state state;
    uint32_t id; /* unique among all clients of the run; those that send have the lowest ids */

    /* When messages were due to be sent: a ring from the oldest that is still needed to the newest. */
    uint32_t times_mask;
    uint64_t *times, one_time;

    /* Counts of messages queued, sent completely, and received back. Messages that are queued but not sent exist
     * only as numbers. `received` counts the client's own messages in a broadcast, and with EXPECT_NONE the
     * messages sent. */
    uint64_t queued, sent, received;
    size_t sent_bytes; /* bytes of message `sent`'s frame that have been sent */

    struct leftover leftover; /* the rest of a control frame, or of a frame that cannot be made again */
    struct leftover pong;     /* a Pong that waits until the current frame is complete */
    struct decoder decoder;
    bool compressing;       /* permessage-deflate was negotiated */
    bool fed;               /* the client is in the list `feeding` */
    bool was_open;          /* the connection was open at some time */
    struct sequence *heard; /* in a broadcast: one for each publisher of the client's room */

    struct leftover head;                 /* the beginning of a handshake answer that arrived in pieces */
    struct bench_client *previous, *next; /* in the list of the client's state, if it has one, or in `feeding` */
    uint64_t since;                       /* when the client entered the list of its state */
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
    unsigned loopback_sources; /* use 127.0.0.2 and the following addresses in turn; 0: the system chooses */
    int epoll;
    uint8_t *input, *output; /* BENCH_INPUT_SIZE and BENCH_OUTPUT_SIZE bytes */
    uint8_t *plain, *packed; /* with compression: a message, and its frame of packed_size bytes at most */
    size_t packed_size;
    struct deflater *deflater;
    struct inflater *inflater;
    struct decoder_limits limits;
    struct weir_client_options options;

    uint64_t now;          /* nanoseconds; updated with every read */
    uint64_t began;        /* start of the run; times in messages are relative to it */
    uint64_t measure_from; /* messages that were due before are not measured */
    bool sending;          /* each message received triggers the next one */

    struct bench_list waiting, handshakes, closing, resting;
    struct bench_list feeding;  /* EXPECT_NONE: open clients that have sent all that they had to */
    unsigned handshaking, open; /* number of clients in these states */
    uint64_t outstanding; /* messages queued and not received back (EXPECT_NONE: not sent); not in a broadcast */
    uint64_t delivered;   /* in a broadcast: each message counts once for each receiving client */
    bool declined;        /* compression was offered, and the server declined it */

    struct weir_client_error error; /* why a client ends, see exchange_take() */
    struct second second;           /* counts since the last second was delivered */
    struct result result;
};

uint64_t bench_clock(void);

/* Appends a client that is in no list to `waiting`. */
void bench_client_wait(struct bench_group *group, struct bench_client *client);

/* Starts to connect a client of the list `waiting`, and removes it from that list. */
void bench_client_connect(struct bench_group *group, struct bench_client *client);

/* Handles `events` that epoll reported. */
void bench_client_ready(struct bench_group *group, struct bench_client *client, uint32_t events);

/* Lets at most `count` clients of `feeding` send the next messages of their windows. */
void bench_client_feed(struct bench_group *group, unsigned count);

/* Sends the messages that are queued. */
void bench_client_flush(struct bench_group *group, struct bench_client *client);

/* Sends the first messages of an open client, as many as its window allows. */
void bench_client_start(struct bench_group *group, struct bench_client *client);

/* Counts a waiting client as one that could not connect. */
void bench_client_give_up(struct bench_group *group, struct bench_client *client);

/* Starts the closing handshake of an open client. */
void bench_client_close(struct bench_group *group, struct bench_client *client);

/* Closes the connection and frees its data at once; messages that were not received back count as missing. */
void bench_client_drop(struct bench_group *group, struct bench_client *client);

/* Ends handshakes and closes that take too long; clients whose pause is over wait to be connected again. Returns
 * when to call it again; UINT64_MAX if nothing is pending. */
uint64_t bench_client_expire(struct bench_group *group, uint64_t now);

#endif
