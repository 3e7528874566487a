/* test_deflate.c - DEFLATE streams there and back, and the decoder's compressed messages. Every wire is fed whole,
 * byte by byte and cut in two at every place; the outcome must be the same.
 *
 * SPDX-License-Identifier: MIT
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "server/proto/deflate.h"
#include "server/proto/extension.h"
#include "tests/unit/suites.h"
#include "tests/unit/transcript.h"

enum { MIB = 1 << 20, TIMEOUT_SECONDS = 120 };

static const uint8_t tail[] = {0x00, 0x00, 0xFF, 0xFF};

/* --- Data ------------------------------------------------------------------------------------------------- */

enum kind { ZEROS, WORDS, NOISE, REPEATS, KINDS };

/* The same each time. Repeats: noise that comes again after 5,000 bytes. */
static uint8_t *data_of(enum kind kind, size_t size) {
    static const char words[] = "{\"name\": \"value\", \"number\": 12345, \"list\": [1, 2, 3]} ";
    uint8_t *data = malloc(size + 1);
    ck_assert_ptr_nonnull(data);
    uint64_t state = 0x9E3779B97F4A7C15u;
    for (size_t i = 0; i < size; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        uint8_t noise = (uint8_t)(state >> 56);
        data[i] = kind == ZEROS   ? 0
                  : kind == WORDS ? (uint8_t)words[(i + i / 1000) % (sizeof words - 1)]
                  : kind == NOISE ? noise
                  : i < 5000      ? noise
                                  : data[i - 5000];
    }
    return data;
}

/* --- Streams ---------------------------------------------------------------------------------------------- */

struct bytes {
    uint8_t *at;
    size_t size;
};

/* In room that is no larger than deflater_bound() says. */
static struct bytes deflated(struct deflater *deflater, const void *data, size_t size) {
    size_t bound = deflater_bound(deflater, size);
    struct bytes out = {.at = malloc(bound)};
    ck_assert_ptr_nonnull(out.at);
    out.size = deflater_run(deflater, data, size, out.at, bound);
    ck_assert_uint_gt(out.size, 0);
    ck_assert(out.size < sizeof tail || memcmp(out.at + out.size - sizeof tail, tail, sizeof tail) != 0);
    return out;
}

static void check_inflates(struct inflater *inflater, struct bytes in, const void *data, size_t size) {
    uint8_t *message;
    size_t message_size;
    ck_assert_int_eq(inflater_run(inflater, in.at, in.size, size, &message, &message_size), INFLATE_DONE);
    ck_assert_uint_eq(message_size, size);
    ck_assert_int_eq(message == NULL, size == 0);
    if (size > 0)
        ck_assert_mem_eq(message, data, size);
    free(message);
}

static void check_there_and_back(struct deflater *deflater, struct inflater *inflater, enum kind kind,
                                 size_t size) {
    uint8_t *data = data_of(kind, size);
    struct bytes compressed = deflated(deflater, data, size);
    check_inflates(inflater, compressed, data, size);
    free(compressed.at);
    free(data);
}

static const size_t sizes[] = {1,     2,     3,     125,   126,   255,   256,   257, 1000,    4096,
                               32767, 32768, 32769, 65535, 65536, 65537, 70000, 5,   MIB - 1, MIB};

/* By itself, each message is reset before; else both streams go on over all sizes and kinds. */
static void check_all_sizes(unsigned bits, bool takeover) {
    struct deflater *deflater = deflater_create(bits);
    struct inflater *inflater = inflater_create(bits);
    for (enum kind kind = ZEROS; kind < KINDS; kind++)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            if (!takeover) {
                deflater_reset(deflater);
                inflater_reset(inflater);
            }
            check_there_and_back(deflater, inflater, kind, sizes[i]);
        }
    deflater_destroy(deflater);
    inflater_destroy(inflater);
}

START_TEST(each_message_by_itself) {
    check_all_sizes((unsigned)_i, false);
}
END_TEST

