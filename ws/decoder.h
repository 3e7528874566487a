/* decoder.h - decodes RFC 6455 frames and messages: bytes in any split in, events out; RFC 7692 if it was
 * negotiated. No sockets, threads or locks.
 *
 * The caller feeds what it has read and gets one event at a time. Payload is unmasked in place, so the bytes fed
 * are overwritten. A message that lies completely in one frame and one feed is handed out in place. Any other is
 * assembled in a buffer that grows with what has arrived, never with what a header claims.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_WS_DECODER_H
#define WEIR_WS_DECODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/utf8.h"
#include "ws/deflate.h"

enum opcode {
    OPCODE_CONTINUATION = 0x0,
    OPCODE_TEXT = 0x1,
    OPCODE_BINARY = 0x2,
    OPCODE_CLOSE = 0x8,
    OPCODE_PING = 0x9,
    OPCODE_PONG = 0xA
};

enum {
    FRAME_HEADER_MAX = 14,    /* 2 bytes, 8 of length, 4 of mask (5.2) */
    CONTROL_PAYLOAD_MAX = 125 /* (5.5) */
};

/* What the endpoint accepts. All its connections share this. */
struct decoder_limits {
    size_t max_message_size; /* bytes of one assembled message, inflated; a larger one ends with 1009 */
    uint32_t max_fragments;  /* frames of one message; more end with 1008; 0: no limit */
    bool expect_masked;      /* true in a server, false in a client (5.1) */
};

/* The state between two feeds. All zero is a new decoder, for a connection without extensions. */
struct decoder {
    uint64_t remaining;  /* payload bytes of the current frame still to come */
    uint8_t *message;    /* the message in progress, if it is not complete in one feed; a buffer (buffer.h) */
    size_t message_size; /* bytes of that message that have arrived */
    uint8_t *control;    /* payload of a control frame in progress; allocated only if a control frame is split */
    uint32_t fragments;  /* frames of the message in progress, so far */
    uint8_t header[FRAME_HEADER_MAX];
    uint8_t header_size;    /* bytes of the header that have arrived */
    uint8_t mask[4];        /* rotated, so that mask[0] belongs to the next byte */
    uint8_t opcode;         /* of the current frame */
    uint8_t message_opcode; /* of the message in progress; 0: none is */
    uint8_t control_size;
    struct utf8 utf8;
    bool deflate : 1;    /* permessage-deflate was negotiated: a message may come with RSV1; set by the caller */
    bool compressed : 1; /* the message in progress came with RSV1 */
    bool discard : 1;    /* decoder_discard() */
    bool final : 1;      /* FIN of the current frame */
    bool in_payload : 1; /* the header is complete */
    bool ended : 1;      /* after DECODER_CLOSE or DECODER_ERROR: what follows is discarded unread (1.4) */
};

enum decoder_event {
    DECODER_MORE,     /* everything that was fed has been consumed */
    DECODER_MESSAGE,  /* opcode, data, size */
    DECODER_DEFLATED, /* a compressed message, for decoder_inflate(); data, size */
    DECODER_PING,     /* data, size */
    DECODER_PONG,     /* data, size */
    DECODER_CLOSE,    /* close_code (1005 if it had none); data and size of the reason, which is valid UTF-8 */
    DECODER_ERROR     /* close_code to fail with: 1002, 1007, 1008, 1009, or 1011 if memory is exhausted; data is a
                         constant terminated string that says why, size its length */
};

struct decoded {
    enum decoder_event event;
    uint8_t opcode;
    uint16_t close_code;
    bool in_heap;        /* for messages: data is in a buffer of its own, see decoder_detach() */
    const uint8_t *data; /* of a message: never NULL */
    size_t size;
};

/* Decodes up to the next event. Returns how many of `size` bytes it consumed. Call it again with the rest until
 * the event is DECODER_MORE. `decoded->data` is valid until the next call, and no longer than `bytes` is. */
size_t decoder_feed(struct decoder *decoder, const struct decoder_limits *limits, uint8_t *bytes, size_t size,
                    struct decoded *decoded);

/* To be called after DECODER_DEFLATED. Turns it into the DECODER_MESSAGE that it stands for, in the heap unless it
 * is empty; or into a DECODER_ERROR. The inflater continues from the last message or is freshly reset, as was
 * negotiated. NULL: there was no memory for one. */
void decoder_inflate(struct decoder *decoder, const struct decoder_limits *limits, struct inflater *inflater,
                     struct decoded *decoded);

/* Within a large frame, returns where the next payload bytes belong, *size of them at most, so that they can be
 * read straight into place. Then the caller calls decoder_filled() with the number of bytes read, one or more,
 * instead of decoder_feed(). Returns NULL if there is no such place: then the bytes must be fed. */
uint8_t *decoder_room(struct decoder *decoder, const struct decoder_limits *limits, size_t *size);
void decoder_filled(struct decoder *decoder, const struct decoder_limits *limits, size_t size,
                    struct decoded *decoded);

/* To be called after a DECODER_MESSAGE with in_heap. Takes over the buffer (buffer.h), which the caller must
 * release. */
uint8_t *decoder_detach(struct decoder *decoder);

/* From now on only control frames are wanted. Frees the message in progress; later messages are not stored. */
void decoder_discard(struct decoder *decoder);

/* The heap bytes held: at most about twice what has arrived. */
size_t decoder_memory(const struct decoder *decoder);

void decoder_release(struct decoder *decoder);

#endif
