/* test_decoder.c - the decoder, by transcripts. Every wire is fed whole, byte by byte and cut in two at every
 * place; the outcome must be the same.
 *
 * SPDX-License-Identifier: MIT
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/suites.h"
#include "tests/unit/transcript.h"
#include "ws/buffer.h"
#include "ws/close_code.h"
#include "ws/decoder.h"

enum { FIN = 0x80, LIMIT = 1000, EVERY_SPLIT_MAX = 2000 };

static const struct decoder_limits server_limits = {.max_message_size = LIMIT, .expect_masked = true};

/* --- All the splits -------------------------------------------------------------------------------------- */

static void check_split(const struct wire *wire, struct decoder_limits limits, size_t split, const char *expected,
                        const char *name) {
    struct transcript transcript = {.limits = limits};
    transcript_feed(&transcript, wire->bytes, split);
    transcript_feed(&transcript, wire->bytes + split, wire->size - split);
    const char *text = transcript.text == NULL ? "" : transcript.text;
    ck_assert_msg(strcmp(text, expected) == 0, "%s, split at %zu: %s\nexpected: %s", name, split, text, expected);
    transcript_release(&transcript);
}

/* `shown_after`: how many bytes it takes until the last event; 0 if that is not the point. */
static void check_bytewise(const struct wire *wire, struct decoder_limits limits, const char *expected,
                           size_t shown_after, const char *name) {
    struct transcript transcript = {.limits = limits};
    for (size_t i = 0; i < wire->size; i++)
        transcript_feed(&transcript, wire->bytes + i, 1);
    const char *text = transcript.text == NULL ? "" : transcript.text;
    ck_assert_msg(strcmp(text, expected) == 0, "%s, byte by byte: %s\nexpected: %s", name, text, expected);
    if (shown_after != 0)
        ck_assert_msg(transcript.last_event_at == shown_after, "%s: shown after %zu bytes, not %zu", name,
                      transcript.last_event_at, shown_after);
    transcript_release(&transcript);
}

/* A long wire is not cut in the middle of its long payload at every byte, but often enough. */
static void check_wire(const struct wire *wire, struct decoder_limits limits, const char *expected,
                       size_t shown_after, const char *name) {
    check_bytewise(wire, limits, expected, shown_after, name);
    for (size_t split = 0; split <= wire->size; split++) {
        bool at_an_end = split < 40 || split + 40 > wire->size;
        if (wire->size <= EVERY_SPLIT_MAX || at_an_end || split % 4099 == 0)
            check_split(wire, limits, split, expected, name);
    }
}

/* --- Frames, right and wrong ----------------------------------------------------------------------------- */

struct frame {
    uint8_t first;
    const char *payload;
    size_t size;
};

#define F(first, payload_text)                                                                                     \
    { first, payload_text, sizeof(payload_text) - 1 }

struct exchange {
    const char *name;
    const char *expected;
    struct frame frames[6];
};