START_TEST(messages_of_one_stream) {
    check_all_sizes((unsigned)_i, true);
}
END_TEST

/* What does not compress needs the most room, and not always the same. */
START_TEST(bound_is_enough_at_every_size) {
    struct deflater *deflater = deflater_create((unsigned)_i);
    struct inflater *inflater = inflater_create((unsigned)_i);
    for (size_t size = 1; size < 9000; size += size < 600 ? 1 : 97)
        check_there_and_back(deflater, inflater, NOISE, size);
    deflater_destroy(deflater);
    inflater_destroy(inflater);
}
END_TEST

START_TEST(repeats_are_found_within_the_stream) {
    struct deflater *deflater = deflater_create(12);
    uint8_t *data = data_of(NOISE, 1000);
    struct bytes first = deflated(deflater, data, 1000), second = deflated(deflater, data, 1000);
    ck_assert_uint_ge(first.size, 1000);
    ck_assert_uint_lt(second.size, 100);
    deflater_reset(deflater);
    struct bytes third = deflated(deflater, data, 1000);
    ck_assert_uint_eq(third.size, first.size);
    ck_assert_mem_eq(third.at, first.at, first.size);
    free(first.at);
    free(second.at);
    free(third.at);
    free(data);
    deflater_destroy(deflater);
}
END_TEST

/* Until there is room for all and the tail: 0, and the next message is the first of a stream. */
static void check_capacity(struct deflater *deflater, const uint8_t *data, size_t size, struct bytes whole,
                           size_t capacity) {
    struct bytes out = {.at = malloc(capacity + (capacity == 0))};
    deflater_reset(deflater);
    out.size = deflater_run(deflater, data, size, out.at, capacity);
    if (capacity < whole.size)
        ck_assert_uint_eq(out.size, 0);
    if (capacity > whole.size + sizeof tail)
        ck_assert_uint_eq(out.size, whole.size);
    if (out.size > 0)
        ck_assert_mem_eq(out.at, whole.at, whole.size);
    else {
        struct bytes again = deflated(deflater, data, size);
        ck_assert_uint_eq(again.size, whole.size);
        ck_assert_mem_eq(again.at, whole.at, whole.size);
        free(again.at);
    }
    free(out.at);
}

START_TEST(too_little_room_leaves_a_fresh_stream) {
    struct deflater *deflater = deflater_create(12);
    for (enum kind kind = ZEROS; kind < KINDS; kind++) {
        size_t size = kind == NOISE ? 500 : 3000;
        uint8_t *data = data_of(kind, size);
        deflater_reset(deflater);
        struct bytes whole = deflated(deflater, data, size);
        for (size_t capacity = 0; capacity<whole.size + 10; capacity += whole.size> 1000 ? 37 : 1)
            check_capacity(deflater, data, size, whole, capacity);
        free(whole.at);
        free(data);
    }
    deflater_destroy(deflater);
}
END_TEST

/* --- Limits, faults --------------------------------------------------------------------------------------- */

static enum inflate_result result_of(struct inflater *inflater, struct bytes in, size_t max) {
    uint8_t *message;
    size_t size;
    enum inflate_result result = inflater_run(inflater, in.at, in.size, max, &message, &size);
    if (result != INFLATE_DONE)
        ck_assert(message == NULL && size == 0);
    ck_assert_uint_le(size, max);
    free(message);
    return result;
}

START_TEST(size_is_limited_to_the_byte) {
    static const size_t limits[] = {1, 2, 255, 256, 257, 1000, 65536, MIB};
    struct deflater *deflater = deflater_create(15);
    struct inflater *inflater = inflater_create(15);
    for (enum kind kind = ZEROS; kind < KINDS; kind++)
        for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
            uint8_t *data = data_of(kind, limits[i]);
            deflater_reset(deflater);
            struct bytes in = deflated(deflater, data, limits[i]);
            inflater_reset(inflater);
            ck_assert_int_eq(result_of(inflater, in, limits[i] - 1), INFLATE_TOO_BIG);
            inflater_reset(inflater);
            check_inflates(inflater, in, data, limits[i]);
            free(in.at);
            free(data);
        }
    deflater_destroy(deflater);
    inflater_destroy(inflater);
}
END_TEST

