/* test_parcel.c - one message in several encodings: few are made, and each receiver gets one that it can read.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>
#include <string.h>

#include "server/core/conn_private.h"
#include "server/core/parcel.h"
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

static void add(struct audience *audience, unsigned bits, uint32_t receivers) {
    audience->by_bits[bits] += receivers;
}

static unsigned count_encodings(const struct parcel *parcel) {
    unsigned count = 0;
    for (int i = 1; i <= PARCEL_WINDOWS_MAX; i++)
        count += parcel->lots[i].message != NULL;
    return count;
}

static struct parcel parcel_of(const void *data, size_t size, const struct audience *audience) {
    struct parcel parcel;
    struct message *plain = message_create(OPCODE_TEXT, data, size);
    ck_assert_ptr_nonnull(plain);
    parcel_init(&parcel, plain);
    parcel_compress(&parcel, audience, 100);
    return parcel;
}

/* A decoder with this window, and no other, gets the message out of it. Returns its size as it is sent. */
static size_t check_readable(struct parcel *parcel, unsigned bits, const void *data, size_t size) {
    struct weir_conn *conn = receiver(bits);
    struct message *message = parcel_take(parcel, conn);
    struct inflater *inflater = inflater_create(bits);
    uint8_t *got;
    size_t got_size, sent = message->size;
    ck_assert_ptr_ne(message, parcel_plain(parcel));
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
    struct audience audience = {{0}};
    for (unsigned bits = WINDOW_BITS_MIN; bits <= WINDOW_BITS_MAX; bits++)
        add(&audience, bits, 1 + (bits == 12));
    add(&audience, 0, 5);
    struct parcel parcel = parcel_of(data, SIZE, &audience);
    ck_assert_uint_le(count_encodings(&parcel), PARCEL_WINDOWS_MAX);
    size_t smallest = check_readable(&parcel, 9, data, SIZE), most_wanted = check_readable(&parcel, 12, data, SIZE);
    ck_assert_uint_gt(smallest, most_wanted);
    ck_assert_uint_eq(check_readable(&parcel, 11, data, SIZE), smallest);
    ck_assert_uint_eq(check_readable(&parcel, 15, data, SIZE), most_wanted);
    for (unsigned bits = WINDOW_BITS_MIN; bits <= WINDOW_BITS_MAX; bits++)
        check_readable(&parcel, bits, data, SIZE);
    struct weir_conn *plain = receiver(0);
    struct message *message = parcel_take(&parcel, plain);
    ck_assert_ptr_eq(message, parcel_plain(&parcel));
    message_release(message);
    free(plain);
    parcel_release(&parcel);
    free(data);
}
END_TEST

/* What refers back within 1,000 bytes can be read by all whose window is as large. */
START_TEST(encodings_of_a_small_message_need_no_large_window) {
    uint8_t *data = data_of(WORDS, 1000);
    struct audience audience = {{0}};
    for (unsigned bits = 10; bits <= WINDOW_BITS_MAX; bits++)
        add(&audience, bits, 1);
    struct parcel parcel = parcel_of(data, 1000, &audience);
    ck_assert_uint_eq(count_encodings(&parcel), 1);
    for (unsigned bits = 10; bits <= WINDOW_BITS_MAX; bits++)
        check_readable(&parcel, bits, data, 1000);
    parcel_release(&parcel);
    free(data);
}
END_TEST

/* Who comes while it is compressed. */
START_TEST(encodings_give_a_late_receiver_a_readable_one) {
    uint8_t *data = data_of(WORDS, SIZE);
    struct audience audience = {{0}};
    add(&audience, 12, 1);
    struct parcel parcel = parcel_of(data, SIZE, &audience);
    check_readable(&parcel, 13, data, SIZE);
    struct weir_conn *smaller = receiver(11);
    struct message *message = parcel_take(&parcel, smaller);
    ck_assert_ptr_eq(message, parcel_plain(&parcel));
    message_release(message);
    free(smaller);
    parcel_release(&parcel);
    free(data);
}
END_TEST

START_TEST(encodings_are_plain_if_compression_gains_nothing) {
    uint8_t *data = data_of(NOISE, SIZE);
    struct audience audience = {{0}};
    add(&audience, 9, 1);
    add(&audience, 15, 1);
    ck_assert(parcel_is_compressible(&audience, SIZE, SIZE));
    ck_assert(!parcel_is_compressible(&audience, SIZE + 1, SIZE));
    ck_assert(!parcel_is_compressible(&(struct audience){{7}}, 0, SIZE));
    struct parcel parcel = parcel_of(data, SIZE, &audience);
    ck_assert_uint_eq(count_encodings(&parcel), 0);
    parcel_release(&parcel);
    free(data);
}
END_TEST

Suite *parcel_suite(void) {
    Suite *suite = suite_create("parcel");
    TCase *tcase = tcase_create("parcel");
    tcase_add_test(tcase, encodings_are_few_for_all_windows);
    tcase_add_test(tcase, encodings_of_a_small_message_need_no_large_window);
    tcase_add_test(tcase, encodings_give_a_late_receiver_a_readable_one);
    tcase_add_test(tcase, encodings_are_plain_if_compression_gains_nothing);
    suite_add_tcase(suite, tcase);
    return suite;
}