static const struct exchange exchanges[] = {
    {"a text", "text Hello; ", {F(0x81, "Hello")}},
    {"an empty text", "text; ", {F(0x81, "")}},
    {"a binary", "binary \\00\\ff\\80; ", {F(0x82, "\x00\xff\x80")}},
    {"an empty binary", "binary; ", {F(0x82, "")}},
    {"characters of all sizes",
     "text $\\c2\\a2\\e2\\82\\ac\\f4\\8f\\bf\\bf; ",
     {F(0x81, "$\xc2\xa2\xe2\x82\xac\xf4\x8f\xbf\xbf")}},
    {"a NUL in a text", "text a\\00b; ", {F(0x81, "a\0b")}},
    {"two messages", "text one; binary two; ", {F(0x81, "one"), F(0x82, "two")}},
    {"fragments", "text Hello; ", {F(0x01, "He"), F(0x00, "l"), F(0x80, "lo")}},
    {"fragments, then a message", "text Hello; text x; ", {F(0x01, "Hel"), F(0x80, "lo"), F(0x81, "x")}},
    {"empty fragments", "binary; text; ", {F(0x02, ""), F(0x00, ""), F(0x80, ""), F(0x01, ""), F(0x80, "")}},
    {"empty fragments around", "text abc; ", {F(0x01, ""), F(0x00, "abc"), F(0x80, "")}},
    {"an empty fragment first", "text abc; ", {F(0x01, ""), F(0x80, "abc")}},
    {"a character in pieces", "text \\e2\\82\\ac; ", {F(0x01, "\xe2"), F(0x00, "\x82"), F(0x80, "\xac")}},
    {"a binary in pieces is not UTF-8", "binary \\e2\\82; ", {F(0x02, "\xe2"), F(0x80, "\x82")}},
    {"a ping", "ping; ping why; ", {F(0x89, ""), F(0x89, "why")}},
    {"a pong nobody asked for", "pong \\ff; ", {F(0x8A, "\xff")}},
    {"control frames between fragments",
     "ping 1; pong 2; text abcd; ",
     {F(0x01, "ab"), F(0x89, "1"), F(0x00, "c"), F(0x8A, "2"), F(0x80, "d")}},
    {"a Close", "close 1005; ", {F(0x88, "")}},
    {"a Close with a code", "close 1000; ", {F(0x88, "\x03\xe8")}},
    {"a Close with a reason", "close 4001 bye \\c3\\a9; ", {F(0x88, "\017\241bye \xc3\xa9")}},
    {"after a Close", "close 1000; ", {F(0x88, "\x03\xe8"), F(0x81, "x"), F(0xFF, "nonsense")}},
    {"a Close within a message", "close 1001; ", {F(0x01, "abc"), F(0x88, "\x03\xe9"), F(0x80, "d")}},

    {"a continuation alone", "error 1002; ", {F(0x80, "x")}},
    {"a continuation after the last", "text ab; error 1002; ", {F(0x01, "a"), F(0x80, "b"), F(0x80, "c")}},
    {"a message within a message", "error 1002; ", {F(0x01, "a"), F(0x82, "b")}},
    {"a first fragment twice", "error 1002; ", {F(0x02, "a"), F(0x02, "b")}},
    {"a fragmented ping", "error 1002; ", {F(0x09, "a"), F(0x80, "b")}},
    {"a fragmented Close", "error 1002; ", {F(0x08, ""), F(0x80, "")}},
    {"after an error", "text a; error 1002; ", {F(0x81, "a"), F(0x83, ""), F(0x81, "b")}},
    {"a Close with half a code", "error 1002; ", {F(0x88, "\x03")}},
    {"a Close with a reason that is not UTF-8", "error 1007; ", {F(0x88, "\x03\xe8\xc3")}},
    {"a text that ends within a character", "error 1007; ", {F(0x81, "a\xe2\x82")}},
    {"fragments that end within a character", "error 1007; ", {F(0x01, "a\xe2"), F(0x80, "")}},
    {"a character broken by a fragment", "error 1007; ", {F(0x01, "\xe2\x82"), F(0x80, "x")}},
};

static void wire_exchange(struct wire *wire, const struct exchange *exchange) {
    for (const struct frame *frame = exchange->frames; frame->payload != NULL; frame++)
        wire_frame(wire, frame->first, frame->payload, frame->size);
}

START_TEST(decoder_turns_frames_into_events) {
    const struct exchange *exchange = &exchanges[_i];
    struct wire wire = {0};
    wire_exchange(&wire, exchange);
    check_wire(&wire, server_limits, exchange->expected, 0, exchange->name);
    wire_release(&wire);
}
END_TEST

/* --- Faults, found at the byte that shows them ------------------------------------------------------------ */

struct fault {
    const char *name;
    unsigned close_code;
    size_t shown_after;
    struct frame wire; /* as it is: `first` is its first byte, `payload` all others */
};