#define B(text)                                                                                                    \
    { (uint8_t *)(uintptr_t)(text), sizeof(text) - 1 }

#define HELLO       "\xf2\x48\xcd\xc9\xc9\x07\x00" /* RFC 7692, 7.2.3.1 to 7.2.3.5 */
#define HELLO_AGAIN "\xf2\x00\x11\x00\x00"
#define HELLO_PLAIN "\x00\x05\x00\xfa\xffHello\x00"
#define HELLO_FINAL "\xf3\x48\xcd\xc9\xc9\x07\x00\x00"
#define HELLO_TWICE "\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"

static const struct {
    const char *name, *expected;
    struct bytes in;
} wholes[] = {
    {"one block", "Hello", B(HELLO)},
    {"a stored block", "Hello", B(HELLO_PLAIN)},
    {"a final block", "Hello", B(HELLO_FINAL)},
    {"two blocks", "Hello", B(HELLO_TWICE)},
    {"no byte at all", "", B("")},
    {"an empty stored block", "", B("\x00")},
    {"an empty fixed block", "", B("\x02\x00")},
    {"an empty final block", "", B("\x03\x00\x00")},
    {"two final blocks", "HelloHello", B("\xf3\x48\xcd\xc9\xc9\x07\x00" HELLO_FINAL)},
    {"a final stored block", "Hi", B("\x01\x02\x00\xfd\xffHi\x00")},
    {"empty blocks before", "Hello", B("\x00\x00\x00\xff\xff\x00\x00\x00\xff\xff" HELLO)},
};

START_TEST(whole_messages_are_inflated) {
    struct inflater *inflater = inflater_create(15);
    for (int times = 0; times < 3; times++)
        check_inflates(inflater, wholes[_i].in, wholes[_i].expected, strlen(wholes[_i].expected));
    inflater_destroy(inflater);
}
END_TEST

static const struct bytes faults[] = {
    B("\x06"),                      /* the reserved type of block */
    B("\x07"),                      /* likewise, final */
    B("\x00\x05\x00\xfa\xfeHello"), /* a length that is not confirmed */
    B(HELLO_AGAIN),                 /* nothing to refer to */
    B("\xff\xff\xff\xff"),
    B("\x04\x00\x00\x00\x00\x00\x00\x00"), /* dynamic codes of length 0 */
    B(HELLO "\x06"),
    B("Hello, world"),
};

/* Whatever came before, and after a reset all is well. */
START_TEST(faults_are_found) {
    struct inflater *inflater = inflater_create(15);
    ck_assert_int_eq(result_of(inflater, faults[_i], 1000), INFLATE_INVALID);
    inflater_reset(inflater);
    check_inflates(inflater, (struct bytes)B(HELLO), "Hello", 5);
    inflater_reset(inflater);
    check_inflates(inflater, (struct bytes)B(HELLO_FINAL), "Hello", 5);
    inflater_reset(inflater);
    ck_assert_int_eq(result_of(inflater, faults[_i], 1000), INFLATE_INVALID);
    inflater_destroy(inflater);
}
END_TEST

START_TEST(window_outlives_a_final_block) {
    struct inflater *inflater = inflater_create(15);
    check_inflates(inflater, (struct bytes)B(HELLO_FINAL), "Hello", 5);
    check_inflates(inflater, (struct bytes)B(HELLO_AGAIN), "Hello", 5);
    inflater_destroy(inflater);
}
END_TEST

