/* client_private.h - the internals of a client, for the files client*.c alone.
 *
 * Who may access what:
 *  - the receiver (the one thread within weir_client_receive(), weir_client_run() or weir_client_wait_closed())
 * reads the socket and decodes;
 *  - the writer (the one thread that has set `writing`) writes frames, and only whole ones;
 *  - `mutex` guards the rest. It is held briefly: no thread waits for the network while holding it.
 *
 * The receiver never waits for the writer, which may be stuck because the server waits for us to read. If a Pong
 * or Close is due while another thread writes, the receiver leaves it in `control`, and the writer sends it
 * before it finishes. If there is no writer, the receiver writes as much as the system takes, and sends the rest
 * while it polls.
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

#include "client/client_handshake.h"
#include "client/socket.h"
#include "ws/close_code.h"
#include "ws/decoder.h"
#include "ws/deflate.h"
#include "ws/extension.h"

enum {
    CLIENT_INPUT_SIZE = 65536,
    CLIENT_CHUNK_SIZE = 16384, /* bytes masked at a time; a small message leaves together with its header */
    CLIENT_MASKS_SIZE = 256,   /* random bytes fetched at a time */
    CLIENT_CONTROL_SIZE = 6 + CONTROL_PAYLOAD_MAX
};

/* Control frames that are due to be sent. */
struct client_control {
    bool pong, close;
    uint8_t pong_size, close_size;
    uint8_t pong_payload[CONTROL_PAYLOAD_MAX], close_payload[CONTROL_PAYLOAD_MAX];
};

struct weir_client {
    /* Constant once the connection is open. */
    int socket;
    int wake; /* an eventfd: makes the receiver check the state again */
    uint64_t send_timeout, close_timeout;
    struct decoder_limits limits;
    struct deflate_params deflate;
    char *head; /* the head of the server's response, after client_handshake_check() */
    size_t head_size;
    const char *subprotocol; /* points into `head` */
    char peer[SOCKET_PEER_SIZE];

    /* Used by the receiver alone. */
    struct decoder decoder;
    struct inflater *inflater; /* NULL until the first compressed message */
    uint8_t *input;            /* CLIENT_INPUT_SIZE bytes; may hold the message handed out */
    size_t input_at, input_end;
    void (*pong)(void *context, const void *data, size_t size);
    void *pong_context;
    unsigned late_reads; /* reads since close_deadline passed */

    /* Used by the writer alone. */
    struct deflater *deflater; /* NULL until the first compressed message */
    uint8_t *chunk;            /* CLIENT_CHUNK_SIZE bytes */
    uint8_t masks[CLIENT_MASKS_SIZE];
    size_t masks_left;
    uint8_t frame[CLIENT_CONTROL_SIZE]; /* a control frame that the system has not fully taken */

    pthread_mutex_t mutex; /* guards all members below */
    pthread_cond_t written;
    bool writing, receiving;
    bool held;                  /* weir_client_receive() has handed out a message and has not been called since */
    pthread_t holder;           /* the thread that called it */
    size_t frame_at, frame_end; /* position and end within `frame`; only the writer changes them */
    struct client_control control;
    bool close_queued;        /* our Close is due or sent: no frame may follow it */
    bool close_received;      /* the server's Close has arrived */
    bool write_failed;        /* no more frames leave; what has arrived may still be read */
    bool over;                /* nothing more is read, and nothing written except a Close that is due */
    uint64_t close_deadline;  /* for the server's Close and the end of the stream; SOCKET_NEVER: none yet */
    unsigned close_code;      /* 0 while the connection is open */
    const char *close_reason; /* "" at first; points to reason_text once set */
    char reason_text[CLOSE_REASON_MAX + 1];
    struct weir_client_error failure;
};

/* --- client.c --- */

/* Creates a client without a connection. Returns NULL with errno set if memory or descriptors run out. */
weir_client *client_create(const struct weir_client_options *options);

/* --- client_state.c --- */

/* Makes a Close due, unless one was queued before. Starts the close timeout. */
void client_queue_close_locked(weir_client *client, unsigned code, const char *reason, size_t reason_size);

/* Records how the connection ended; only the first call counts. */
void client_set_close_locked(weir_client *client, unsigned code, const char *reason, size_t reason_size);

/* The status that a call returns on a connection that is closing or over. */
enum weir_status client_end_status_locked(const weir_client *client);

/* Marks the connection as lost or unusable: records the reason, if it is the first, and shuts the stream down. */
__attribute__((format(printf, 3, 4))) void client_lose_locked(weir_client *client, enum weir_client_cause cause,
                                                              const char *format, ...);

/* Describes an errno for client_lose_locked(): "the server reset the connection without a closing handshake". The
 * caller handles ETIMEDOUT. */
const char *client_system_error(int number);

/* Writes a duration as "10 s" or "1500 ms". */
enum { CLIENT_DURATION_SIZE = 32 };
const char *client_duration(uint64_t milliseconds, char text[CLIENT_DURATION_SIZE]);

/* Makes the receiver check the state again. */
void client_wake(weir_client *client);

/* --- client_send.c --- */

/* Sends the control frames that are due, as far as possible without waiting. If there is a writer, leaves them to
 * it. */
void client_push_control_locked(weir_client *client);

/* True if control frames are due, no thread is writing, and writing has not failed. */
bool client_can_push_locked(const weir_client *client);

/* --- client_receive.c --- */

/* Becomes the receiver, for weir_client_wait_closed(), which invalidates a message handed out. False if there is a
 * receiver already, or if another thread holds a message. */
bool client_begin_closing(weir_client *client);
void client_end_receiving(weir_client *client);

/* Works as weir_client_receive(), for the receiver. With `message` NULL, discards what arrives. */
enum weir_status client_receive_until(weir_client *client, struct weir_client_message *message, uint64_t deadline);

#endif
