/* fuzz_deflate.c - compressed messages: what is inflated keeps to the limit and does not depend on how the wire is
 * split; what is deflated comes back, through a window of the same size.
 *
 * The input: a byte of flags, two of max_message_size, the first being the lowest, one with the count of chunk
 * sizes (its low four bits), the chunk sizes, the rest. Of the flags, the low three bits are the window, from 8
 * bits; then takeover. The rest is taken as the payload of one compressed message; as frames, without masks; and as
 * plain payloads, one for each chunk size, to deflate and inflate again.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/fuzz/fuzz.h"
#include "ws/buffer.h"
#include "ws/close_code.h"
#include "ws/decoder.h"
#include "ws/extension.h"
#include "ws/frame.h"

enum { FLAG_BITS = 7, FLAG_TAKEOVER = 8, HEAD_SIZE = 4, CHUNKS_MAX = 15 };

struct input {
    unsigned bits;
    bool takeover;
    size_t max_message_size;
    const uint8_t *chunks;
    size_t chunk_count;
    const uint8_t *rest;
    size_t rest_size;
};

/* --- The wire, in any split ------------------------------------------------------------------------------- */

/* One way through the wire. */
struct run {
    struct decoder decoder;
    struct decoder_limits limits;
    struct inflater *inflater;
    bool takeover;
    uint8_t *events;
    size_t events_size, events_capacity;
};

static struct run begin(const struct input *input) {
    struct run run = {.limits = {.max_message_size = input->max_message_size},
                      .inflater = inflater_create(input->bits),
                      .takeover = input->takeover};
    run.decoder.deflate = true;
    FUZZ_REQUIRE(run.inflater != NULL);
    return run;
}

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

static void check_message(const struct run *run, const struct decoded *decoded) {
    FUZZ_REQUIRE(decoded->size <= run->limits.max_message_size);
    FUZZ_REQUIRE(decoded->opcode == OPCODE_BINARY || utf8_valid(decoded->data, decoded->size));
}

static void inflate(struct run *run, struct decoded *decoded) {
    uint8_t opcode = decoded->opcode;
    if (!run->takeover)
        inflater_reset(run->inflater);
    decoder_inflate(&run->decoder, &run->limits, run->inflater, decoded);
    if (decoded->event == DECODER_MESSAGE) {
        FUZZ_REQUIRE(decoded->opcode == opcode);
        FUZZ_REQUIRE(decoded->in_heap == (decoded->size > 0));
        FUZZ_REQUIRE(decoder_memory(&run->decoder) >= decoded->size);
        return;
    }
    FUZZ_REQUIRE(decoded->event == DECODER_ERROR);
    FUZZ_REQUIRE(decoded->close_code == CLOSE_INVALID_DATA || decoded->close_code == CLOSE_TOO_BIG);
    FUZZ_REQUIRE(run->decoder.ended && decoder_memory(&run->decoder) == 0);
}

static void handle(struct run *run, struct decoded *decoded) {
    if (decoded->event == DECODER_DEFLATED)
        inflate(run, decoded);
    if (decoded->event == DECODER_MESSAGE)
        check_message(run, decoded);
    size_t numbers[] = {decoded->event, decoded->opcode, decoded->close_code, decoded->size};
    append(run, numbers, sizeof numbers);
    append(run, decoded->data, decoded->size);
}

static void feed(struct run *run, const uint8_t *wire, size_t size) {
    uint8_t *chunk = fuzz_allocate(size);
    if (size > 0)
        memcpy(chunk, wire, size);
    struct decoded decoded;
    size_t used = 0;
    do {
        used += decoder_feed(&run->decoder, &run->limits, chunk + used, size - used, &decoded);
        FUZZ_REQUIRE(used <= size);
        if (decoded.event != DECODER_MORE)
            handle(run, &decoded);
    } while (decoded.event != DECODER_MORE);
    FUZZ_REQUIRE(used == size);
    free(chunk);
}

static void release(struct run *run) {
    decoder_release(&run->decoder);
    FUZZ_REQUIRE(decoder_memory(&run->decoder) == 0);
    inflater_destroy(run->inflater);
    free(run->events);
}

