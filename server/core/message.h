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

#include "ws/deflate.h"

struct message {
    _Atomic uint32_t references;
    bool is_reply;   /* sent to one connection alone: it counts towards the pause of reading, which a broadcast does
                        not */
    uint8_t opcode;  /* of its frame; 0: raw bytes, or already compressed */
    bool is_wrapped; /* made by message_wrap(): `bytes` contain the address of the bytes */
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

/* Creates one compressed frame (RFC 7692, 6.1) with this payload, which must not be empty. Returns NULL if memory
 * is exhausted. Without context takeover, also returns NULL if the result would not be smaller than the
 * payload. */
struct message *message_create_deflated(uint8_t opcode, const void *payload, size_t size, struct deflater *deflater,
                                        bool takeover);

/* All bytes as they are sent. */
static inline const uint8_t *message_bytes(const struct message *message) {
    const uint8_t *bytes = message->bytes;
    if (message->is_wrapped)
        memcpy(&bytes, message->bytes, sizeof bytes);
    return bytes;
}

/* The size of the frame's payload; raw bytes are all payload. */
static inline size_t message_payload_size(const struct message *message) {
    return message->size - message->header_size;
}

static inline const uint8_t *message_payload(const struct message *message) {
    return message_bytes(message) + message->header_size;
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
