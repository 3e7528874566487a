/* decoder.h - RFC 6455 frames and messages, from bytes in any split to events; RFC 7692 if it was negotiated. No
 * sockets, threads or locks.
 *
 * The caller feeds what it has read and gets one event at a time. Payload is unmasked in place, so the bytes fed
 * are overwritten. A message that lies whole in one frame in one feed is handed out where it is; any other is put
 * together in a buffer that grows with what has arrived, never with what a header claims.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_PROTO_DECODER_H
#define WEIR_PROTO_DECODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/proto/deflate.h"
#include "server/proto/utf8.h"

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

/* What the endpoint accepts; shared by all its connections. */
struct decoder_limits {
    size_t max_message_size; /* bytes of one reassembled message, inflated; more ends with 1009 */
    uint32_t max_fragments;  /* frames of one message; more end with 1008; 0: any number */
    bool expect_masked;      /* true in a server, false in a client (5.1) */
};

/* The state between two feeds. All zero is a fresh decoder, of a connection without extensions. */
struct decoder {
    uint64_t remaining;  /* payload bytes of the current frame still to come */
    uint8_t *message;    /* the message under way, when it is not whole in one feed; a buffer (buffer.h) */
    size_t message_size; /* bytes of it that have arrived */
    uint8_t *control;    /* payload of a control frame under way; allocated when one is split */
    uint32_t fragments;  /* frames of that message, so far */
    uint8_t header[FRAME_HEADER_MAX];
    uint8_t header_size;    /* bytes of it that have arrived */
    uint8_t mask[4];        /* rotated, so that mask[0] belongs to the next byte */
    uint8_t opcode;         /* of the current frame */
    uint8_t message_opcode; /* of the message under way; 0 if none is */
    uint8_t control_size;
    struct utf8 utf8;
    bool deflate : 1;    /* permessage-deflate was negotiated: a message may come with RSV1; the caller sets it */
    bool compressed : 1; /* the message under way did */
    bool discard : 1;    /* decoder_discard() */
    bool final : 1;      /* FIN of the current frame */
    bool in_payload : 1; /* the header is complete */
    bool ended : 1;      /* after DECODER_CLOSE or DECODER_ERROR: what follows is consumed unread (1.4) */
};

enum decoder_event {
    DECODER_MORE,     /* everything fed is consumed */
    DECODER_MESSAGE,  /* opcode, data, size */
    DECODER_DEFLATED, /* a compressed message, for decoder_inflate(); data, size */
    DECODER_PING,     /* data, size */
    DECODER_PONG,     /* data, size */
    DECODER_CLOSE,    /* close_code (1005 if it had none), data and size of the reason, valid UTF-8 */
    DECODER_ERROR     /* close_code to fail with: 1002, 1007, 1009, 1011 if memory is out; data is a
                       * constant terminated string that says why, size its length */
};

struct decoded {
    enum decoder_event event;
    uint8_t opcode;
    uint16_t close_code;
    bool in_heap; /* of a message: data is in a buffer of its own, see decoder_detach() */
    const uint8_t *data;
    size_t size;
};

/* Decodes up to the next event. Returns how many of `size` bytes it consumed; call again with the rest until
 * the event is DECODER_MORE. `decoded->data` is valid until the next call and while `bytes` is. */
size_t decoder_feed(struct decoder *decoder, const struct decoder_limits *limits, uint8_t *bytes, size_t size,
                    struct decoded *decoded);

/* After a DECODER_DEFLATED: turns it into the DECODER_MESSAGE that it stands for, in the heap unless it is empty;
 * or into a DECODER_ERROR. The inflater goes on from the last message, or is fresh, as was negotiated; NULL: there
 * was no memory for one. */
void decoder_inflate(struct decoder *decoder, const struct decoder_limits *limits, struct inflater *inflater,
                     struct decoded *decoded);

/* Within a large frame: where the payload that comes next belongs, *size bytes of it at most, so that it can be
 * read there straight away; decoder_filled() then tells how much came, one byte or more, instead of decoder_feed().
 * NULL: nowhere; it is to be fed. */
uint8_t *decoder_room(struct decoder *decoder, const struct decoder_limits *limits, size_t *size);
void decoder_filled(struct decoder *decoder, const struct decoder_limits *limits, size_t size,
                    struct decoded *decoded);

/* After a DECODER_MESSAGE with in_heap: takes the buffer (buffer.h) over; it is the caller's to release. */
uint8_t *decoder_detach(struct decoder *decoder);

/* From now on messages are not wanted, only control frames: what there is of one is freed, what comes is not kept.
 */
void decoder_discard(struct decoder *decoder);

/* Heap bytes held: at most twice what has arrived, apart from a few. */
size_t decoder_memory(const struct decoder *decoder);

void decoder_release(struct decoder *decoder);

#endif
