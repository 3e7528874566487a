/* decoder.c - the state machine of frames and messages: header (decoder_header.c), payload, event, and again. One
 * thread at a time uses a decoder. Its events come in the order of the bytes and do not depend on how these are
 * split. It sends nothing: the Pong and the Close are up to the caller. A compressed message is inflated once it
 * is complete, by an inflater that the caller passes, so a message in progress costs only its bytes.
 *
 * SPDX-License-Identifier: MIT
 */
#include "ws/decoder.h"

#include <stdlib.h>
#include <string.h>

#include "ws/buffer.h"
#include "ws/close_code.h"
#include "ws/decoder_header.h"
#include "ws/frame.h"

enum {
    CONTROL = 0x08, /* the opcode bit that marks a control frame (5.5) */
    MASK_SIZE = 4,
    CAPACITY_MIN = 128,
    DIRECT_MIN = 32768 /* bytes of a message that have arrived, and bytes of its frame still to come: with at least
                          so many of each, payload is read straight into place */
};

static void drop_message(struct decoder *decoder) {
    buffer_release(decoder_detach(decoder));
}

static void drop_control(struct decoder *decoder) {
    free(decoder->control);
    decoder->control = NULL;
    decoder->control_size = 0;
}

/* Frees what the last event handed out, so that an idle decoder holds no memory. */
static void drop_handed_out(struct decoder *decoder) {
    if (decoder->message != NULL && decoder->message_opcode == 0)
        drop_message(decoder);
    if (decoder->control != NULL && !decoder->in_payload)
        drop_control(decoder);
}

void decoder_fail(struct decoder *decoder, struct decoded *decoded, uint16_t close_code, const char *why) {
    decoder->ended = true;
    decoder_release(decoder);
    *decoded = (struct decoded){
        .event = DECODER_ERROR, .close_code = close_code, .data = (const uint8_t *)why, .size = strlen(why)};
}

/* Unmasks to another place or in place. */
static void unmask(struct decoder *decoder, uint8_t *to, const uint8_t *from, size_t size) {
    uint8_t mask[MASK_SIZE];
    memcpy(mask, decoder->mask, MASK_SIZE);
    frame_mask_to(to, from, size, mask);
    for (size_t i = 0; i < MASK_SIZE; i++) /* mask[0] belongs to the next byte */
        decoder->mask[i] = mask[(size + i) % MASK_SIZE];
}

/* --- Control frames (5.5) -------------------------------------------------------------------------------- */

/* Makes the last event: what follows a Close is not read (1.4), and an unfinished message is dropped. */
static void finish_close(struct decoder *decoder, const uint8_t *payload, size_t size, struct decoded *decoded) {
    *decoded = (struct decoded){.event = DECODER_CLOSE, .opcode = OPCODE_CLOSE, .close_code = CLOSE_NONE};
    if (size >= 2) {
        decoded->close_code = (uint16_t)(payload[0] << 8 | payload[1]);
        decoded->data = payload + 2;
        decoded->size = size - 2;
    }
    if (size == 1)
        decoder_fail(decoder, decoded, CLOSE_PROTOCOL_ERROR, "a Close has half a code");
    else if (size >= 2 && !close_code_sendable(decoded->close_code))
        decoder_fail(decoder, decoded, CLOSE_PROTOCOL_ERROR, "a Close has a code that must not be sent");
    else if (!utf8_valid(decoded->data, decoded->size))
        decoder_fail(decoder, decoded, CLOSE_INVALID_DATA, "the reason of a Close is not UTF-8");
    decoder->ended = true;
    drop_message(decoder);
}

static void finish_control(struct decoder *decoder, const uint8_t *payload, size_t size, struct decoded *decoded) {
    if (decoder->opcode == OPCODE_CLOSE) {
        finish_close(decoder, payload, size, decoded);
        return;
    }
    decoded->event = decoder->opcode == OPCODE_PING ? DECODER_PING : DECODER_PONG;
    decoded->opcode = decoder->opcode;
    decoded->data = payload;
    decoded->size = size;
}

static void take_control(struct decoder *decoder, const struct decoder_limits *limits, uint8_t *bytes, size_t size,
                         struct decoded *decoded) {
    bool complete = size == decoder->remaining;
    if (limits->expect_masked)
        unmask(decoder, bytes, bytes, size);
    if (complete && decoder->control == NULL) {
        finish_control(decoder, bytes, size, decoded);
        return;
    }
    if (decoder->control == NULL)
        decoder->control = malloc(CONTROL_PAYLOAD_MAX);
    if (decoder->control == NULL) {
        decoder_fail(decoder, decoded, CLOSE_INTERNAL_ERROR, "out of memory");
        return;
    }
    memcpy(decoder->control + decoder->control_size, bytes, size);
    decoder->control_size = (uint8_t)(decoder->control_size + size);
    if (complete)
        finish_control(decoder, decoder->control, decoder->control_size, decoded);
}

