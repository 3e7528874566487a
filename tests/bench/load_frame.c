/* load_frame.c - see load_frame.h. No sockets here.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/bench/load_frame.h"

#include <stdlib.h>
#include <string.h>

enum { BATCH_SIZE = 65536, FINAL = 0x80, MASKED = 0x80, RESERVED = 0x70, CONTROL = 0x08, BINARY = 0x02 };

/* Any key costs the server as much as any other. */
static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};

static size_t write_header(uint8_t *header, uint8_t opcode, uint64_t size) {
    size_t length_size = size < 126 ? 0 : size <= 0xffff ? 2 : 8;
    header[0] = FINAL | opcode;
    header[1] = (uint8_t)(MASKED | (length_size == 0 ? size : length_size == 2 ? 126u : 127u));
    for (size_t i = 0; i < length_size; i++)
        header[2 + i] = (uint8_t)(size >> 8 * (length_size - 1 - i));
    memcpy(header + 2 + length_size, mask, sizeof mask);
    return 2 + length_size + sizeof mask;
}

static void write_masked(uint8_t *to, const uint8_t *payload, size_t size) {
    for (size_t i = 0; i < size; i++)
        to[i] = payload[i] ^ mask[i % sizeof mask];
}

/* --- Frames to send --------------------------------------------------------------------------------------- */

int frames_create(struct frames *frames, size_t payload_size, size_t most) {
    uint8_t header[14];
    size_t payload_at = write_header(header, BINARY, payload_size), frame_size = payload_at + payload_size;
    size_t count = BATCH_SIZE / frame_size;
    count = count > most ? most : count > 0 ? count : 1;
    *frames = (struct frames){.bytes = malloc(count * frame_size),
                              .pattern = malloc(payload_size + 1),
                              .frame_size = frame_size,
                              .payload_size = payload_size,
                              .payload_at = payload_at,
                              .count = count};
    if (!frames->bytes || !frames->pattern) {
        frames_release(frames);
        return -1;
    }
    for (size_t i = 0; i < payload_size; i++)
        frames->pattern[i] = (uint8_t)(i % 251);
    for (size_t i = 0; i < count; i++) {
        memcpy(frames->bytes + i * frame_size, header, payload_at);
        write_masked(frames->bytes + i * frame_size + payload_at, frames->pattern, payload_size);
    }
    return 0;
}

void frames_release(struct frames *frames) {
    free(frames->bytes);
    free(frames->pattern);
    *frames = (struct frames){0};
}

void frames_number(struct frames *frames, size_t index, uint64_t number) {
    uint8_t bytes[NUMBER_SIZE];
    if (frames->payload_size < NUMBER_SIZE)
        return;
    memcpy(bytes, &number, NUMBER_SIZE);
    write_masked(frames->bytes + index * frames->frame_size + frames->payload_at, bytes, NUMBER_SIZE);
}

size_t frame_control(uint8_t *frame, uint8_t opcode, const uint8_t *payload, size_t size) {
    size_t header = write_header(frame, opcode, size);
    write_masked(frame + header, payload, size);
    return header + size;
}

/* --- Frames that arrive ----------------------------------------------------------------------------------- */

static size_t header_length(const struct frame_reader *reader) {
    if (reader->header_size < 2)
        return 2;
    return reader->header[1] == 126 ? 4 : reader->header[1] == 127 ? 10 : 2;
}

static bool begin_payload(struct frame_reader *reader) {
    uint8_t first = reader->header[0], second = reader->header[1];
    bool control = first & CONTROL;
    if (first & RESERVED || second & MASKED || (control && (second > CONTROL_MAX || !(first & FINAL))))
        return false;
    reader->remaining = second;
    if (second >= 126) {
        reader->remaining = 0;
        for (size_t i = 2; i < reader->header_size; i++)
            reader->remaining = reader->remaining << 8 | reader->header[i];
    }
    if (control)
        reader->control_size = 0;
    else if ((first & 0x0f) != 0)
        reader->message_offset = 0;
    reader->header_size = 0;
    reader->in_payload = true;
    return true;
}

static void take_data(struct frame_reader *reader, const uint8_t *bytes, size_t size, struct frame_part *part) {
    part->kind = FRAME_PART;
    part->offset = reader->message_offset;
    part->data = bytes;
    part->size = size;
    part->last = reader->remaining == 0 && reader->header[0] & FINAL;
    reader->message_offset += size;
}

static void take_control(struct frame_reader *reader, const uint8_t *bytes, size_t size, struct frame_part *part) {
    if (size > 0)
        memcpy(reader->control + reader->control_size, bytes, size);
    reader->control_size = (uint8_t)(reader->control_size + size);
    part->kind = reader->remaining == 0 ? FRAME_CONTROL : FRAME_MORE;
    part->data = reader->control;
    part->size = reader->control_size;
}

size_t frame_read(struct frame_reader *reader, const uint8_t *bytes, size_t size, struct frame_part *part) {
    size_t used = 0;
    part->kind = FRAME_MORE;
    if (!reader->in_payload) {
        while (used < size && reader->header_size < header_length(reader))
            reader->header[reader->header_size++] = bytes[used++];
        if (reader->header_size < header_length(reader))
            return used;
        if (!begin_payload(reader)) {
            part->kind = FRAME_BAD;
            return used;
        }
    }
    size_t take = size - used < reader->remaining ? size - used : (size_t)reader->remaining;
    reader->remaining -= take;
    reader->in_payload = reader->remaining > 0;
    part->opcode = reader->header[0] & 0x0f;
    if (part->opcode & CONTROL)
        take_control(reader, bytes + used, take, part);
    else
        take_data(reader, bytes + used, take, part);
    return used + take;
}
