/* message.c - see message.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/core/message.h"

#include <stdlib.h>
#include <string.h>

#include "server/core/memory.h"
#include "server/proto/buffer.h"
#include "server/proto/close_code.h"
#include "server/proto/decoder.h"
#include "server/proto/frame.h"

/* With room for `room` of its `size` bytes. */
static struct message *allocate_for(size_t size, size_t room) {
    struct message *message = malloc(sizeof *message + room);
    if (message == NULL)
        return NULL;
    atomic_init(&message->references, 1);
    message->is_reply = false;
    message->opcode = 0;
    message->is_around = false;
    message->size = size;
    memory_count((int64_t)(sizeof *message + size));
    return message;
}

static struct message *allocate(size_t size) {
    return allocate_for(size, size);
}

static void destroy(struct message *message) {
    memory_count(-(int64_t)(sizeof *message + message->size));
    if (message->is_around) {
        size_t payload_size;
        buffer_release((uint8_t *)(uintptr_t)message_payload(message, &payload_size));
    }
    free(message);
}

struct message *message_create(uint8_t opcode, const void *payload, size_t size) {
    size_t header_size = frame_header_size(size);
    struct message *message = allocate(header_size + size);
    if (message == NULL)
        return NULL;
    message->opcode = opcode;
    frame_header(message->bytes, opcode, size);
    if (size > 0)
        memcpy(message->bytes + header_size, payload, size);
    return message;
}

struct message *message_create_around(uint8_t opcode, uint8_t *buffer, size_t size) {
    size_t header_size = frame_header_size(size);
    uint8_t *bytes = buffer - header_size;
    struct message *message = allocate_for(header_size + size, sizeof bytes);
    if (message == NULL)
        return NULL;
    message->opcode = opcode;
    message->is_around = true;
    memcpy(message->bytes, &bytes, sizeof bytes);
    frame_header(bytes, opcode, size);
    return message;
}

struct message *message_create_raw(const void *bytes, size_t size) {
    struct message *message = allocate(size);
    if (message != NULL)
        memcpy(message->bytes, bytes, size);
    return message;
}

struct message *message_create_close(unsigned code, const char *reason) {
    uint8_t payload[CONTROL_PAYLOAD_MAX];
    size_t size = close_payload(payload, code, reason, strlen(reason));
    return message_create(OPCODE_CLOSE, payload, size);
}

/* Puts the header where the compressed payload shows how long it is. */
static struct message *finish_deflated(struct message *message, uint8_t opcode, size_t room, size_t size) {
    size_t header_size = frame_header_size(size);
    memmove(message->bytes + header_size, message->bytes + room, size);
    frame_header(message->bytes, FRAME_RSV1 | opcode, size);
    memory_count((int64_t)(header_size + size) - (int64_t)message->size);
    message->size = header_size + size;
    struct message *fitted = realloc(message, sizeof *message + message->size);
    if (fitted != NULL)
        message = fitted;
    return message;
}

struct message *message_create_deflated(uint8_t opcode, const void *payload, size_t size, struct deflater *deflater,
                                        bool takeover) {
    size_t capacity = takeover ? deflater_bound(deflater, size) : size;
    size_t room = frame_header_size(capacity);
    struct message *message = allocate(room + capacity);
    if (message == NULL)
        return NULL;
    size_t deflated = deflater_run(deflater, payload, size, message->bytes + room, capacity);
    if (deflated != 0)
        return finish_deflated(message, opcode, room, deflated);
    destroy(message);
    return NULL;
}

const uint8_t *message_payload(const struct message *message, size_t *size) {
    return frame_payload(message_bytes(message), size);
}

/* Raw bytes are no frame: the 101 is text, and no first byte of a text has FIN's bit. */
bool message_is_data(const struct message *message, size_t *payload) {
    const uint8_t *bytes = message_bytes(message);
    bool is_data = message->size >= 2 && (bytes[0] & 0x80) != 0 && (bytes[0] & 0x08) == 0;
    if (is_data)
        message_payload(message, payload);
    return is_data;
}

void message_release(struct message *message) {
    if (message != NULL && atomic_fetch_sub_explicit(&message->references, 1, memory_order_acq_rel) == 1)
        destroy(message);
}