static const struct fault faults[] = {
    {"RSV1", 1002, 1, F(0xC1, "\x80mask")},
    {"RSV2", 1002, 1, F(0xA1, "\x80mask")},
    {"RSV3", 1002, 1, F(0x91, "\x80mask")},
    {"RSV1 on a ping", 1002, 1, F(0xC9, "\x80mask")},
    {"no mask", 1002, 2, F(0x81, "\x05Hello")},
    {"no mask and empty", 1002, 2, F(0x81, "\x00")},
    {"a ping of 126 bytes", 1002, 2, F(0x89, "\xfe\x00\x7emask")},
    {"a Close of a 64-bit length", 1002, 2, F(0x88, "\xff\0\0\0\0\0\0\0\0mask")},
    {"0 in 16 bits", 1002, 4, F(0x82, "\xfe\x00\x00mask")},
    {"125 in 16 bits", 1002, 4, F(0x82, "\xfe\x00\x7dmask")},
    {"125 in 64 bits", 1002, 10, F(0x82, "\xff\0\0\0\0\0\0\0\x7dmask")},
    {"65535 in 64 bits", 1002, 10, F(0x82, "\xff\0\0\0\0\0\0\xff\xffmask")},
    {"the top bit of 64", 1002, 10, F(0x82, "\xff\x80\0\0\0\0\1\0\0mask")},
    {"all 64 bits", 1002, 10, F(0x82, "\xff\xff\xff\xff\xff\xff\xff\xff\xffmask")},
    {"all but the top bit", 1009, 10, F(0x82, "\xff\x7f\xff\xff\xff\xff\xff\xff\xffmask")},
    {"2 GiB", 1009, 10, F(0x82, "\xff\0\0\0\0\x80\0\0\0mask")},
    {"one byte over the limit", 1009, 4, F(0x82, "\xfe\x03\xe9mask")},
    {"a fragment over the limit", 1009, 4, F(0x01, "\xfe\x03\xe9mask")},
    {"a stray byte", 1007, 8,
     F(0x81, "\x84\0\0\0\0a\x80"
             "bc")},
    {"a bad byte in an unfinished frame", 1007, 11,
     F(0x81, "\xfe\x03\xe8\0\0\0\0ab\xff"
             "cd")},
    {"an overlong form", 1007, 8, F(0x81, "\x82\0\0\0\0\xe0\x9f")},
    {"a surrogate", 1007, 8, F(0x01, "\x90\0\0\0\0\xed\xa0")},
    {"above U+10FFFF", 1007, 8, F(0x81, "\x84\0\0\0\0\xf4\x90\x80\x80")},
    {"a bad byte in a later fragment", 1007, 14, F(0x01, "\x81\0\0\0\0\xe2\x80\x82\0\0\0\0\x28\xa1")},
};

START_TEST(decoder_finds_errors_at_once) {
    const struct fault *fault = &faults[_i];
    struct wire wire = {0};
    char expected[32];
    snprintf(expected, sizeof expected, "error %u; ", fault->close_code);
    wire_bytes(&wire, &fault->wire.first, 1);
    wire_bytes(&wire, fault->wire.payload, fault->wire.size);
    check_wire(&wire, server_limits, expected, fault->shown_after, fault->name);
    wire_release(&wire);
}
END_TEST

START_TEST(decoder_refuses_reserved_opcodes) {
    for (unsigned opcode = 0; opcode <= 0xF; opcode++) {
        bool known = opcode <= 2 || (opcode >= 8 && opcode <= 10);
        for (unsigned fin = 0; !known && fin <= FIN; fin += FIN) {
            struct wire wire = {0};
            wire_frame(&wire, (uint8_t)(fin | opcode), "x", 1);
            check_wire(&wire, server_limits, "error 1002; ", 1, "a reserved opcode");
            wire_release(&wire);
        }
    }
}
END_TEST

START_TEST(decoder_checks_close_codes) {
    static const unsigned codes[] = {0,    1,    999,  1000, 1001, 1002, 1003, 1004, 1005, 1006,
                                     1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 1015, 1016,
                                     1100, 2000, 2999, 3000, 3999, 4000, 4999, 5000, 65535};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        uint8_t payload[] = {(uint8_t)(codes[i] >> 8), (uint8_t)codes[i], 'o', 'k'};
        struct wire wire = {0};
        char expected[32];
        snprintf(expected, sizeof expected, "close %u ok; ", codes[i]);
        wire_frame(&wire, 0x88, payload, sizeof payload);
        check_wire(&wire, server_limits, close_code_sendable(codes[i]) ? expected : "error 1002; ", wire.size,
                   "a close code");
        wire_release(&wire);
    }
}
END_TEST

/* --- Sizes, limits, memory ------------------------------------------------------------------------------- */

