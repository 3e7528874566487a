/* test_message.c - outgoing messages: their header and payload, plain and compressed.
 *
 * SPDX-License-Identifier: MIT
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "server/core/message.h"
#include "tests/unit/suites.h"
#include "ws/buffer.h"
#include "ws/decoder.h"

enum { RSV1 = 0x40, FIN = 0x80, BITS = 12, NOISE_MAX = 70000 };

static const uint8_t *noise(void) {
    static uint8_t bytes[NOISE_MAX];
    uint64_t state = 0x9E3779B97F4A7C15u;
    for (size_t i = 0; i < sizeof bytes; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        bytes[i] = (uint8_t)(state >> 56);
    }
    return bytes;
}

/* What is sent of a message that is in one piece. */
static const uint8_t *frame_of(const struct message *message) {
    struct iovec vector;
    if (message->form == MESSAGE_OWN)
        return message->bytes;
    ck_assert_int_eq(message_fill_vectors(message, 0, &vector, 1), 1);
    ck_assert_uint_eq(vector.iov_len, message->size);
    return vector.iov_base;
}

/* Checks that the header has the shortest form (RFC 6455, 5.2) and the payload follows. Returns the payload's size.
 */
static size_t check_frame(const struct message *message, uint8_t first) {
    size_t size = message_payload_size(message);
    const uint8_t *bytes = frame_of(message), *payload = message_payload(message);
    size_t header_size = size < 126 ? 2 : size < 65536 ? 4 : 10;
    ck_assert_ptr_eq(payload, bytes + header_size);
    ck_assert_uint_eq(message->size, header_size + size);
    ck_assert_uint_eq(bytes[0], first);
    size_t length = bytes[1];
    if (header_size > 2)
        length = (size_t)bytes[header_size - 2] << 8 | bytes[header_size - 1];
    ck_assert_uint_eq(bytes[1], header_size == 2 ? size : header_size == 4 ? 126 : 127);
    ck_assert_uint_eq(length, size & 0xFFFF);
    ck_assert_uint_eq(atomic_load(&message->references), 1);
    ck_assert(!message->is_reply);
    return size;
}

START_TEST(message_plain_has_the_shortest_header) {
    static const size_t sizes[] = {0, 1, 125, 126, 127, 65535, 65536, 65537};
    const uint8_t *data = noise();
    struct message *message = message_create(OPCODE_BINARY, data, sizes[_i]);
    ck_assert_uint_eq(check_frame(message, FIN | OPCODE_BINARY), sizes[_i]);
    ck_assert_uint_eq(message->opcode, OPCODE_BINARY);
    if (sizes[_i] > 0)
        ck_assert_mem_eq(message_payload(message), data, sizes[_i]);
    message_release(message);
}
END_TEST

/* It equals any other message, and its payload has not moved. */
START_TEST(message_wrapped_around_a_buffer_equals_a_copied_one) {
    static const size_t sizes[] = {0, 1, 125, 126, 127, 65535, 65536, 65537};
    uint8_t *buffer = buffer_resize(NULL, 0, sizes[_i]);
    if (sizes[_i] > 0)
        memcpy(buffer, noise(), sizes[_i]);
    struct message *copied = message_create(OPCODE_BINARY, noise(), sizes[_i]);
    struct message *message = message_wrap(OPCODE_BINARY, buffer, sizes[_i]);
    ck_assert_uint_eq(message->size, copied->size);
    ck_assert_mem_eq(frame_of(message), frame_of(copied), copied->size);
    ck_assert_ptr_eq(message_payload(message), buffer);
    ck_assert_uint_eq(message_payload_size(message), sizes[_i]);
    ck_assert(message_is_data(message) && !message_is_control(message));
    message_release(copied);
    message_release(message);
}
END_TEST

START_TEST(message_close_has_code_and_reason) {
    struct message *message = message_create_close(1000, "bye");
    ck_assert_mem_eq(message_payload(message),
                     "\x03\xe8"
                     "bye",
                     5);
    ck_assert_uint_eq(message_payload_size(message), 5);
    ck_assert(!message_is_data(message) && message_is_control(message));
    message_release(message);
}
END_TEST

/* Checks that it is compressed, has RSV1 and inflates to the original. Returns the size of the payload. */
static size_t check_deflated(const struct message *message, uint8_t opcode, struct inflater *inflater,
                             const uint8_t *data, size_t size) {
    uint8_t *inflated;
    size_t inflated_size, payload_size = check_frame(message, (uint8_t)(FIN | RSV1 | opcode));
    ck_assert_uint_eq(message->opcode, 0);
    ck_assert(message_is_data(message));
    const uint8_t *payload = message_payload(message);
    ck_assert_int_eq(inflater_run(inflater, payload, payload_size, size, &inflated, &inflated_size), INFLATE_DONE);
    ck_assert_uint_eq(inflated_size, size);
    ck_assert_mem_eq(inflated, data, size);
    buffer_release(inflated);
    return payload_size;
}

