/* test_decoder_deflate.c - the decoder's compressed messages. Every wire is fed whole, byte by byte and cut in two
 * at every place; the outcome must be the same.
 *
 * SPDX-License-Identifier: MIT
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/deflate_data.h"
#include "tests/unit/suites.h"
#include "tests/unit/transcript.h"
#include "ws/buffer.h"

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
        ck_assert_ptr_nonnull(decoded->data);
        ck_assert_uint_ge(decoder_memory(decoder), decoded->size);
        ck_assert_uint_le(decoded->size, receiver->transcript.limits.max_message_size);
    }
}

/* Feeds until all is consumed; an idle or ended decoder must hold no memory. */
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

START_TEST(decoder_inflates_compressed_messages) {
    struct wire wire = {0};
    for (const struct frame *frame = exchanges[_i].frames; frame->payload.at != NULL; frame++)
        wire_frame(&wire, frame->first, frame->payload.at, frame->payload.size);
    check_wire(&wire, LIMIT, exchanges[_i].takeover, exchanges[_i].expected, exchanges[_i].name);
    wire_release(&wire);
}
END_TEST

START_TEST(decoder_refuses_rsv1_without_the_extension) {
    struct transcript transcript = {.limits = {.max_message_size = LIMIT, .expect_masked = true}};
    static const uint8_t first = 0xC1;
    transcript_feed(&transcript, &first, 1);
    ck_assert_str_eq(transcript.text, "error 1002; ");
    transcript_release(&transcript);
}
END_TEST

START_TEST(decoder_limits_inflated_messages) {
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

/* A compressed message that cannot fit into the limit is refused at its header, in fragments too. */
START_TEST(decoder_limits_compressed_size) {
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

START_TEST(decoder_without_inflater_fails_with_1011) {
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

/* The event comes before inflation needs memory; the inflated message can be detached. */
START_TEST(decoder_keeps_an_inflated_message_until_the_next_feed) {
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
    buffer_release(message);
    inflater_destroy(inflater);
    wire_release(&wire);
}
END_TEST

Suite *decoder_deflate_suite(void) {
    Suite *suite = suite_create("decoder_deflate");
    TCase *tcase = tcase_create("decoder_deflate");
    tcase_add_loop_test(tcase, decoder_inflates_compressed_messages, 0, sizeof exchanges / sizeof *exchanges);
    tcase_add_test(tcase, decoder_refuses_rsv1_without_the_extension);
    tcase_add_test(tcase, decoder_limits_inflated_messages);
    tcase_add_test(tcase, decoder_limits_compressed_size);
    tcase_add_test(tcase, decoder_without_inflater_fails_with_1011);
    tcase_add_test(tcase, decoder_keeps_an_inflated_message_until_the_next_feed);
    suite_add_tcase(suite, tcase);
    return suite;
}
