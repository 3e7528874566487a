/* load_client.h - one connection of the load program: handshake, messages out and back, close. A client belongs to
 * one thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BENCH_LOAD_CLIENT_H
#define WEIR_BENCH_LOAD_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/bench/load_frame.h"
#include "tests/bench/load_options.h"
#include "tests/bench/load_tally.h"

enum { CLIENT_INPUT_SIZE = 131072 };

enum client_state {
    CLIENT_CLOSED,
    CLIENT_CONNECTING,
    CLIENT_HANDSHAKE, /* the request is sent */
    CLIENT_OPEN,
    CLIENT_CLOSING /* our Close is sent */
};

struct client {
    int descriptor;
    enum client_state state;
    uint32_t id;
    bool damaged; /* the message that is arriving is not as it was sent */

    /* Messages queued, sent whole and received back; those queued and not sent exist as numbers only. */
    uint64_t queued, sent, received;
    size_t sent_bytes;           /* of the frame of message `sent` */
    uint64_t *queued_at;         /* of the last `window` messages */
    uint8_t number[NUMBER_SIZE]; /* of the message that is arriving */
    struct frame_reader reader;

    uint64_t connected_at; /* when it began to connect */
    char *head;            /* the beginning of a response that was split */
    size_t head_size;
    uint8_t pong[6 + CONTROL_MAX];
    size_t pong_size, pong_sent;
};

/* What the clients of one thread share. */
struct client_group {
    const struct options *options;
    int epoll;
    char request[1280];
    size_t request_size;
    uint8_t *input; /* CLIENT_INPUT_SIZE bytes */
    struct frames frames;
    uint64_t now;   /* nanoseconds; read anew with every input */
    bool sending;   /* a message received lets the next one be sent */
    bool measuring; /* what is received is counted */

    unsigned handshakes, open, closing; /* clients in these states */
    uint64_t outstanding;               /* messages queued and not received back */
    uint64_t published, delivered;      /* of a broadcast */
    struct tally tally;
};

uint64_t client_clock(void);

/* Begins to connect. */
void client_connect(struct client_group *group, struct client *client);

/* Goes on after epoll has told of `events`. */
void client_ready(struct client_group *group, struct client *client, uint32_t events);

/* Sends the first messages of an open client that is to send. */
void client_start(struct client_group *group, struct client *client);

/* Begins the closing handshake of an open client. */
void client_close(struct client_group *group, struct client *client);

/* Lets go of everything at once. */
void client_drop(struct client_group *group, struct client *client);

#endif