/* --- Data frames (5.6) ----------------------------------------------------------------------------------- */

/* The largest size that the message can reach. The limits may have become smaller since its frame was accepted. */
static size_t message_max(const struct decoder *decoder, const struct decoder_limits *limits) {
    size_t with_frame = decoder->message_size + (size_t)decoder->remaining;
    size_t max = decoder_payload_max(limits, decoder->compressed);
    return decoder->final || max < with_frame ? with_frame : max;
}

/* Makes room for `size` bytes more. Doubles the buffer, so that it is at most twice what has arrived, but never
 * makes it larger than the message can become. */
static bool reserve(struct decoder *decoder, const struct decoder_limits *limits, size_t size) {
    size_t needed = decoder->message_size + size, capacity = buffer_size(decoder->message);
    if (needed <= capacity)
        return true;
    capacity = capacity < CAPACITY_MIN / 2 ? CAPACITY_MIN : 2 * capacity;
    if (capacity > BUFFER_EXACT_MAX && needed <= BUFFER_EXACT_MAX)
        capacity = BUFFER_EXACT_MAX; /* a larger size would be rounded up */
    size_t ceiling = message_max(decoder, limits);
    if (capacity > ceiling)
        capacity = ceiling;
    if (capacity < needed)
        capacity = needed;
    uint8_t *message = buffer_resize(decoder->message, decoder->message_size, capacity);
    if (message == NULL)
        return false;
    decoder->message = message;
    return true;
}

static void finish_message(struct decoder *decoder, const uint8_t *data, size_t size, struct decoded *decoded) {
    if (!utf8_complete(&decoder->utf8)) {
        decoder_fail(decoder, decoded, CLOSE_INVALID_DATA, "a text ends within a character");
        return;
    }
    decoded->event = decoder->compressed ? DECODER_DEFLATED : DECODER_MESSAGE;
    decoded->opcode = decoder->message_opcode;
    decoded->in_heap = data == decoder->message;
    decoded->data = data;
    decoded->size = size;
    decoder->message_opcode = 0;
}

/* Unmasks `size` bytes into their place, which may be where they are, and validates them if they are text. Works
 * in blocks, so that each block is still in the nearest cache when it is validated. */
static bool take_bytes(struct decoder *decoder, const struct decoder_limits *limits, uint8_t *to,
                       const uint8_t *from, size_t size) {
    enum { BLOCK_SIZE = 8192 };
    bool is_text = decoder->message_opcode == OPCODE_TEXT && !decoder->compressed;
    bool valid = true;
    for (size_t at = 0, block; valid && at < size; at += block) {
        block = size - at < BLOCK_SIZE ? size - at : BLOCK_SIZE;
        if (limits->expect_masked)
            unmask(decoder, to + at, from + at, block);
        else if (to != from)
            memcpy(to + at, from + at, block);
        valid = !is_text || utf8_feed(&decoder->utf8, to + at, block);
    }
    return valid;
}

static void take_data(struct decoder *decoder, const struct decoder_limits *limits, uint8_t *bytes, size_t size,
                      struct decoded *decoded) {
    bool complete = decoder->final && size == decoder->remaining;
    if (decoder->discard) {
        drop_message(decoder);
        if (complete)
            decoder->message_opcode = 0;
        return;
    }
    bool in_place = complete && decoder->message_size == 0;
    if (!in_place && size > 0 && !reserve(decoder, limits, size)) {
        decoder_fail(decoder, decoded, CLOSE_INTERNAL_ERROR, "out of memory");
        return;
    }
    uint8_t *to = in_place || size == 0 ? bytes : decoder->message + decoder->message_size;
    if (!take_bytes(decoder, limits, to, bytes, size)) {
        decoder_fail(decoder, decoded, CLOSE_INVALID_DATA, "a text is not UTF-8");
        return;
    }
    if (!in_place)
        decoder->message_size += size;
    if (complete)
        finish_message(decoder, in_place ? bytes : decoder->message, in_place ? size : decoder->message_size,
                       decoded);
}

/* --- Compressed messages (RFC 7692, 7.2.2) ----------------------------------------------------------------- */