/* Where the tail makes a whole block of what is left is known for these. */
START_TEST(cut_off_messages_are_found) {
    static const struct {
        struct bytes in;
        const char *whole_at; /* the sizes that are a message, too */
    } cases[] = {{B(HELLO), ""}, {B(HELLO_PLAIN), "\x01\x06"}, {B(HELLO_FINAL), ""}, {B(HELLO_TWICE), "\x04"}};
    struct bytes in = cases[_i].in;
    struct inflater *inflater = inflater_create(15);
    for (size_t size = 1; size < in.size; size++) {
        bool whole = strchr(cases[_i].whole_at, (int)size) != NULL;
        inflater_reset(inflater);
        ck_assert_msg(result_of(inflater, (struct bytes){in.at, size}, 1000) ==
                          (whole ? INFLATE_DONE : INFLATE_INVALID),
                      "%zu bytes of case %d", size, _i);
    }
    inflater_destroy(inflater);
}
END_TEST

/* In dynamic blocks, nothing passes for an end. */
START_TEST(cut_off_long_message_is_found) {
    struct deflater *deflater = deflater_create(15);
    struct inflater *inflater = inflater_create(15);
    uint8_t *data = data_of(WORDS, 1000);
    struct bytes in = deflated(deflater, data, 1000);
    for (size_t size = 1; size < in.size; size++) {
        inflater_reset(inflater);
        ck_assert_int_eq(result_of(inflater, (struct bytes){in.at, size}, 2000), INFLATE_INVALID);
    }
    free(in.at);
    free(data);
    deflater_destroy(deflater);
    inflater_destroy(inflater);
}
END_TEST

/* The window of the message before, to its last byte and beyond: "257, distance" as fixed blocks by hand. */
START_TEST(window_ends_where_it_should) {
    static const struct {
        unsigned bits;
        struct bytes within, beyond;
    } cases[] = {
        {8, B("\x02\xfa\x1f\x00"), B("\x02\x06\x00\x00")},     /* 256, 257 */
        {9, B("\x02\xc6\x3f\x00"), B("\x02\x26\x00\x00\x00")}, /* 512, 513 */
    };
    uint8_t *data = data_of(NOISE, 2000);
    struct deflater *deflater = deflater_create(cases[_i].bits);
    struct inflater *inflater = inflater_create(cases[_i].bits);
    struct bytes before = deflated(deflater, data, 2000);
    check_inflates(inflater, before, data, 2000);
    check_inflates(inflater, cases[_i].within, data + 2000 - ((size_t)1 << cases[_i].bits), 3);
    inflater_reset(inflater);
    check_inflates(inflater, before, data, 2000);
    ck_assert_int_eq(result_of(inflater, cases[_i].beyond, 1000), INFLATE_INVALID);
    free(before.at);
    free(data);
    deflater_destroy(deflater);
    inflater_destroy(inflater);
}
END_TEST

START_TEST(many_final_blocks_in_one_message) {
    enum { COUNT = 100000, BLOCK = sizeof HELLO_FINAL - 2 };
    struct bytes in = {.at = malloc(COUNT * BLOCK + 1), .size = COUNT * BLOCK + 1};
    uint8_t *expected = malloc(COUNT * 5);
    for (size_t i = 0; i < COUNT; i++) {
        memcpy(in.at + i * BLOCK, HELLO_FINAL, BLOCK);
        memcpy(expected + i * 5, "Hello", 5);
    }
    in.at[COUNT * BLOCK] = 0;
    struct inflater *inflater = inflater_create(15);
    check_inflates(inflater, in, expected, COUNT * 5);
    ck_assert_int_eq(result_of(inflater, in, COUNT * 5 - 1), INFLATE_TOO_BIG);
    inflater_destroy(inflater);
    free(in.at);
    free(expected);
}
END_TEST

/* --- The decoder ------------------------------------------------------------------------------------------ */

enum { LIMIT = 1000 };

struct receiver {
    struct transcript transcript;
    struct inflater *inflater;
    bool takeover;
};