static void check_splits(const struct input *input, const uint8_t *wire, size_t size) {
    struct run whole = begin(input), chunked = begin(input);
    feed(&whole, wire, size);
    for (size_t i = 0, at = 0; at < size; i++) {
        size_t chunk = input->chunk_count == 0 ? 1 : input->chunks[i % input->chunk_count] + 1u;
        if (chunk > size - at)
            chunk = size - at;
        feed(&chunked, wire + at, chunk);
        at += chunk;
    }
    FUZZ_REQUIRE(whole.decoder.ended == chunked.decoder.ended);
    FUZZ_REQUIRE(whole.events_size == chunked.events_size);
    FUZZ_REQUIRE(whole.events_size == 0 || memcmp(whole.events, chunked.events, whole.events_size) == 0);
    release(&whole);
    release(&chunked);
}

/* The payload twice, so that the second may refer to the first. */
static void check_payload(const struct input *input) {
    uint8_t header[FRAME_HEADER_MAX];
    size_t header_size = frame_header(header, FRAME_RSV1 | OPCODE_BINARY, input->rest_size);
    size_t frame_size = header_size + input->rest_size;
    uint8_t *wire = fuzz_allocate(2 * frame_size);
    for (size_t i = 0; i < 2; i++) {
        memcpy(wire + i * frame_size, header, header_size);
        memcpy(wire + i * frame_size + header_size, input->rest, input->rest_size);
    }
    check_splits(input, wire, 2 * frame_size);
    free(wire);
}

/* --- There and back --------------------------------------------------------------------------------------- */

static void check_inflates(struct inflater *inflater, const uint8_t *in, size_t in_size, const uint8_t *payload,
                           size_t size) {
    uint8_t *message;
    size_t message_size;
    FUZZ_REQUIRE(inflater_run(inflater, in, in_size, size, &message, &message_size) == INFLATE_DONE);
    FUZZ_REQUIRE(message_size == size && memcmp(message, payload, size) == 0);
    buffer_release(message);
}

/* Too little room, first: the stream must be fresh then, and so is ours. */
static void fill_too_little(struct deflater *deflater, struct inflater *inflater, const uint8_t *payload,
                            size_t size) {
    uint8_t *out = fuzz_allocate(size);
    size_t out_size = deflater_run(deflater, payload, size, out, size);
    FUZZ_REQUIRE(out_size < size);
    if (out_size == 0)
        inflater_reset(inflater);
    else
        check_inflates(inflater, out, out_size, payload, size);
    free(out);
}

static void check_message_there_and_back(struct deflater *deflater, struct inflater *inflater,
                                         bool with_little_room, const uint8_t *payload, size_t size) {
    if (with_little_room)
        fill_too_little(deflater, inflater, payload, size);
    size_t bound = deflater_bound(deflater, size);
    uint8_t *out = fuzz_allocate(bound);
    size_t out_size = deflater_run(deflater, payload, size, out, bound);
    FUZZ_REQUIRE(out_size > 0);
    check_inflates(inflater, out, out_size, payload, size);
    free(out);
}

/* A payload for each chunk size, and the last one is all that is left. */
static void check_there_and_back(const struct input *input) {
    struct deflater *deflater = deflater_create(input->bits);
    struct inflater *inflater = inflater_create(input->bits);
    FUZZ_REQUIRE(deflater != NULL && inflater != NULL);
    size_t at = 0;
    for (size_t i = 0; at < input->rest_size; i++) {
        size_t left = input->rest_size - at, size = i < input->chunk_count ? input->chunks[i] + 1u : left;
        if (size > left)
            size = left;
        if (!input->takeover) {
            deflater_reset(deflater);
            inflater_reset(inflater);
        }
        check_message_there_and_back(deflater, inflater, i % 2 == 1, input->rest + at, size);
        at += size;
    }
    deflater_destroy(deflater);
    inflater_destroy(inflater);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    if (size < HEAD_SIZE)
        return 0;
    struct input input = {.bits = WINDOW_BITS_MIN + (bytes[0] & FLAG_BITS),
                          .takeover = (bytes[0] & FLAG_TAKEOVER) != 0,
                          .max_message_size = bytes[1] | (size_t)bytes[2] << 8,
                          .chunks = bytes + HEAD_SIZE,
                          .chunk_count = bytes[3] & CHUNKS_MAX};
    if (size < HEAD_SIZE + input.chunk_count)
        return 0;
    input.rest = input.chunks + input.chunk_count;
    input.rest_size = size - HEAD_SIZE - input.chunk_count;
    check_payload(&input);
    check_splits(&input, input.rest, input.rest_size);
    check_there_and_back(&input);
    return 0;
}