static void fail_inflate(struct decoder *decoder, enum inflate_result result, struct decoded *decoded) {
    if (result == INFLATE_TOO_BIG)
        decoder_fail(decoder, decoded, CLOSE_TOO_BIG, "the message is too big");
    else if (result == INFLATE_NO_MEMORY)
        decoder_fail(decoder, decoded, CLOSE_INTERNAL_ERROR, "out of memory");
    else
        decoder_fail(decoder, decoded, CLOSE_INVALID_DATA, "a compressed message is damaged");
}

void decoder_inflate(struct decoder *decoder, const struct decoder_limits *limits, struct inflater *inflater,
                     struct decoded *decoded) {
    uint8_t *message;
    size_t size;
    enum inflate_result result = INFLATE_NO_MEMORY;
    if (inflater != NULL)
        result = inflater_run(inflater, decoded->data, decoded->size, limits->max_message_size, &message, &size);
    if (result != INFLATE_DONE) {
        fail_inflate(decoder, result, decoded);
        return;
    }
    drop_message(decoder);
    decoder->message = message;
    decoder->message_size = size;
    if (decoded->opcode == OPCODE_TEXT && !utf8_valid(message, size)) {
        decoder_fail(decoder, decoded, CLOSE_INVALID_DATA, "a text is not UTF-8");
        return;
    }
    static const uint8_t nothing[1];
    *decoded = (struct decoded){.event = DECODER_MESSAGE,
                                .opcode = decoded->opcode,
                                .in_heap = message != NULL,
                                .data = message != NULL ? message : nothing,
                                .size = size};
}

/* --- All together ---------------------------------------------------------------------------------------- */

/* Takes the part of the payload that has arrived. Returns the number of bytes consumed. */
static size_t take_payload(struct decoder *decoder, const struct decoder_limits *limits, uint8_t *bytes,
                           size_t size, struct decoded *decoded) {
    if (size > decoder->remaining)
        size = (size_t)decoder->remaining;
    if (size == 0 && decoder->remaining > 0)
        return 0;
    if ((decoder->opcode & CONTROL) != 0)
        take_control(decoder, limits, bytes, size, decoded);
    else
        take_data(decoder, limits, bytes, size, decoded);
    decoder->remaining -= size;
    decoder->in_payload = decoder->remaining > 0;
    return size;
}

size_t decoder_feed(struct decoder *decoder, const struct decoder_limits *limits, uint8_t *bytes, size_t size,
                    struct decoded *decoded) {
    *decoded = (struct decoded){.event = DECODER_MORE};
    drop_handed_out(decoder);
    if (decoder->ended)
        return size;
    size_t used = 0;
    while (used < size && decoded->event == DECODER_MORE) {
        if (!decoder->in_payload)
            used += decoder_take_header(decoder, limits, bytes + used, size - used, decoded);
        if (decoder->in_payload)
            used += take_payload(decoder, limits, bytes + used, size - used, decoded);
    }
    return used;
}

uint8_t *decoder_room(struct decoder *decoder, const struct decoder_limits *limits, size_t *size) {
    bool is_large = decoder->in_payload && (decoder->opcode & CONTROL) == 0 &&
                    decoder->message_size >= DIRECT_MIN && decoder->remaining >= DIRECT_MIN && !decoder->discard &&
                    !decoder->ended;
    if (!is_large || !reserve(decoder, limits, 1)) /* there is room already, or the buffer doubles */
        return NULL;
    size_t room = buffer_size(decoder->message) - decoder->message_size;
    *size = room < decoder->remaining ? room : (size_t)decoder->remaining;
    return decoder->message + decoder->message_size;
}

void decoder_filled(struct decoder *decoder, const struct decoder_limits *limits, size_t size,
                    struct decoded *decoded) {
    *decoded = (struct decoded){.event = DECODER_MORE};
    take_payload(decoder, limits, decoder->message + decoder->message_size, size, decoded);
}

uint8_t *decoder_detach(struct decoder *decoder) {
    uint8_t *message = decoder->message;
    decoder->message = NULL;
    decoder->message_size = 0;
    return message;
}

void decoder_discard(struct decoder *decoder) {
    decoder->discard = true;
    drop_message(decoder);
}

size_t decoder_memory(const struct decoder *decoder) {
    size_t control = decoder->control == NULL ? 0 : CONTROL_PAYLOAD_MAX;
    return buffer_size(decoder->message) + control;
}

void decoder_release(struct decoder *decoder) {
    drop_message(decoder);
    drop_control(decoder);
}