START_TEST(decoder_reads_every_form_of_length) {
    static const size_t sizes[] = {1, 124, 125, 126, 127, 128, 1000, 65535, 65536, 100001};
    size_t size = sizes[_i];
    struct decoder_limits limits = {.max_message_size = 200000, .expect_masked = true};
    struct transcript expected = {0};
    struct wire wire = {0};
    char *text = wire_letters(size);
    transcript_event(&expected, "text", 0, text, size);
    transcript_event(&expected, "binary", 0, text, size);
    wire_frame(&wire, 0x81, text, size);
    wire_frame(&wire, 0x02, text, size / 3);
    wire_frame(&wire, 0x80, text + size / 3, size - size / 3);
    check_wire(&wire, limits, expected.text, 0, "a long message");
    wire_release(&wire);
    transcript_release(&expected);
    free(text);
}
END_TEST

START_TEST(decoder_reads_the_longest_control_frames) {
    char *text = wire_letters(CONTROL_PAYLOAD_MAX);
    struct transcript expected = {0};
    struct wire wire = {0};
    memcpy(text, "\x03\xe8", 2);
    transcript_event(&expected, "ping", 0, text, CONTROL_PAYLOAD_MAX);
    transcript_event(&expected, "pong", 0, text, CONTROL_PAYLOAD_MAX);
    transcript_event(&expected, "close", 1000, text + 2, CLOSE_REASON_MAX);
    wire_frame(&wire, 0x89, text, CONTROL_PAYLOAD_MAX);
    wire_frame(&wire, 0x8A, text, CONTROL_PAYLOAD_MAX);
    wire_frame(&wire, 0x88, text, CONTROL_PAYLOAD_MAX);
    struct decoder_limits tight = {.max_message_size = 10, .expect_masked = true}; /* is not about control frames */
    check_wire(&wire, tight, expected.text, 0, "control frames of 125 bytes");
    wire_release(&wire);
    transcript_release(&expected);
    free(text);
}
END_TEST

START_TEST(decoder_limits_reassembled_messages) {
    struct decoder_limits limits = {.max_message_size = 10, .expect_masked = true};
    struct wire wire = {0};
    wire_frame(&wire, 0x82, "0123456789", 10);
    wire_frame(&wire, 0x02, "01234", 5);
    wire_frame(&wire, 0x00, "5678", 4);
    wire_frame(&wire, 0x80, "9", 1);
    check_wire(&wire, limits, "binary 0123456789; binary 0123456789; ", 0, "up to the limit");
    wire_frame(&wire, 0x02, "01234", 5);
    wire_frame(&wire, 0x00, "5678", 4);
    size_t before = wire.size;
    wire_frame(&wire, 0x80, "9A", 2);
    check_wire(&wire, limits, "binary 0123456789; binary 0123456789; error 1009; ", before + 2, "past the limit");
    wire_release(&wire);
}
END_TEST

START_TEST(decoder_limits_memory_of_one_byte_fragments) {
    struct decoder_limits limits = {.max_message_size = 5000, .expect_masked = true};
    struct transcript transcript = {.limits = limits};
    for (size_t i = 0; i < 20000; i++) {
        struct wire wire = {0};
        wire_frame(&wire, i == 0 ? 0x01 : 0x00, "x", 1);
        transcript_feed(&transcript, wire.bytes, wire.size);
        ck_assert_uint_le(decoder_memory(&transcript.decoder), limits.max_message_size);
        wire_release(&wire);
    }
    ck_assert_str_eq(transcript.text, "error 1009; ");
    transcript_release(&transcript);
}
END_TEST

START_TEST(decoder_limits_the_number_of_fragments) {
    struct decoder_limits limits = {.max_message_size = LIMIT, .max_fragments = 3, .expect_masked = true};
    struct wire wire = {0};
    for (int message = 0; message < 2; message++) {
        wire_frame(&wire, 0x02, "a", 1);
        wire_frame(&wire, 0x00, "", 0);
        wire_frame(&wire, 0x89, "", 0); /* is not a fragment */
        wire_frame(&wire, 0x80, "b", 1);
    }
    check_wire(&wire, limits, "ping; binary ab; ping; binary ab; ", 0, "up to the limit");
    for (int fragment = 0; fragment < 3; fragment++)
        wire_frame(&wire, fragment == 0 ? 0x01 : 0x00, "", 0);
    size_t before = wire.size;
    wire_frame(&wire, 0x80, "", 0);
    check_wire(&wire, limits, "ping; binary ab; ping; binary ab; error 1008; ", before + 2, "past the limit");
    wire_release(&wire);
}
END_TEST

