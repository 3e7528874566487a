/* client_private.h - a client's inside, for the files client*.c alone.
 *
 * Who may touch what:
 *  - the receiver (the one thread within weir_client_receive(), weir_client_run() or weir_client_close()) reads the
 *    stream and decodes;
 *  - the writer (the one thread that has made `writing` true) writes frames, whole ones;
 *  - `mutex` guards the rest. It is held for moments: nobody waits for the network with it.
 *
 * The receiver never waits for the writer, who may be stuck because the server waits for us to read. A Pong or
 * Close that is due while somebody writes is left in `control` for the writer, who sends it before letting go. With
 * no writer, the receiver becomes it, writes as much as the system takes, and sends the rest while it polls.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CLIENT_PRIVATE_H
#define WEIR_CLIENT_PRIVATE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/client.h>

#include "client/opening.h"
#include "client/stream.h"
#include "server/proto/close_code.h"
#include "server/proto/decoder.h"
#include "server/proto/deflate.h"
#include "server/proto/extension.h"

enum {
    CLIENT_INPUT_SIZE = 65536,
    CLIENT_CHUNK_SIZE = 16384, /* masked at a time; header and payload of a small message leave together */
    CLIENT_MASKS_SIZE = 256,   /* random bytes fetched at a time */
    CLIENT_CONTROL_SIZE = 6 + CONTROL_PAYLOAD_MAX
};

/* Control frames that are due. */
struct client_control {
    bool pong, close;
    uint8_t pong_size, close_size;
    uint8_t pong_payload[CONTROL_PAYLOAD_MAX], close_payload[CONTROL_PAYLOAD_MAX];
};

struct weir_client {
    /* Not changed once there is a connection. */
    int stream;
    int wake; /* an eventfd: makes the receiver look again */
    uint64_t send_timeout, close_timeout;
    struct decoder_limits limits;
    struct deflate_params deflate;
    char *head; /* of the server's answer, judged */
    size_t head_size;
    const char *subprotocol; /* in there */
    char peer[STREAM_PEER_SIZE];

    /* The receiver's. */
    struct decoder decoder;
    struct inflater *inflater; /* NULL until the first compressed message */
    uint8_t *input;            /* CLIENT_INPUT_SIZE bytes; the message handed out may lie there */
    size_t input_at, input_end;
    void (*pong)(void *context, const void *data, size_t size);
    void *pong_context;
    unsigned late_reads; /* since the close deadline */

    /* The writer's. */
    struct deflater *deflater; /* NULL until the first compressed message */
    uint8_t *chunk;            /* CLIENT_CHUNK_SIZE bytes */
    uint8_t masks[CLIENT_MASKS_SIZE];
    size_t masks_left;
    uint8_t frame[CLIENT_CONTROL_SIZE]; /* a control frame that the system has not taken whole */

    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t written;
    bool writing, receiving;
    bool held;                  /* weir_client_receive() has handed out a message, and has not been called since; */
    pthread_t holder;           /* by this thread */
    size_t frame_at, frame_end; /* of `frame`; only the writer changes them */
    struct client_control control;
    bool close_queued;        /* ours is due, or sent: no frame may follow it */
    bool close_received;      /* the server's */
    bool write_failed;        /* no frame leaves any more; what has arrived may still be read */
    bool over;                /* nothing is read any more, nor written but a Close that is due */
    uint64_t close_deadline;  /* for the server's Close and the end of the stream; STREAM_NEVER until it matters */
    unsigned close_code;      /* 0: the connection goes on */
    const char *close_reason; /* "", and once changed to reason_text */
    char reason_text[CLOSE_REASON_MAX + 1];
    struct weir_client_error failure;
};

/* --- client.c --- */

/* A client without a connection; NULL if memory, or descriptors, are out: see errno. */
weir_client *client_create(const struct weir_client_options *options);

/* What a call returns on a connection that is closing or over. */
enum weir_client_status client_end_status_locked(const weir_client *client);

/* The connection is lost, or of no more use: remembers why, if it is the first reason, and ends the stream. */
__attribute__((format(printf, 3, 4))) void client_lose_locked(weir_client *client, enum weir_client_cause cause,
                                                              const char *format, ...);

/* In words, for client_lose_locked(): "reset by the server"; ETIMEDOUT is the caller's. */
const char *client_system_error(int number);

/* "10 s", "1500 ms". */
enum { CLIENT_DURATION_SIZE = 32 };
const char *client_duration(uint64_t milliseconds, char text[CLIENT_DURATION_SIZE]);

/* Makes the receiver look at the state again. */
void client_wake(weir_client *client);

/* --- client_send.c --- */

/* Sends the control frames that are due as far as that goes without waiting; if there is a writer, it will. */
void client_push_control_locked(weir_client *client);

/* True if there are some, and no writer. */
bool client_can_push_locked(const weir_client *client);

/* --- client_receive.c --- */

/* Becomes the receiver, for weir_client_close(), which invalidates a message; false if there is one already, or if
 * another thread has a message. */
bool client_begin_closing(weir_client *client);
void client_end_receiving(weir_client *client);

/* As weir_client_receive(), for the receiver; `message` NULL drops what comes. */
enum weir_client_status client_receive_until(weir_client *client, struct weir_client_message *message,
                                             uint64_t deadline);

/* --- client_close.c --- */

/* A Close is due, unless one was. From here on the close timeout runs. */
void client_queue_close_locked(weir_client *client, unsigned code, const char *reason, size_t reason_size);

/* What the connection has ended with; the first word counts. */
void client_set_close_locked(weir_client *client, unsigned code, const char *reason, size_t reason_size);

#endif
