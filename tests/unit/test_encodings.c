/* test_encodings.c - one message in several encodings: few are made, and each receiver gets one that it can read.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>
#include <string.h>

#include "server/core/conn_private.h"
#include "server/core/encodings.h"
#include "tests/unit/deflate_data.h"
#include "tests/unit/suites.h"
#include "ws/buffer.h"

enum { SIZE = 100000 };

static struct weir_conn *receiver(unsigned bits) {
    struct weir_conn *conn = calloc(1, sizeof *conn);
    ck_assert_ptr_nonnull(conn);
    conn->deflate = (struct deflate_params){.enabled = bits != 0, .server_bits = (uint8_t)bits};
    return conn;
}

static void add(struct receivers *receivers, unsigned bits, uint32_t count) {
    receivers->by_bits[bits] += count;
}

static unsigned count_encodings(const struct encodings *encodings) {
    unsigned count = 0;
    for (int i = 1; i <= ENCODINGS_WINDOWS_MAX; i++)
        count += encodings->batches[i].message != NULL;
    return count;
}

static struct encodings encodings_of(const void *data, size_t size, const struct receivers *receivers) {
    struct encodings encodings;
    struct message *plain = message_create(OPCODE_TEXT, data, size);
    ck_assert_ptr_nonnull(plain);
    encodings_init(&encodings, plain);
    encodings_compress(&encodings, receivers, 100);
    return encodings;
}

/* Checks that a decoder with this window can read the encoding. Returns its size on the wire. */
static size_t check_readable(struct encodings *encodings, unsigned bits, const void *data, size_t size) {
    struct weir_conn *conn = receiver(bits);
    struct message *message = encodings_take(encodings, conn);
    struct inflater *inflater = inflater_create(bits);
    uint8_t *got;
    size_t got_size, sent = message->size;
    ck_assert_ptr_ne(message, encodings_plain(encodings));
    ck_assert_int_eq(
        inflater_run(inflater, message_payload(message), message_payload_size(message), size, &got, &got_size),
        INFLATE_DONE);
    ck_assert_uint_eq(got_size, size);
    ck_assert_mem_eq(got, data, size);
    buffer_release(got);
    inflater_destroy(inflater);
    message_release(message);
    free(conn);
    return sent;
}

START_TEST(encodings_are_few_for_all_windows) {
    uint8_t *data = data_of(WORDS, SIZE);
    struct receivers receivers = {{0}};
    for (unsigned bits = WINDOW_BITS_MIN; bits <= WINDOW_BITS_MAX; bits++)
        add(&receivers, bits, 1 + (bits == 12));
    add(&receivers, 0, 5);
    struct encodings encodings = encodings_of(data, SIZE, &receivers);
    ck_assert_uint_le(count_encodings(&encodings), ENCODINGS_WINDOWS_MAX);
    size_t smallest = check_readable(&encodings, 9, data, SIZE),
           most_wanted = check_readable(&encodings, 12, data, SIZE);
    ck_assert_uint_gt(smallest, most_wanted);
    ck_assert_uint_eq(check_readable(&encodings, 11, data, SIZE), smallest);
    ck_assert_uint_eq(check_readable(&encodings, 15, data, SIZE), most_wanted);
    for (unsigned bits = WINDOW_BITS_MIN; bits <= WINDOW_BITS_MAX; bits++)
        check_readable(&encodings, bits, data, SIZE);
    struct weir_conn *plain = receiver(0);
    struct message *message = encodings_take(&encodings, plain);
    ck_assert_ptr_eq(message, encodings_plain(&encodings));
    message_release(message);
    free(plain);
    encodings_release(&encodings);
    free(data);
}
END_TEST

/* Data that refers back within 1,000 bytes can be read with any window of that size. */
START_TEST(encodings_of_a_small_message_need_no_large_window) {
    uint8_t *data = data_of(WORDS, 1000);
    struct receivers receivers = {{0}};
    for (unsigned bits = 10; bits <= WINDOW_BITS_MAX; bits++)
        add(&receivers, bits, 1);
    struct encodings encodings = encodings_of(data, 1000, &receivers);
    ck_assert_uint_eq(count_encodings(&encodings), 1);
    for (unsigned bits = 10; bits <= WINDOW_BITS_MAX; bits++)
        check_readable(&encodings, bits, data, 1000);
    encodings_release(&encodings);
    free(data);
}
END_TEST

/* A receiver that joins while the message is compressed. */
START_TEST(encodings_give_a_late_receiver_a_readable_one) {
    uint8_t *data = data_of(WORDS, SIZE);
    struct receivers receivers = {{0}};
    add(&receivers, 12, 1);
    struct encodings encodings = encodings_of(data, SIZE, &receivers);
    check_readable(&encodings, 13, data, SIZE);
    struct weir_conn *smaller = receiver(11);
    struct message *message = encodings_take(&encodings, smaller);
    ck_assert_ptr_eq(message, encodings_plain(&encodings));
    message_release(message);
    free(smaller);
    encodings_release(&encodings);
    free(data);
}
END_TEST

START_TEST(encodings_are_plain_if_compression_gains_nothing) {
    uint8_t *data = data_of(NOISE, SIZE);
    struct receivers receivers = {{0}};
    add(&receivers, 9, 1);
    add(&receivers, 15, 1);
    ck_assert(encodings_is_compressible(&receivers, SIZE, SIZE));
    ck_assert(!encodings_is_compressible(&receivers, SIZE + 1, SIZE));
    ck_assert(!encodings_is_compressible(&(struct receivers){{7}}, 0, SIZE));
    struct encodings encodings = encodings_of(data, SIZE, &receivers);
    ck_assert_uint_eq(count_encodings(&encodings), 0);
    encodings_release(&encodings);
    free(data);
}
END_TEST

Suite *encodings_suite(void) {
    Suite *suite = suite_create("encodings");
    TCase *tcase = tcase_create("encodings");
    tcase_add_test(tcase, encodings_are_few_for_all_windows);
    tcase_add_test(tcase, encodings_of_a_small_message_need_no_large_window);
    tcase_add_test(tcase, encodings_give_a_late_receiver_a_readable_one);
    tcase_add_test(tcase, encodings_are_plain_if_compression_gains_nothing);
    suite_add_tcase(suite, tcase);
    return suite;
}
