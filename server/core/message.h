/* message.h - an outgoing message: encoded once, immutable, counted, shared by all its receivers.
 *
 * Whoever makes one holds one reference; each outbox that it waits in holds another. Any thread may retain and
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

#include "server/proto/deflate.h"

struct message {
    _Atomic uint32_t references;
    bool is_reply;  /* sent to this one connection: it counts towards the pause of reading, a broadcast does not */
    uint8_t opcode; /* of its frame; 0: it is raw bytes, or compressed already */
    bool is_around; /* message_create_around(): `bytes` hold the address of the bytes */
    uint8_t header_size; /* of its frame; 0: it is raw bytes */
    uint32_t size;       /* of the bytes: frame header and payload */
    uint32_t plain_size; /* of the payload, before compression */
    uint8_t bytes[];
};

/* A ping, a pong or a Close (RFC 6455, 5.5). */
static inline bool message_is_control(const struct message *message) {
    return (message->opcode & 0x08) != 0;
}

/* One frame with this payload, or bytes as they are. NULL if memory is out. */
struct message *message_create(uint8_t opcode, const void *payload, size_t size);
struct message *message_create_raw(const void *bytes, size_t size);

/* One frame around a payload that is in a buffer (buffer.h), which is taken over, without a copy. NULL if memory is
 * out: the buffer then is still the caller's. */
struct message *message_create_around(uint8_t opcode, uint8_t *buffer, size_t size);

/* One compressed frame (RFC 7692, 6.1) with this payload, not empty. NULL if memory is out; or, unless the stream
 * is one that is taken over from message to message, if it would not be smaller than plain. */
struct message *message_create_deflated(uint8_t opcode, const void *payload, size_t size, struct deflater *deflater,
                                        bool takeover);

/* All of it, as it is sent. */
static inline const uint8_t *message_bytes(const struct message *message) {
    const uint8_t *bytes = message->bytes;
    if (message->is_around)
        memcpy(&bytes, message->bytes, sizeof bytes);
    return bytes;
}

/* What its frame carries; raw bytes are all payload. */
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

/* Many at once. */
static inline void message_retain_all(struct message *message, uint32_t count) {
    atomic_fetch_add_explicit(&message->references, count, memory_order_relaxed);
}
void message_release_all(struct message *message, uint32_t count);

/* NULL is allowed. */
void message_release(struct message *message);

#endif