static const char *name_of(const struct decoded *decoded) {
    static const char *const names[] = {
        [DECODER_PING] = "ping", [DECODER_PONG] = "pong", [DECODER_CLOSE] = "close", [DECODER_ERROR] = "error"};
    if (decoded->event == DECODER_MESSAGE)
        return decoded->opcode == OPCODE_TEXT ? "text" : "binary";
    return names[decoded->event];
}

static void inflate(struct receiver *receiver, struct decoded *decoded) {
    struct decoder *decoder = &receiver->transcript.decoder;
    if (!receiver->takeover)
        inflater_reset(receiver->inflater);
    decoder_inflate(decoder, &receiver->transcript.limits, receiver->inflater, decoded);
    ck_assert(decoded->event == DECODER_MESSAGE || decoded->event == DECODER_ERROR);
    if (decoded->event == DECODER_MESSAGE) {
        ck_assert_int_eq(decoded->in_heap, decoded->size > 0);
        ck_assert_uint_ge(decoder_memory(decoder), decoded->size);
        ck_assert_uint_le(decoded->size, receiver->transcript.limits.max_message_size);
    }
}

/* Until all is consumed; what is idle or has ended must hold no memory. */
static void feed(struct receiver *receiver, const uint8_t *bytes, size_t size) {
    struct transcript *transcript = &receiver->transcript;
    struct decoder *decoder = &transcript->decoder;
    struct wire copy = {0};
    wire_bytes(&copy, bytes, size);
    struct decoded decoded;
    size_t used = 0;
    do {
        used += decoder_feed(decoder, &transcript->limits, copy.bytes + used, size - used, &decoded);
        if (decoded.event == DECODER_DEFLATED)
            inflate(receiver, &decoded);
        if (decoded.event != DECODER_MORE)
            transcript_event(transcript, name_of(&decoded), decoded.close_code, decoded.data,
                             decoded.event == DECODER_ERROR ? 0 : decoded.size);
    } while (decoded.event != DECODER_MORE);
    ck_assert_uint_eq(used, size);
    transcript->fed += size;
    ck_assert_uint_le(decoder_memory(decoder), 2 * transcript->fed + 256);
    if (decoder->ended || (decoder->message_opcode == 0 && !decoder->in_payload))
        ck_assert_uint_eq(decoder_memory(decoder), 0);
    wire_release(&copy);
}

static struct receiver receiver_of(size_t max_message_size, bool takeover) {
    struct receiver receiver = {.inflater = inflater_create(15), .takeover = takeover};
    receiver.transcript.limits =
        (struct decoder_limits){.max_message_size = max_message_size, .expect_masked = true};
    receiver.transcript.decoder.deflate = true;
    return receiver;
}

static void finish(struct receiver *receiver, const char *expected, const char *name, size_t split) {
    const char *text = receiver->transcript.text == NULL ? "" : receiver->transcript.text;
    ck_assert_msg(strcmp(text, expected) == 0, "%s, split at %zu: %s\nexpected: %s", name, split, text, expected);
    inflater_destroy(receiver->inflater);
    transcript_release(&receiver->transcript);
}

static void check_wire(const struct wire *wire, size_t max, bool takeover, const char *expected, const char *name) {
    for (size_t split = 0; split <= wire->size; split++) {
        struct receiver receiver = receiver_of(max, takeover);
        feed(&receiver, wire->bytes, split);
        feed(&receiver, wire->bytes + split, wire->size - split);
        finish(&receiver, expected, name, split);
    }
    struct receiver receiver = receiver_of(max, takeover);
    for (size_t i = 0; i < wire->size; i++)
        feed(&receiver, wire->bytes + i, 1);
    finish(&receiver, expected, name, SIZE_MAX);
}

struct frame {
    uint8_t first;
    struct bytes payload;
};

#define F(first, text)                                                                                             \
    { first, B(text) }

