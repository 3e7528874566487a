/* transcript.c - see transcript.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/unit/transcript.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/assertions.h"
#include "ws/close_code.h"
#include "ws/frame.h"

enum { SHOWN_MAX = 40 };

/* --- The wire -------------------------------------------------------------------------------------------- */

void wire_bytes(struct wire *wire, const void *bytes, size_t size) {
    wire->bytes = realloc(wire->bytes, wire->size + size + 1);
    ck_assert_ptr_nonnull(wire->bytes);
    if (size > 0)
        memcpy(wire->bytes + wire->size, bytes, size);
    wire->size += size;
}

static size_t wire_header(struct wire *wire, uint8_t first, size_t size, uint8_t mask_bit) {
    uint8_t header[FRAME_HEADER_MAX];
    size_t header_size = frame_header(header, 0, size);
    header[0] = first;
    header[1] |= mask_bit;
    wire_bytes(wire, header, header_size);
    return header_size;
}

/* Byte by byte, so that it does not depend on frame_mask(). */
void wire_frame(struct wire *wire, uint8_t first, const void *payload, size_t size) {
    uint8_t mask[4] = {0x37, 0xFA, 0x21, (uint8_t)(0x3D + wire->size)};
    wire_header(wire, first, size, 0x80);
    wire_bytes(wire, mask, sizeof mask);
    size_t start = wire->size;
    wire_bytes(wire, payload, size);
    for (size_t i = 0; i < size; i++)
        wire->bytes[start + i] ^= mask[i % 4];
}

void wire_frame_unmasked(struct wire *wire, uint8_t first, const void *payload, size_t size) {
    wire_header(wire, first, size, 0);
    wire_bytes(wire, payload, size);
}

void wire_release(struct wire *wire) {
    free(wire->bytes);
    *wire = (struct wire){0};
}

char *wire_letters(size_t size) {
    char *text = malloc(size + 1);
    ck_assert_ptr_nonnull(text);
    for (size_t i = 0; i < size; i++)
        text[i] = (char)('a' + i * 7 % 26);
    text[size] = '\0';
    return text;
}

/* --- The transcript -------------------------------------------------------------------------------------- */

static void append(struct transcript *transcript, const char *text) {
    size_t size = strlen(text);
    transcript->text = realloc(transcript->text, transcript->size + size + 1);
    ck_assert_ptr_nonnull(transcript->text);
    memcpy(transcript->text + transcript->size, text, size + 1);
    transcript->size += size;
}

static uint64_t fnv1a(const uint8_t *bytes, size_t size) {
    uint64_t hash = 0xCBF29CE484222325u;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * 0x100000001B3u;
    return hash;
}

static void append_payload(struct transcript *transcript, const uint8_t *data, size_t size) {
    char text[64];
    if (size > SHOWN_MAX) {
        snprintf(text, sizeof text, " %zu bytes #%016llx", size, (unsigned long long)fnv1a(data, size));
        append(transcript, text);
        return;
    }
    for (size_t i = 0; i < size; i++) {
        snprintf(text, sizeof text, data[i] >= ' ' && data[i] < 0x7F ? "%s%c" : "%s\\%02x", i == 0 ? " " : "",
                 data[i]);
        append(transcript, text);
    }
}

void transcript_event(struct transcript *transcript, const char *name, unsigned close_code, const void *data,
                      size_t size) {
    char code[16] = "";
    if (close_code != 0)
        snprintf(code, sizeof code, " %u", close_code);
    append(transcript, name);
    append(transcript, code);
    append_payload(transcript, data, size);
    append(transcript, "; ");
}

static void record(struct transcript *transcript, const struct decoded *decoded) {
    static const char *const names[] = {
        [DECODER_PING] = "ping", [DECODER_PONG] = "pong", [DECODER_CLOSE] = "close", [DECODER_ERROR] = "error"};
    const char *name = decoded->event == DECODER_MESSAGE ? decoded->opcode == OPCODE_TEXT ? "text" : "binary"
                                                         : names[decoded->event];
    bool is_error = decoded->event == DECODER_ERROR; /* its wording does not matter to the test */
    if (is_error)
        ck_assert_uint_eq(strlen((const char *)decoded->data), decoded->size);
    if (decoded->event == DECODER_ERROR)
        ck_assert_uint_le(decoded->size, CLOSE_REASON_MAX);
    transcript_event(transcript, name, decoded->close_code, decoded->data, is_error ? 0 : decoded->size);
    transcript->last_event_at = transcript->fed;
}

static void check_idle(const struct decoder *decoder) {
    bool idle = decoder->message_opcode == 0 && !decoder->in_payload;
    if (idle || decoder->ended)
        ck_assert_uint_eq(decoder_memory(decoder), 0);
}

void transcript_feed(struct transcript *transcript, const uint8_t *bytes, size_t size) {
    uint8_t *copy = malloc(size + (size == 0));
    ck_assert_ptr_nonnull(copy);
    if (size > 0)
        memcpy(copy, bytes, size);
    transcript->fed += size;
    struct decoded decoded;
    size_t used = 0;
    for (;;) {
        size_t step = decoder_feed(&transcript->decoder, &transcript->limits, copy + used, size - used, &decoded);
        ck_assert_uint_le(step, size - used);
        used += step;
        if (decoded.event == DECODER_MORE)
            break;
        record(transcript, &decoded);
    }
    ck_assert_uint_eq(used, size);
    check_idle(&transcript->decoder);
    ck_assert_uint_le(decoder_memory(&transcript->decoder), 2 * transcript->fed + 256);
    free(copy);
}

static void read_in_place(struct transcript *transcript, const uint8_t *bytes, size_t size, uint8_t *place) {
    struct decoded decoded;
    memcpy(place, bytes, size);
    transcript->fed += size;
    decoder_filled(&transcript->decoder, &transcript->limits, size, &decoded);
    if (decoded.event == DECODER_MORE)
        return;
    record(transcript, &decoded);
    ck_assert_uint_eq(decoder_feed(&transcript->decoder, &transcript->limits, NULL, 0, &decoded), 0);
    ck_assert_int_eq(decoded.event, DECODER_MORE);
}

unsigned transcript_read(struct transcript *transcript, const uint8_t *bytes, size_t size, size_t chunk) {
    unsigned in_place = 0;
    for (size_t at = 0, taken; at < size; at += taken) {
        size_t room = chunk;
        uint8_t *place = decoder_room(&transcript->decoder, &transcript->limits, &room);
        taken = room < chunk ? room : chunk;
        taken = taken < size - at ? taken : size - at;
        if (place == NULL)
            transcript_feed(transcript, bytes + at, taken);
        else
            read_in_place(transcript, bytes + at, taken, place);
        in_place += place != NULL;
        check_idle(&transcript->decoder);
        ck_assert_uint_le(decoder_memory(&transcript->decoder), 2 * transcript->fed + 256);
    }
    return in_place;
}

void transcript_release(struct transcript *transcript) {
    decoder_release(&transcript->decoder);
    free(transcript->text);
    *transcript = (struct transcript){0};
}
