/* decoder_header.c - reads frame headers (RFC 6455, 5.2) strictly. An error is refused at the first byte that
 * shows it, however the bytes are split, and before memory is allocated for what the header claims.
 *
 * SPDX-License-Identifier: MIT
 */
#include "ws/decoder_header.h"

#include <string.h>

#include "ws/close_code.h"

enum {
    FIN = 0x80,
    RSV = 0x70,
    RSV1 = 0x40, /* on the first frame of a message: the message is compressed (RFC 7692, 6) */
    OPCODE = 0x0F,
    CONTROL = 0x08, /* the opcode bit that marks a control frame (5.5) */
    MASKED = 0x80,
    LENGTH = 0x7F,
    LENGTH_16 = 126,
    LENGTH_64 = 127,
    MASK_SIZE = 4
};

static bool begins_message(uint8_t opcode) {
    return opcode == OPCODE_TEXT || opcode == OPCODE_BINARY;
}

/* The next three functions return what is wrong, or NULL. */
static const char *first_byte_error(const struct decoder *decoder, uint8_t first) {
    uint8_t opcode = first & OPCODE;
    if ((first & RSV) != 0 && !(decoder->deflate && (first & RSV) == RSV1 && begins_message(opcode)))
        return "a reserved bit is set";
    if (opcode > OPCODE_PONG || (opcode > OPCODE_BINARY && opcode < OPCODE_CLOSE))
        return "an opcode is reserved";
    if ((opcode & CONTROL) != 0 && (first & FIN) == 0)
        return "a control frame is fragmented";
    if (opcode == OPCODE_CONTINUATION && decoder->message_opcode == 0)
        return "a continuation without a message";
    if (begins_message(opcode) && decoder->message_opcode != 0)
        return "a new message within a fragmented one";
    return NULL;
}

static const char *second_byte_error(const struct decoder_limits *limits, uint8_t first, uint8_t second) {
    bool masked = (second & MASKED) != 0;
    if (masked != limits->expect_masked)
        return masked ? "a frame is masked" : "a frame is not masked";
    if ((first & CONTROL) != 0 && (second & LENGTH) > CONTROL_PAYLOAD_MAX)
        return "a control frame is longer than 125 bytes";
    return NULL;
}

static const char *length_error(uint64_t length, size_t length_size) {
    if (length >> 63 != 0)
        return "the top bit of a length is set";
    if ((length_size == 2 && length < LENGTH_16) || (length_size == 8 && length <= UINT16_MAX))
        return "a length is not in its shortest form";
    return NULL;
}

/* The number of length bytes that follow the second byte. */
static size_t extended_size(uint8_t second) {
    uint8_t length = second & LENGTH;
    return length < LENGTH_16 ? 0 : length == LENGTH_16 ? 2 : 8;
}

static uint64_t read_length(const uint8_t *header, size_t length_size) {
    if (length_size == 0)
        return header[1] & LENGTH;
    uint64_t length = 0;
    for (size_t i = 0; i < length_size; i++)
        length = length << 8 | header[2 + i];
    return length;
}

/* Data that does not compress grows a little, and more if the sender flushes often. */
size_t decoder_payload_max(const struct decoder_limits *limits, bool compressed) {
    return limits->max_message_size + (compressed ? limits->max_message_size / 16 + 64 : 0);
}

static bool is_compressed(const struct decoder *decoder, uint8_t first) {
    return begins_message(first & OPCODE) ? (first & RSV1) != 0 : decoder->compressed;
}

static bool too_big(const struct decoder *decoder, const struct decoder_limits *limits, uint8_t first,
                    uint64_t length) {
    size_t max = decoder_payload_max(limits, is_compressed(decoder, first));
    return length > max || decoder->message_size > max - length;
}

static void begin_frame(struct decoder *decoder, uint8_t first, uint64_t length) {
    decoder->opcode = first & OPCODE;
    decoder->final = (first & FIN) != 0;
    decoder->remaining = length;
    decoder->in_payload = true;
    if ((decoder->opcode & CONTROL) == 0)
        decoder->fragments++;
    if (begins_message(decoder->opcode)) {
        decoder->fragments = 1;
        decoder->message_opcode = decoder->opcode;
        decoder->compressed = (first & RSV1) != 0;
    }
}

static size_t refuse(struct decoder *decoder, struct decoded *decoded, const char *why) {
    decoder_fail(decoder, decoded, CLOSE_PROTOCOL_ERROR, why);
    return 0;
}

/* Checks as much of a header as has arrived, one byte or more. Returns its size and begins the frame once it is
 * complete. Returns 0 until then, and after a failure. */
static size_t parse(struct decoder *decoder, const struct decoder_limits *limits, const uint8_t *header,
                    size_t size, struct decoded *decoded) {
    const char *error = first_byte_error(decoder, header[0]);
    if (error == NULL && size >= 2)
        error = second_byte_error(limits, header[0], header[1]);
    if (error != NULL)
        return refuse(decoder, decoded, error);
    if (size < 2)
        return 0;

    size_t length_size = extended_size(header[1]), used = 2 + length_size;
    if (size < used)
        return 0;
    uint64_t length = read_length(header, length_size);
    error = length_error(length, length_size);
    if (error != NULL)
        return refuse(decoder, decoded, error);
    if ((header[0] & CONTROL) == 0 && too_big(decoder, limits, header[0], length)) {
        decoder_fail(decoder, decoded, CLOSE_TOO_BIG, "the message is too big");
        return 0;
    }
    if (limits->max_fragments != 0 && (header[0] & OPCODE) == OPCODE_CONTINUATION &&
        decoder->fragments >= limits->max_fragments) {
        decoder_fail(decoder, decoded, CLOSE_POLICY, "the message has too many fragments");
        return 0;
    }

    if (limits->expect_masked) {
        if (size < used + MASK_SIZE)
            return 0;
        memcpy(decoder->mask, header + used, MASK_SIZE);
        used += MASK_SIZE;
    }
    begin_frame(decoder, header[0], length);
    return used;
}

/* Parses a complete header in place, and assembles a split one first. */
size_t decoder_take_header(struct decoder *decoder, const struct decoder_limits *limits, const uint8_t *bytes,
                           size_t size, struct decoded *decoded) {
    size_t before = decoder->header_size;
    if (before == 0) {
        size_t used = parse(decoder, limits, bytes, size, decoded);
        if (used > 0 || decoder->ended)
            return used;
    }
    size_t room = FRAME_HEADER_MAX - before, taken = size < room ? size : room;
    memcpy(decoder->header + before, bytes, taken);
    size_t used = parse(decoder, limits, decoder->header, before + taken, decoded);
    decoder->header_size = (uint8_t)(used > 0 ? 0 : before + taken);
    return used > 0 ? used - before : taken;
}