static const struct {
    const char *name, *expected;
    bool takeover;
    struct frame frames[6];
} exchanges[] = {
    {"a text", "text Hello; ", false, {F(0xC1, HELLO)}},
    {"a binary", "binary Hello; ", false, {F(0xC2, HELLO)}},
    {"fragments", "text Hello; ", false, {F(0x41, "\xf2\x48\xcd"), F(0x80, "\xc9\xc9\x07\x00")}},
    {"an empty fragment first", "text Hello; ", false, {F(0x41, ""), F(0x00, HELLO), F(0x80, "")}},
    {"a message of one byte", "text; text; ", false, {F(0xC1, "\x00"), F(0xC1, "\x00")}},
    {"messages without a byte", "text; binary; ", false, {F(0xC1, ""), F(0x42, ""), F(0x80, "")}},
    {"control frames between",
     "ping 1; pong 2; text Hello; ",
     false,
     {F(0x41, "\xf2\x48"), F(0x89, "1"), F(0x00, "\xcd"), F(0x8A, "2"), F(0x80, "\xc9\xc9\x07\x00")}},
    {"plain and compressed",
     "text Hello; text Hello; binary \\ff; binary Hello; ",
     false,
     {F(0x81, "Hello"), F(0xC1, HELLO), F(0x82, "\xff"), F(0xC2, HELLO)}},
    {"plain after fragments",
     "text Hello; text ab; ",
     false,
     {F(0x41, HELLO), F(0x80, ""), F(0x01, "a"), F(0x80, "b")}},
    {"each by itself", "text Hello; text Hello; ", false, {F(0xC1, HELLO), F(0xC1, HELLO)}},
    {"a shared window",
     "text Hello; text x; text Hello; text; text Hello; ",
     true,
     {F(0xC1, HELLO), F(0x81, "x"), F(0xC1, HELLO_AGAIN), F(0xC1, "\x00"), F(0xC1, HELLO_AGAIN)}},
    {"no window to share", "text Hello; error 1007; ", false, {F(0xC1, HELLO), F(0xC1, HELLO_AGAIN)}},
    {"damage", "text Hello; error 1007; ", true, {F(0xC1, HELLO), F(0xC1, "\x06"), F(0xC1, HELLO)}},
    {"cut off", "error 1007; ", false, {F(0xC1, "\xf2\x48\xcd")}},
    {"not UTF-8", "error 1007; ", false, {F(0xC1, "\x00\x01\x00\xfe\xff\xff\x00")}},
    {"a text that ends within a character", "error 1007; ", false, {F(0xC1, "\x00\x02\x00\xfd\xff\xe2\x82\x00")}},
    {"a binary is not UTF-8", "binary \\ff; ", false, {F(0xC2, "\x00\x01\x00\xfe\xff\xff\x00")}},
    {"a Close within", "close 1000; ", false, {F(0x41, "\xf2"), F(0x88, "\x03\xe8"), F(0x80, HELLO)}},

    {"RSV1 on a continuation", "error 1002; ", false, {F(0x41, "\xf2"), F(0xC0, "\x48")}},
    {"RSV1 on a plain message's continuation", "error 1002; ", false, {F(0x01, "a"), F(0xC0, "b")}},
    {"RSV1 on a middle fragment", "error 1002; ", false, {F(0x41, "\xf2"), F(0x40, "\x48")}},
    {"RSV1 on a ping", "error 1002; ", false, {F(0xC9, "")}},
    {"RSV1 on a pong", "error 1002; ", false, {F(0xCA, "x")}},
    {"RSV1 on a Close", "error 1002; ", false, {F(0xC8, "\x03\xe8")}},
    {"RSV1 and RSV2", "error 1002; ", false, {F(0xE1, HELLO)}},
    {"RSV1 and RSV3", "error 1002; ", false, {F(0xD1, HELLO)}},
    {"RSV2 alone", "error 1002; ", false, {F(0xA1, HELLO)}},
    {"RSV3 alone", "error 1002; ", false, {F(0x92, HELLO)}},
    {"RSV1 on a reserved opcode", "error 1002; ", false, {F(0xC3, HELLO)}},
    {"a message within a compressed one", "error 1002; ", false, {F(0x41, "\xf2"), F(0xC1, HELLO)}},
};

