/* message.c - see message.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/core/message.h"

#include <stdlib.h>
#include <string.h>

#include "server/core/memory.h"
#include "ws/buffer.h"
#include "ws/close_code.h"
#include "ws/decoder.h"
#include "ws/frame.h"

/* A message in a buffer counts the buffer's full size. */
static int64_t message_memory(const struct message *message) {
    size_t room = message->size;
    if (message->form == MESSAGE_SPLIT)
        room = sizeof(struct message_split) + message->plain_size;
    if (message->form == MESSAGE_WRAPPED)
        room = sizeof(uint8_t *) + buffer_size(message_payload(message));
    return (int64_t)(sizeof *message + room);
}

/* Allocates a message of `size` bytes, with `room` bytes in its own memory. */
static struct message *message_allocate_for(size_t size, size_t room) {
    struct message *message = size <= UINT32_MAX ? malloc(sizeof *message + room) : NULL;
    if (message == NULL)
        return NULL;
    atomic_init(&message->references, 1);
    message->is_reply = false;
    message->opcode = 0;
    message->form = MESSAGE_OWN;
    message->header_size = 0;
    message->size = (uint32_t)size;
    message->plain_size = 0;
    return message;
}

static struct message *message_allocate(size_t size) {
    struct message *message = message_allocate_for(size, size);
    if (message != NULL)
        memory_count(message_memory(message));
    return message;
}

static struct message_split message_split(const struct message *message) {
    struct message_split split;
    memcpy(&split, message->bytes, sizeof split);
    return split;
}

static void message_destroy(struct message *message) {
    memory_count(-message_memory(message));
    if (message->form == MESSAGE_WRAPPED)
        buffer_release((uint8_t *)(uintptr_t)message_payload(message));
    if (message->form == MESSAGE_SPLIT) {
        const struct message_split split = message_split(message);
        split.free_payload(split.payload);
    }
    free(message);
}

struct message *message_create(uint8_t opcode, const void *payload, size_t size) {
    size_t header_size = frame_header_size(size);
    struct message *message = message_allocate(header_size + size);
    if (message == NULL)
        return NULL;
    message->opcode = opcode;
    message->plain_size = (uint32_t)size;
    message->header_size = (uint8_t)frame_header(message->bytes, opcode, size);
    if (size > 0)
        memcpy(message->bytes + header_size, payload, size);
    return message;
}

struct message *message_wrap(uint8_t opcode, uint8_t *buffer, size_t size) {
    size_t header_size = frame_header_size(size);
    uint8_t *bytes = buffer - header_size;
    struct message *message = message_allocate_for(header_size + size, sizeof bytes);
    if (message == NULL)
        return NULL;
    message->opcode = opcode;
    message->form = MESSAGE_WRAPPED;
    message->plain_size = (uint32_t)size;
    memcpy(message->bytes, &bytes, sizeof bytes);
    message->header_size = (uint8_t)frame_header(bytes, opcode, size);
    memory_count(message_memory(message));
    return message;
}

struct message *message_create_split(uint8_t opcode, void *payload, size_t size,
                                     void (*free_payload)(void *payload)) {
    size_t header_size = frame_header_size(size);
    struct message_split split = {.payload = payload, .free_payload = free_payload};
    struct message *message = message_allocate_for(header_size + size, sizeof split);
    if (message == NULL)
        return NULL;
    message->opcode = opcode;
    message->form = MESSAGE_SPLIT;
    message->plain_size = (uint32_t)size;
    message->header_size = (uint8_t)frame_header(split.header, opcode, size);
    memcpy(message->bytes, &split, sizeof split);
    memory_count(message_memory(message));
    return message;
}

int message_fill_vectors(const struct message *message, size_t offset, struct iovec *vectors, int room) {
    const uint8_t *payload = message_payload(message);
    size_t header_size = message->header_size;
    if (message->form == MESSAGE_WRAPPED || offset >= header_size) {
        const uint8_t *bytes = payload - header_size + offset;
        *vectors = (struct iovec){(uint8_t *)(uintptr_t)bytes, message->size - offset};
        return 1;
    }
    const uint8_t *header = message->bytes + offsetof(struct message_split, header);
    vectors[0] = (struct iovec){(uint8_t *)(uintptr_t)(header + offset), header_size - offset};
    if (room < 2)
        return 1;
    vectors[1] = (struct iovec){(uint8_t *)(uintptr_t)payload, message->size - header_size};
    return 2;
}

struct message *message_create_raw(const void *bytes, size_t size) {
    struct message *message = message_allocate(size);
    if (message != NULL)
        memcpy(message->bytes, bytes, size);
    return message;
}

struct message *message_create_close(unsigned code, const char *reason) {
    uint8_t payload[CONTROL_PAYLOAD_MAX];
    size_t size = close_payload(payload, code, reason, strlen(reason));
    return message_create(OPCODE_CLOSE, payload, size);
}

/* Moves the compressed payload to its place after the header, whose size is known only now. */
static struct message *message_finish_deflated(struct message *message, uint8_t opcode, size_t room, size_t size) {
    size_t header_size = frame_header_size(size);
    memmove(message->bytes + header_size, message->bytes + room, size);
    message->header_size = (uint8_t)frame_header(message->bytes, FRAME_RSV1 | opcode, size);
    memory_count((int64_t)(header_size + size) - (int64_t)message->size);
    message->size = (uint32_t)(header_size + size);
    struct message *fitted = realloc(message, sizeof *message + message->size);
    if (fitted != NULL)
        message = fitted;
    return message;
}

struct message *message_create_deflated(uint8_t opcode, const void *payload, size_t size, struct deflater *deflater,
                                        bool takeover) {
    size_t capacity = takeover ? deflater_bound(deflater, size) : size;
    size_t room = frame_header_size(capacity);
    struct message *message = message_allocate(room + capacity);
    if (message == NULL)
        return NULL;
    size_t deflated = deflater_run(deflater, payload, size, message->bytes + room, capacity);
    message->plain_size = (uint32_t)size;
    if (deflated != 0)
        return message_finish_deflated(message, opcode, room, deflated);
    message_destroy(message);
    return NULL;
}

void message_release_all(struct message *message, uint32_t count) {
    if (atomic_fetch_sub_explicit(&message->references, count, memory_order_acq_rel) == count)
        message_destroy(message);
}

void message_release(struct message *message) {
    if (message != NULL)
        message_release_all(message, 1);
}