/* After the server's Close only control frames are delivered, but errors are still errors. */
START_TEST(decoder_discards_messages_without_memory) {
    struct wire wire = {0};
    wire_frame(&wire, 0x01, "\xff not looked at", 16);
    wire_frame(&wire, 0x89, "p", 1);
    wire_frame(&wire, 0x80, "more", 4);
    wire_frame(&wire, 0x82, "another", 7);
    wire_frame(&wire, 0x88, "\x03\xe8", 2);
    for (size_t piece = 1; piece <= wire.size; piece++) {
        struct transcript transcript = {.limits = server_limits, .decoder = {.discard = true}};
        for (size_t at = 0; at < wire.size; at += piece) {
            transcript_feed(&transcript, wire.bytes + at, piece < wire.size - at ? piece : wire.size - at);
            ck_assert_uint_le(decoder_memory(&transcript.decoder), CONTROL_PAYLOAD_MAX);
        }
        ck_assert_str_eq(transcript.text, "ping p; close 1000; ");
        transcript_release(&transcript);
    }
    wire_release(&wire);
}
END_TEST

START_TEST(decoder_memory_follows_arrived_bytes) {
    struct transcript transcript = {.limits = {.max_message_size = 1 << 20, .expect_masked = true}};
    static const uint8_t header[] = {0x82, 0xFF, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0}; /* 1 MiB */
    transcript_feed(&transcript, header, sizeof header);
    ck_assert_uint_eq(decoder_memory(&transcript.decoder), 0);
    static const uint8_t zeros[20001];
    static const size_t pieces[] = {1000, 4099, 16385, 20001};
    size_t piece = pieces[_i];
    for (size_t arrived = piece; arrived <= 300000; arrived += piece) {
        transcript_feed(&transcript, zeros, piece);
        ck_assert_uint_ge(decoder_memory(&transcript.decoder), arrived);
        ck_assert_uint_le(decoder_memory(&transcript.decoder), 2 * arrived);
    }
    decoder_release(&transcript.decoder);
    ck_assert_uint_eq(decoder_memory(&transcript.decoder), 0);
    transcript_release(&transcript);
}
END_TEST

START_TEST(decoder_holds_one_buffer_for_a_split_control_frame) {
    struct transcript transcript = {.limits = server_limits};
    struct wire wire = {0};
    wire_frame(&wire, 0x89, "0123456789", 10);
    transcript_feed(&transcript, wire.bytes, 6);
    ck_assert_uint_eq(decoder_memory(&transcript.decoder), 0);
    transcript_feed(&transcript, wire.bytes + 6, 9);
    ck_assert_uint_eq(decoder_memory(&transcript.decoder), CONTROL_PAYLOAD_MAX);
    transcript_feed(&transcript, wire.bytes + 15, 1);
    ck_assert_uint_eq(decoder_memory(&transcript.decoder), 0);
    ck_assert_str_eq(transcript.text, "ping 0123456789; ");
    wire_release(&wire);
    transcript_release(&transcript);
}
END_TEST

START_TEST(decoder_leaves_a_whole_message_in_the_input) {
    struct decoder decoder = {0};
    struct decoded decoded;
    struct wire wire = {0};
    wire_frame(&wire, 0x81, "Hello", 5);
    wire_frame(&wire, 0x82, "World", 5);
    size_t used = decoder_feed(&decoder, &server_limits, wire.bytes, wire.size, &decoded);
    ck_assert_uint_eq(used, 11);
    ck_assert_int_eq(decoded.event, DECODER_MESSAGE);
    ck_assert_uint_eq(decoded.opcode, OPCODE_TEXT);
    ck_assert_ptr_eq(decoded.data, wire.bytes + 6);
    ck_assert(!decoded.in_heap);
    used += decoder_feed(&decoder, &server_limits, wire.bytes + used, wire.size - used, &decoded);
    ck_assert_ptr_eq(decoded.data, wire.bytes + 17);
    ck_assert_uint_eq(decoder_memory(&decoder), 0);
    ck_assert_uint_eq(decoder_feed(&decoder, &server_limits, wire.bytes + used, 0, &decoded), 0);
    ck_assert_int_eq(decoded.event, DECODER_MORE);
    wire_release(&wire);
}
END_TEST

