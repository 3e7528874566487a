/* fuzz_decoder.c - frames and messages: the events must not depend on how the bytes are split, and memory keeps to
 * the limit.
 *
 * The input: a byte of flags, whose upper half is max_fragments, three of max_message_size, the first being the
 * lowest, one with the count of chunk sizes (its low four bits), the chunk sizes, the wire. The wire is fed whole,
 * byte by byte, and in chunks of these sizes over and over; a size of 0 is an empty feed.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/fuzz/fuzz.h"
#include "ws/buffer.h"
#include "ws/close_code.h"
#include "ws/decoder.h"

enum { FLAG_UNMASKED = 1, FLAG_DETACH = 2, HEAD_SIZE = 5, CHUNKS_MAX = 15 };

/* One way through the wire. */
struct run {
    struct decoder decoder;
    struct decoder_limits limits;
    bool detach;
    bool ended;
    size_t consumed;
    uint8_t *events;
    size_t events_size, events_capacity;
};

/* --- Recording ------------------------------------------------------------------------------------------- */

static void append(struct run *run, const void *bytes, size_t size) {
    if (run->events_capacity - run->events_size < size) {
        run->events_capacity = 2 * (run->events_capacity + size);
        run->events = realloc(run->events, run->events_capacity);
        FUZZ_REQUIRE(run->events != NULL);
    }
    if (size > 0)
        memcpy(run->events + run->events_size, bytes, size);
    run->events_size += size;
}

/* How much was consumed belongs to an event, save that a failure is seen as early as the split allows. */
static void record(struct run *run, const struct decoded *decoded) {
    size_t numbers[] = {decoded->event, decoded->opcode, decoded->close_code, decoded->size,
                        decoded->event == DECODER_ERROR ? 0 : run->consumed};
    append(run, numbers, sizeof numbers);
    append(run, decoded->data, decoded->size);
}

static void check_event(const struct run *run, const struct decoded *decoded) {
    const uint8_t *data = decoded->data;
    switch (decoded->event) {
    case DECODER_MESSAGE:
        FUZZ_REQUIRE(decoded->opcode == OPCODE_TEXT || decoded->opcode == OPCODE_BINARY);
        FUZZ_REQUIRE(decoded->size <= run->limits.max_message_size);
        FUZZ_REQUIRE(decoded->opcode == OPCODE_BINARY || utf8_valid(data, decoded->size));
        break;
    case DECODER_CLOSE:
        FUZZ_REQUIRE(decoded->close_code == CLOSE_NONE || close_code_sendable(decoded->close_code));
        FUZZ_REQUIRE(decoded->size <= CLOSE_REASON_MAX && utf8_valid(data, decoded->size));
        break;
    case DECODER_ERROR:
        FUZZ_REQUIRE(decoded->close_code == CLOSE_PROTOCOL_ERROR || decoded->close_code == CLOSE_INVALID_DATA ||
                     decoded->close_code == CLOSE_TOO_BIG ||
                     (decoded->close_code == CLOSE_POLICY && run->limits.max_fragments != 0));
        FUZZ_REQUIRE(strlen((const char *)data) == decoded->size && decoded->size <= CLOSE_REASON_MAX);
        break;
    default:
        FUZZ_REQUIRE(decoded->event == DECODER_PING || decoded->event == DECODER_PONG);
        FUZZ_REQUIRE(decoded->size <= CONTROL_PAYLOAD_MAX);
    }
}

/* --- Feeding --------------------------------------------------------------------------------------------- */

/* A message is at most max_message_size, and so is the buffer that grows to hold it; a control frame may come in
 * between. */
static void check_memory(const struct run *run) {
    size_t held = decoder_memory(&run->decoder);
    FUZZ_REQUIRE(held <= run->limits.max_message_size + CONTROL_PAYLOAD_MAX);
}

static void handle(struct run *run, const struct decoded *decoded) {
    FUZZ_REQUIRE(!run->ended);
    check_event(run, decoded);
    record(run, decoded);
    run->ended = decoded->event == DECODER_CLOSE || decoded->event == DECODER_ERROR;
    if (decoded->event == DECODER_MESSAGE && decoded->in_heap && run->detach) {
        uint8_t *message = decoder_detach(&run->decoder);
        FUZZ_REQUIRE(message == decoded->data);
        buffer_release(message);
        FUZZ_REQUIRE(decoder_memory(&run->decoder) == 0);
    }
}

static void feed(struct run *run, const uint8_t *wire, size_t size) {
    uint8_t *chunk = fuzz_allocate(size);
    if (size > 0)
        memcpy(chunk, wire, size);
    struct decoded decoded;
    size_t used = 0;
    do {
        size_t step = decoder_feed(&run->decoder, &run->limits, chunk + used, size - used, &decoded);
        FUZZ_REQUIRE(step <= size - used);
        used += step;
        run->consumed += step;
        check_memory(run);
        if (decoded.event != DECODER_MORE)
            handle(run, &decoded);
    } while (decoded.event != DECODER_MORE);
    FUZZ_REQUIRE(used == size);
    FUZZ_REQUIRE(!run->ended || decoder_memory(&run->decoder) == 0);
    free(chunk);
}

/* The last chunk is followed by an empty feed at most; `count` sizes that are all 0 would never end. */
static void feed_in_chunks(struct run *run, const uint8_t *wire, size_t size, const uint8_t *chunks, size_t count) {
    for (size_t i = 0, at = 0; at < size; i++) {
        size_t chunk = i < count * (size + 1) ? chunks[i % count] : size;
        if (chunk > size - at)
            chunk = size - at;
        feed(run, wire + at, chunk);
        at += chunk;
    }
}

static void release(struct run *run) {
    decoder_release(&run->decoder);
    FUZZ_REQUIRE(decoder_memory(&run->decoder) == 0);
    free(run->events);
}

static void compare(const struct run *expected, const struct run *run) {
    FUZZ_REQUIRE(run->ended == expected->ended);
    FUZZ_REQUIRE(run->events_size == expected->events_size);
    FUZZ_REQUIRE(run->events_size == 0 || memcmp(run->events, expected->events, run->events_size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size) {
    if (size < HEAD_SIZE)
        return 0;
    size_t max = input[1] | (size_t)input[2] << 8 | (size_t)input[3] << 16, count = input[4] & CHUNKS_MAX;
    if (size < HEAD_SIZE + count)
        return 0;
    const uint8_t *chunks = input + HEAD_SIZE, *wire = chunks + count;
    size_t wire_size = size - HEAD_SIZE - count;
    static const uint8_t one = 1;
    struct run whole = {.limits = {.max_message_size = max,
                                   .max_fragments = input[0] >> 4,
                                   .expect_masked = (input[0] & FLAG_UNMASKED) == 0},
                        .detach = (input[0] & FLAG_DETACH) != 0};
    struct run bytewise = whole, chunked = whole;

    feed(&whole, wire, wire_size);
    feed_in_chunks(&bytewise, wire, wire_size, &one, 1);
    compare(&whole, &bytewise);
    if (count > 0) {
        feed_in_chunks(&chunked, wire, wire_size, chunks, count);
        compare(&whole, &chunked);
    }
    release(&whole);
    release(&bytewise);
    release(&chunked);
    return 0;
}
