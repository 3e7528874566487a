/* message.h - an outgoing message: encoded once, immutable, reference counted, shared by all its receivers.
 *
 * The creator holds one reference; each outbox in which the message waits holds another. Any thread may retain and
 * release.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CORE_MESSAGE_H
#define WEIR_CORE_MESSAGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/uio.h>

#include "ws/deflate.h"

/* Where a message's bytes are. */
enum message_form {
    MESSAGE_OWN,     /* in `bytes` */
    MESSAGE_WRAPPED, /* in a buffer, whose address is in `bytes`: see message_wrap() */
    MESSAGE_SPLIT    /* the payload elsewhere; `bytes` contain a struct message_split: see message_create_split() */
};

struct message {
    _Atomic uint32_t references;
    bool is_reply;  /* sent to one connection alone: it counts towards the pause of reading, which a broadcast does
                       not */
    uint8_t opcode; /* of its frame; 0: raw bytes, or already compressed */
    uint8_t form;   /* of enum message_form */
    uint8_t header_size; /* of its frame; 0: raw bytes */
    uint32_t size;       /* of the bytes: frame header and payload */
    uint32_t plain_size; /* of the payload, before compression */
    uint8_t bytes[];
};

/* A Ping, a Pong or a Close (RFC 6455, 5.5). */
static inline bool message_is_control(const struct message *message) {
    return (message->opcode & 0x08) != 0;
}

/* Create a message from a payload as one frame, or from raw bytes as they are. Return NULL if memory is
 * exhausted. */
struct message *message_create(uint8_t opcode, const void *payload, size_t size);
struct message *message_create_raw(const void *bytes, size_t size);

/* Creates one frame around a payload in a buffer (buffer.h), which is taken over without a copy. Returns NULL if
 * memory is exhausted: then the buffer still belongs to the caller. */
struct message *message_wrap(uint8_t opcode, uint8_t *buffer, size_t size);

/* A payload in memory of the program's, and the frame header to send before it. */
struct message_split {
    void *payload;
    void (*free_payload)(void *payload);
    uint8_t header[10];
};

/* Creates one frame with a payload that is taken over without a copy: `free_payload` is called with the last
 * reference, on any thread, perhaps with locks held. Returns NULL if memory is exhausted: then the payload still
 * belongs to the caller. */
struct message *message_create_split(uint8_t opcode, void *payload, size_t size,
                                     void (*free_payload)(void *payload));

/* Creates one compressed frame (RFC 7692, 6.1) with this payload, which must not be empty. Returns NULL if memory
 * is exhausted. Without context takeover, also returns NULL if the result would not be smaller than the
 * payload. */
struct message *message_create_deflated(uint8_t opcode, const void *payload, size_t size, struct deflater *deflater,
                                        bool takeover);

/* Fills one or two vectors with the bytes as they are sent, from `offset` on; one if there is room for no more.
 * Returns how many it filled. For a message that is not MESSAGE_OWN. */
int message_fill_vectors(const struct message *message, size_t offset, struct iovec *vectors, int room);

/* The size of the frame's payload; raw bytes are all payload. */
static inline size_t message_payload_size(const struct message *message) {
    return message->size - message->header_size;
}

static inline const uint8_t *message_payload(const struct message *message) {
    const uint8_t *bytes = message->bytes + message->header_size;
    if (message->form != MESSAGE_OWN) /* both begin with the payload's or the frame's address */
        memcpy(&bytes, message->bytes, sizeof bytes);
    return message->form == MESSAGE_WRAPPED ? bytes + message->header_size : bytes;
}

/* Whether it is a frame of text or binary data, compressed or not. */
static inline bool message_is_data(const struct message *message) {
    return message->header_size > 0 && !message_is_control(message);
}

/* A Close frame (RFC 6455, 5.5.1). */
struct message *message_create_close(unsigned code, const char *reason);

static inline struct message *message_retain(struct message *message) {
    atomic_fetch_add_explicit(&message->references, 1, memory_order_relaxed);
    return message;
}

/* These take or release many references at once. */
static inline void message_retain_all(struct message *message, uint32_t count) {
    atomic_fetch_add_explicit(&message->references, count, memory_order_relaxed);
}
void message_release_all(struct message *message, uint32_t count);

/* NULL is allowed. */
void message_release(struct message *message);

#endif