/* Noise becomes larger by little, so that some of these sizes compress to exactly the most and the least that a
 * form of the header can say. */
static void check_near(size_t edge, size_t from) {
    struct deflater *deflater = deflater_create(BITS);
    struct inflater *inflater = inflater_create(BITS);
    const uint8_t *data = noise();
    bool at_edge = false, beyond = false;
    for (size_t size = from; size < from + 60; size++) {
        deflater_reset(deflater);
        inflater_reset(inflater);
        struct message *message = message_create_deflated(OPCODE_TEXT, data, size, deflater, true);
        ck_assert_ptr_nonnull(message);
        size_t deflated_size = check_deflated(message, OPCODE_TEXT, inflater, data, size);
        at_edge = at_edge || deflated_size == edge;
        beyond = beyond || deflated_size == edge + 1;
        message_release(message);
    }
    ck_assert(at_edge && beyond);
    deflater_destroy(deflater);
    inflater_destroy(inflater);
}

START_TEST(message_compressed_has_the_shortest_header) {
    check_near(125, 100);
    check_near(65535, 65350);
}
END_TEST

/* Room is left for the header that the plain payload might need; the one that is needed is shorter. */
START_TEST(message_header_fits_a_well_compressed_payload) {
    static const size_t sizes[] = {100, 126, 1000, 65535, 65536, NOISE_MAX};
    static const uint8_t zeros[NOISE_MAX];
    struct deflater *deflater = deflater_create(BITS);
    struct inflater *inflater = inflater_create(BITS);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int takeover = 0; takeover <= 1; takeover++) {
            deflater_reset(deflater);
            inflater_reset(inflater);
            struct message *message =
                message_create_deflated(OPCODE_BINARY, zeros, sizes[i], deflater, takeover != 0);
            ck_assert_ptr_nonnull(message);
            ck_assert_uint_lt(check_deflated(message, OPCODE_BINARY, inflater, zeros, sizes[i]), sizes[i]);
            message_release(message);
        }
    deflater_destroy(deflater);
    inflater_destroy(inflater);
}
END_TEST

/* Without takeover compression is useless here; the zlib state is reset afterwards. */
START_TEST(message_is_compressed_only_if_it_becomes_smaller) {
    static const size_t sizes[] = {1, 2, 5, 125, 126, 1000, 65535, 65536, NOISE_MAX};
    static const uint8_t zeros[1000];
    struct deflater *deflater = deflater_create(BITS);
    struct inflater *inflater = inflater_create(BITS);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        ck_assert_ptr_null(message_create_deflated(OPCODE_BINARY, noise(), sizes[i], deflater, false));
        struct message *message = message_create_deflated(OPCODE_BINARY, zeros, sizeof zeros, deflater, false);
        ck_assert_ptr_nonnull(message);
        inflater_reset(inflater);
        check_deflated(message, OPCODE_BINARY, inflater, zeros, sizeof zeros);
        message_release(message);
        deflater_reset(deflater);
    }
    deflater_destroy(deflater);
    inflater_destroy(inflater);
}
END_TEST

START_TEST(message_with_context_takeover_is_always_compressed) {
    static const size_t sizes[] = {1, 2, 5, 125, 126, 1000, 65535, 65536, NOISE_MAX, 1, 1000};
    struct deflater *deflater = deflater_create(BITS);
    struct inflater *inflater = inflater_create(BITS);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct message *message = message_create_deflated(OPCODE_BINARY, noise(), sizes[i], deflater, true);
        ck_assert_ptr_nonnull(message);
        check_deflated(message, OPCODE_BINARY, inflater, noise(), sizes[i]);
        message_release(message);
    }
    deflater_destroy(deflater);
    inflater_destroy(inflater);
}
END_TEST

Suite *message_suite(void) {
    Suite *suite = suite_create("message");
    TCase *tcase = tcase_create("message");
    tcase_add_loop_test(tcase, message_plain_has_the_shortest_header, 0, 8);
    tcase_add_loop_test(tcase, message_wrapped_around_a_buffer_equals_a_copied_one, 0, 8);
    tcase_add_test(tcase, message_close_has_code_and_reason);
    tcase_add_test(tcase, message_compressed_has_the_shortest_header);
    tcase_add_test(tcase, message_header_fits_a_well_compressed_payload);
    tcase_add_test(tcase, message_is_compressed_only_if_it_becomes_smaller);
    tcase_add_test(tcase, message_with_context_takeover_is_always_compressed);
    suite_add_tcase(suite, tcase);
    return suite;
}
