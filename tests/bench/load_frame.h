/* load_frame.h - frames as a load program needs them (RFC 6455, 5.2): the ones to send are built once and only get
 * a new number; of those that arrive nothing is stored, the payload is handed out where it was read.
 *
 * A message of 8 bytes or more begins with its number, as it lies in memory. What follows is the same in all
 * messages: the pattern.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BENCH_LOAD_FRAME_H
#define WEIR_BENCH_LOAD_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NUMBER_SIZE = 8, CONTROL_MAX = 125 };

/* Equal masked binary frames, one after the other, and the payload that they have. */
struct frames {
    uint8_t *bytes, *pattern;
    size_t frame_size, payload_size, payload_at;
    size_t count;
};

/* As many as fit into 64 KiB, at least one and at most `most`. Returns -1 if memory is out. */
int frames_create(struct frames *frames, size_t payload_size, size_t most);
void frames_release(struct frames *frames);

/* Gives the frame at `index` its number, if its payload has room for one. */
void frames_number(struct frames *frames, size_t index, uint64_t number);

/* Writes a masked control frame; `frame` has 6 + CONTROL_MAX bytes. Returns its size. */
size_t frame_control(uint8_t *frame, uint8_t opcode, const uint8_t *payload, size_t size);

/* Where the bytes of a server stand. All zero is its beginning. */
struct frame_reader {
    uint8_t header[10];
    uint8_t header_size;
    bool in_payload;
    uint64_t remaining;      /* payload bytes of the frame still to come */
    uint64_t message_offset; /* payload bytes of the message handed out */
    uint8_t control_size;
    uint8_t control[CONTROL_MAX];
};

enum frame_kind {
    FRAME_MORE,    /* everything is consumed */
    FRAME_PART,    /* a part of a message: data, size, offset in the message; last */
    FRAME_CONTROL, /* a whole control frame: opcode, data, size */
    FRAME_BAD      /* what no server may send */
};

struct frame_part {
    enum frame_kind kind;
    uint8_t opcode;
    bool last;
    uint64_t offset;
    const uint8_t *data;
    size_t size;
};

/* Reads up to the next part. Returns the bytes consumed. */
size_t frame_read(struct frame_reader *reader, const uint8_t *bytes, size_t size, struct frame_part *part);

#endif