START_TEST(compressed_frames_make_events) {
    struct wire wire = {0};
    for (const struct frame *frame = exchanges[_i].frames; frame->payload.at != NULL; frame++)
        wire_frame(&wire, frame->first, frame->payload.at, frame->payload.size);
    check_wire(&wire, LIMIT, exchanges[_i].takeover, exchanges[_i].expected, exchanges[_i].name);
    wire_release(&wire);
}
END_TEST

START_TEST(rsv1_needs_an_agreement) {
    struct transcript transcript = {.limits = {.max_message_size = LIMIT, .expect_masked = true}};
    static const uint8_t first = 0xC1;
    transcript_feed(&transcript, &first, 1);
    ck_assert_str_eq(transcript.text, "error 1002; ");
    transcript_release(&transcript);
}
END_TEST

START_TEST(limit_counts_what_is_inflated) {
    for (size_t size = LIMIT - 1; size <= LIMIT + 1; size++)
        for (enum kind kind = ZEROS; kind < KINDS; kind += NOISE - ZEROS) {
            struct deflater *deflater = deflater_create(15);
            uint8_t *data = data_of(kind, size);
            struct bytes in = deflated(deflater, data, size);
            struct wire wire = {0};
            struct transcript expected = {0};
            wire_frame(&wire, 0x42, in.at, in.size / 2);
            wire_frame(&wire, 0x80, in.at + in.size / 2, in.size - in.size / 2);
            if (size <= LIMIT)
                transcript_event(&expected, "binary", 0, data, size);
            else
                transcript_event(&expected, "error", 1009, NULL, 0);
            check_wire(&wire, LIMIT, false, expected.text, "around the limit");
            wire_release(&wire);
            transcript_release(&expected);
            free(in.at);
            free(data);
            deflater_destroy(deflater);
        }
}
END_TEST

/* What can come to no message within the limit is refused at its header, in fragments too. */
START_TEST(compressed_size_is_limited) {
    static const uint8_t header[] = {0xC2, 0xFE, 0xFF, 0xFF};
    static const uint8_t piece[500];
    struct receiver whole = receiver_of(LIMIT, false), pieces = receiver_of(LIMIT, false);
    feed(&whole, header, sizeof header);
    finish(&whole, "error 1009; ", "a header", 0);
    struct wire wire = {0};
    wire_frame(&wire, 0x42, piece, sizeof piece);
    for (int i = 0; i < 10; i++)
        wire_frame(&wire, 0x00, piece, sizeof piece);
    feed(&pieces, wire.bytes, wire.size);
    finish(&pieces, "error 1009; ", "fragments", 0);
    wire_release(&wire);
}
END_TEST

START_TEST(no_inflater_is_no_memory) {
    struct decoder decoder = {.deflate = true};
    struct decoder_limits limits = {.max_message_size = LIMIT, .expect_masked = true};
    struct decoded decoded;
    struct wire wire = {0};
    wire_frame(&wire, 0x41, "\xf2\x48\xcd", 3);
    wire_frame(&wire, 0x80, "\xc9\xc9\x07\x00", 4);
    decoder_feed(&decoder, &limits, wire.bytes, wire.size, &decoded);
    ck_assert_int_eq(decoded.event, DECODER_DEFLATED);
    ck_assert_uint_gt(decoder_memory(&decoder), 0);
    decoder_inflate(&decoder, &limits, NULL, &decoded);
    ck_assert_int_eq(decoded.event, DECODER_ERROR);
    ck_assert_uint_eq(decoded.close_code, 1011);
    ck_assert(decoder.ended);
    ck_assert_uint_eq(decoder_memory(&decoder), 0);
    wire_release(&wire);
}
END_TEST