START_TEST(decoder_detach_gives_the_message_to_the_caller) {
    struct decoder decoder = {0};
    struct decoded decoded;
    struct wire wire = {0};
    wire_frame(&wire, 0x01, "Hel", 3);
    wire_frame(&wire, 0x80, "lo", 2);
    wire_frame(&wire, 0x81, "next", 4);
    size_t used = decoder_feed(&decoder, &server_limits, wire.bytes, wire.size, &decoded);
    ck_assert_int_eq(decoded.event, DECODER_MESSAGE);
    ck_assert(decoded.in_heap);
    uint8_t *message = decoder_detach(&decoder);
    ck_assert_ptr_eq(message, decoded.data);
    ck_assert_uint_eq(decoder_memory(&decoder), 0);
    decoder_feed(&decoder, &server_limits, wire.bytes + used, wire.size - used, &decoded);
    ck_assert_mem_eq(decoded.data, "next", 4);
    ck_assert_mem_eq(message, "Hello", 5);
    buffer_release(message);
    decoder_release(&decoder);
    wire_release(&wire);
}
END_TEST

START_TEST(decoder_ignores_empty_input) {
    struct transcript transcript = {.limits = server_limits};
    struct wire wire = {0};
    wire_frame(&wire, 0x01, "ab", 2);
    wire_frame(&wire, 0x89, "", 0);
    wire_frame(&wire, 0x80, "", 0);
    for (size_t i = 0; i < wire.size; i++) {
        transcript_feed(&transcript, NULL, 0);
        transcript_feed(&transcript, wire.bytes + i, 1);
    }
    ck_assert_str_eq(transcript.text, "ping; text ab; ");
    wire_release(&wire);
    transcript_release(&transcript);
}
END_TEST

START_TEST(decoder_of_a_client_takes_only_unmasked_frames) {
    struct decoder_limits client_limits = {.max_message_size = LIMIT, .expect_masked = false};
    struct wire wire = {0};
    wire_frame_unmasked(&wire, 0x81, "Hello", 5);
    wire_frame_unmasked(&wire, 0x02, "ab", 2);
    wire_frame_unmasked(&wire, 0x89, "", 0);
    wire_frame_unmasked(&wire, 0x80, "cd", 2);
    check_wire(&wire, client_limits, "text Hello; ping; binary abcd; ", 0, "a client's input");
    size_t before = wire.size;
    wire_frame(&wire, 0x81, "Hello", 5);
    check_wire(&wire, client_limits, "text Hello; ping; binary abcd; error 1002; ", before + 2, "a mask");
    wire_release(&wire);
}
END_TEST

/* --- At random, from a fixed seed ------------------------------------------------------------------------ */

/* xorshift64: a number below `bound`. */
static size_t random_below(uint64_t *state, size_t bound) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (size_t)(*state >> 11) % bound;
}

/* Mostly short, sometimes beyond each form of length, below `bound`. */
static size_t random_size(uint64_t *seed, size_t bound) {
    size_t bounds[] = {2, 30, 30, 126, 300, bound};
    return random_below(seed, bounds[random_below(seed, sizeof bounds / sizeof *bounds)]);
}

/* One message in fragments with pings in between; the expected events are appended to `expected`. */
static void random_message(uint64_t *seed, size_t bound, struct wire *wire, struct transcript *expected) {
    size_t size = random_size(seed, bound), at = 0;
    char *text = wire_letters(size);
    uint8_t opcode = (uint8_t)(OPCODE_TEXT + random_below(seed, 2));
    bool final = false;
    for (bool first = true; !final; first = false) {
        final = random_below(seed, 2) == 0;
        size_t piece = final ? size - at : random_below(seed, size - at + 1);
        wire_frame(wire, (uint8_t)((final ? FIN : 0) | (first ? opcode : OPCODE_CONTINUATION)), text + at, piece);
        at += piece;
        if (!final && random_below(seed, 3) == 0) {
            wire_frame(wire, FIN | OPCODE_PING, text, size < 20 ? size : 20);
            transcript_event(expected, "ping", 0, text, size < 20 ? size : 20);
        }
    }
    transcript_event(expected, opcode == OPCODE_TEXT ? "text" : "binary", 0, text, size);
    free(text);
}

/* In pieces of random sizes, each run by another scale. */
static void feed_at_random(uint64_t *seed, const struct wire *wire, struct transcript *transcript) {
    size_t scale = (size_t)1 << random_below(seed, 17);
    for (size_t at = 0, piece; at < wire->size; at += piece) {
        piece = random_below(seed, scale + 1);
        if (piece > wire->size - at)
            piece = wire->size - at;
        transcript_feed(transcript, wire->bytes + at, piece);
    }
}

START_TEST(decoder_reads_random_messages_in_random_pieces) {
    uint64_t seed = 0x9E3779B97F4A7C15u + (uint64_t)_i;
    struct transcript expected = {0}, transcript = {.limits = {.max_message_size = 70000, .expect_masked = true}};
    struct wire wire = {0};
    for (size_t i = 0; i < 20; i++)
        random_message(&seed, 70000, &wire, &expected);
    feed_at_random(&seed, &wire, &transcript);
    ck_assert_str_eq(transcript.text, expected.text);
    wire_release(&wire);
    transcript_release(&transcript);
    transcript_release(&expected);
}
END_TEST

/* The result does not depend on the split, whatever the bytes are. */
START_TEST(decoder_finds_random_damage_at_any_split) {
    uint64_t seed = 0xD1B54A32D192ED03u + (uint64_t)_i;
    struct transcript ignored = {0}, whole = {.limits = server_limits}, pieces = {.limits = server_limits};
    struct wire wire = {0};
    for (size_t i = 0; i < 4; i++)
        random_message(&seed, LIMIT, &wire, &ignored);
    for (size_t i = random_below(&seed, 4); i < 4; i++)
        wire.bytes[random_below(&seed, wire.size)] ^= (uint8_t)(1u << random_below(&seed, 8));
    transcript_feed(&whole, wire.bytes, wire.size);
    feed_at_random(&seed, &wire, &pieces);
    ck_assert_int_eq(whole.text == NULL, pieces.text == NULL);
    if (whole.text != NULL)
        ck_assert_str_eq(pieces.text, whole.text);
    wire_release(&wire);
    transcript_release(&ignored);
    transcript_release(&whole);
    transcript_release(&pieces);
}
END_TEST

Suite *decoder_suite(void) {
    Suite *suite = suite_create("decoder");
    TCase *tcase = tcase_create("decoder");
    tcase_add_loop_test(tcase, decoder_turns_frames_into_events, 0, sizeof exchanges / sizeof *exchanges);
    tcase_add_loop_test(tcase, decoder_finds_errors_at_once, 0, sizeof faults / sizeof *faults);
    tcase_add_test(tcase, decoder_refuses_reserved_opcodes);
    tcase_add_test(tcase, decoder_checks_close_codes);
    tcase_add_loop_test(tcase, decoder_reads_every_form_of_length, 0, 10);
    tcase_add_test(tcase, decoder_reads_the_longest_control_frames);
    tcase_add_test(tcase, decoder_limits_reassembled_messages);
    tcase_add_test(tcase, decoder_limits_memory_of_one_byte_fragments);
    tcase_add_test(tcase, decoder_limits_the_number_of_fragments);
    tcase_add_test(tcase, decoder_discards_messages_without_memory);
    tcase_add_loop_test(tcase, decoder_memory_follows_arrived_bytes, 0, 4);
    tcase_add_test(tcase, decoder_holds_one_buffer_for_a_split_control_frame);
    tcase_add_test(tcase, decoder_leaves_a_whole_message_in_the_input);
    tcase_add_test(tcase, decoder_detach_gives_the_message_to_the_caller);
    tcase_add_test(tcase, decoder_ignores_empty_input);
    tcase_add_test(tcase, decoder_of_a_client_takes_only_unmasked_frames);
    tcase_add_loop_test(tcase, decoder_reads_random_messages_in_random_pieces, 0, 30);
    tcase_add_loop_test(tcase, decoder_finds_random_damage_at_any_split, 0, 1000);
    suite_add_tcase(suite, tcase);
    return suite;
}