/* It is told what it is before it costs anything but its bytes; inflated, it can be taken over. */
START_TEST(message_is_held_until_the_next_feed) {
    struct decoder decoder = {.deflate = true};
    struct decoder_limits limits = {.max_message_size = LIMIT, .expect_masked = true};
    struct decoded decoded;
    struct inflater *inflater = inflater_create(15);
    struct wire wire = {0};
    wire_frame(&wire, 0xC2, HELLO, sizeof HELLO - 1);
    size_t one = wire.size;
    wire_frame(&wire, 0xC2, HELLO, sizeof HELLO - 1);

    size_t used = decoder_feed(&decoder, &limits, wire.bytes, wire.size, &decoded);
    ck_assert_uint_eq(used, one);
    ck_assert_int_eq(decoded.event, DECODER_DEFLATED);
    ck_assert_uint_eq(decoded.size, sizeof HELLO - 1);
    ck_assert_uint_eq(decoder_memory(&decoder), 0);
    decoder_inflate(&decoder, &limits, inflater, &decoded);
    ck_assert(decoded.event == DECODER_MESSAGE && decoded.opcode == OPCODE_BINARY && decoded.in_heap);
    ck_assert_uint_ge(decoder_memory(&decoder), 5);
    uint8_t *message = decoder_detach(&decoder);
    ck_assert_ptr_eq(message, decoded.data);
    ck_assert_uint_eq(decoder_memory(&decoder), 0);

    decoder_feed(&decoder, &limits, wire.bytes + used, wire.size - used, &decoded);
    decoder_inflate(&decoder, &limits, inflater, &decoded);
    ck_assert_mem_eq(decoded.data, "Hello", 5);
    ck_assert_mem_eq(message, "Hello", 5);
    decoder_feed(&decoder, &limits, NULL, 0, &decoded);
    ck_assert_uint_eq(decoder_memory(&decoder), 0);
    free(message);
    inflater_destroy(inflater);
    wire_release(&wire);
}
END_TEST

static void add_stream_tests(TCase *tcase) {
    tcase_add_loop_test(tcase, each_message_by_itself, WINDOW_BITS_MIN, WINDOW_BITS_MAX + 1);
    tcase_add_loop_test(tcase, messages_of_one_stream, WINDOW_BITS_MIN, WINDOW_BITS_MAX + 1);
    tcase_add_loop_test(tcase, bound_is_enough_at_every_size, WINDOW_BITS_MIN, WINDOW_BITS_MAX + 1);
    tcase_add_test(tcase, repeats_are_found_within_the_stream);
    tcase_add_test(tcase, too_little_room_leaves_a_fresh_stream);
    tcase_add_test(tcase, size_is_limited_to_the_byte);
    tcase_add_loop_test(tcase, whole_messages_are_inflated, 0, sizeof wholes / sizeof *wholes);
    tcase_add_loop_test(tcase, faults_are_found, 0, sizeof faults / sizeof *faults);
    tcase_add_test(tcase, window_outlives_a_final_block);
    tcase_add_loop_test(tcase, cut_off_messages_are_found, 0, 4);
    tcase_add_test(tcase, cut_off_long_message_is_found);
    tcase_add_loop_test(tcase, window_ends_where_it_should, 0, 2);
    tcase_add_test(tcase, many_final_blocks_in_one_message);
}

static void add_decoder_tests(TCase *tcase) {
    tcase_add_loop_test(tcase, compressed_frames_make_events, 0, sizeof exchanges / sizeof *exchanges);
    tcase_add_test(tcase, rsv1_needs_an_agreement);
    tcase_add_test(tcase, limit_counts_what_is_inflated);
    tcase_add_test(tcase, compressed_size_is_limited);
    tcase_add_test(tcase, no_inflater_is_no_memory);
    tcase_add_test(tcase, message_is_held_until_the_next_feed);
}

Suite *deflate_suite(void) {
    Suite *suite = suite_create("deflate");
    TCase *tcase = tcase_create("deflate");
    tcase_set_timeout(tcase, TIMEOUT_SECONDS);
    add_stream_tests(tcase);
    add_decoder_tests(tcase);
    suite_add_tcase(suite, tcase);
    return suite;
}
