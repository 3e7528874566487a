/* test_memory.c - the count of memory in use, and when it is checked.
 *
 * SPDX-License-Identifier: MIT
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "server/core/encodings.h"
#include "server/core/inbox.h"
#include "server/core/memory.h"
#include "server/core/message.h"
#include "tests/unit/suites.h"
#include "ws/buffer.h"

enum { STEP = 256 * 1024 };

/* In a thread of its own, which has counted nothing yet. */
static void *grow_by_steps(void *arg) {
    (void)arg;
    ck_assert(!memory_has_grown(STEP));
    memory_count(STEP - 1);
    ck_assert(!memory_has_grown(STEP));
    memory_count(1);
    ck_assert(memory_has_grown(STEP));
    ck_assert(!memory_has_grown(STEP));
    memory_count(-STEP);
    ck_assert(!memory_has_grown(STEP)); /* what is freed is not a shortage: */
    memory_count(STEP);
    ck_assert(memory_has_grown(STEP));
    for (int i = 0; i < 1000; i++) { /* what comes and goes is no growth */
        memory_count(STEP / 2);
        ck_assert(!memory_has_grown(STEP));
        memory_count(-STEP / 2);
        ck_assert(!memory_has_grown(STEP));
    }
    memory_count(-STEP);
    return NULL;
}

START_TEST(memory_limit_is_checked_once_per_step_of_a_thread) {
    int64_t before = memory_used();
    pthread_t thread;
    pthread_create(&thread, NULL, grow_by_steps, NULL);
    pthread_join(thread, NULL);
    ck_assert_int_eq(memory_used(), before);
}
END_TEST

static void *release_messages(void *arg) {
    struct message **messages = arg;
    for (int i = 0; i < 100; i++)
        message_release(messages[i]);
    return NULL;
}

/* Whichever threads create and free the messages. */
START_TEST(memory_counts_a_message_until_its_last_reference) {
    static const char payload[10000];
    int64_t before = memory_used();
    struct message *messages[100];
    for (int i = 0; i < 100; i++)
        messages[i] = message_create(2, payload, sizeof payload);
    struct message *kept = message_retain(messages[0]);
    ck_assert_int_ge(memory_used() - before, 100 * (int)sizeof payload);
    pthread_t thread;
    pthread_create(&thread, NULL, release_messages, messages);
    pthread_join(thread, NULL);
    ck_assert_int_ge(memory_used() - before, (int)sizeof payload);
    ck_assert_int_lt(memory_used() - before, 2 * (int)sizeof payload);
    message_release(kept);
    ck_assert_int_eq(memory_used(), before);
}
END_TEST

/* A compressed message counts with its compressed size. */
START_TEST(memory_counts_a_compressed_message_by_its_size) {
    static const char payload[100000];
    int64_t before = memory_used();
    struct deflater *deflater = deflater_create(15);
    struct message *message = message_create_deflated(2, payload, sizeof payload, deflater, false);
    ck_assert_ptr_nonnull(message);
    ck_assert_int_eq(memory_used() - before, (int)(sizeof *message + message->size));
    message_release(message);
    ck_assert_int_eq(memory_used(), before);
    char *noise = malloc(5000); /* one that gains nothing is not made, and not counted */
    for (int i = 0; i < 5000; i++)
        noise[i] = (char)(rand() >> 7);
    ck_assert_ptr_null(message_create_deflated(2, noise, 5000, deflater, false));
    ck_assert_int_eq(memory_used(), before);
    free(noise);
    deflater_destroy(deflater);
}
END_TEST

START_TEST(memory_counts_inbox_items) {
    int64_t before = memory_used();
    struct inbox inbox = {0};
    uint8_t *heap = buffer_resize(NULL, 0, 3000);
    memset(heap, 0, 3000);
    struct payload copied = {.opcode = 1, .data = (const uint8_t *)"copied", .size = 6};
    struct payload taken = {.opcode = 2, .data = heap, .size = 3000, .buffer = heap};
    inbox_push(&inbox, inbox_item_create(&copied));
    inbox_push(&inbox, inbox_item_create(&taken));
    ck_assert_int_eq(memory_used() - before, (int)inbox.bytes);
    ck_assert_uint_ge(inbox.bytes, 3006);
    inbox_item_destroy(inbox_pop(&inbox));
    ck_assert_int_eq(memory_used() - before, (int)inbox.bytes);
    inbox_release(&inbox);
    ck_assert_int_eq(memory_used(), before);
}
END_TEST

/* Not the requested size: a buffer may be twice as large. */
START_TEST(memory_counts_the_allocated_size_of_buffers) {
    enum { SIZE = 40000, REAL = 65536 };
    int64_t before = memory_used();
    uint8_t *buffer = buffer_resize(NULL, 0, SIZE);
    struct payload payload = {.opcode = 2, .data = buffer, .size = SIZE, .buffer = buffer};
    struct inbox_item *item = inbox_item_create(&payload);
    ck_assert_int_eq(memory_used() - before, (int)item->cost);
    ck_assert_uint_ge(item->cost, REAL);
    payload_take(&item->payload); /* a message is made around it, as when it is sent on */
    inbox_item_destroy(item);
    ck_assert_int_eq(memory_used(), before);
    struct message *message = message_wrap(2, buffer, SIZE);
    ck_assert_int_ge(memory_used() - before, REAL);
    message_release(message);
    ck_assert_int_eq(memory_used(), before);
    buffers_trim();
}
END_TEST

/* References in a batch: unused ones are given back, the others hold until released. */
START_TEST(reference_batch_gives_back_unused_references) {
    enum { COUNT = 200 };
    int64_t before = memory_used();
    struct reference_batch batch = {.message = message_create(2, "hello", 5)}, none = {0};
    struct message *taken[COUNT];
    for (int i = 0; i < COUNT; i++)
        ck_assert_ptr_eq(taken[i] = reference_batch_take(&batch), batch.message);
    reference_batch_release(&batch);
    reference_batch_release(&none);
    ck_assert_uint_eq(taken[0]->references, COUNT);
    for (int i = 0; i < COUNT; i++) {
        ck_assert_int_gt(memory_used(), before);
        message_release(taken[i]);
    }
    ck_assert_int_eq(memory_used(), before);
}
END_TEST

Suite *memory_suite(void) {
    Suite *suite = suite_create("memory");
    TCase *tcase = tcase_create("memory");
    tcase_add_test(tcase, memory_limit_is_checked_once_per_step_of_a_thread);
    tcase_add_test(tcase, memory_counts_a_message_until_its_last_reference);
    tcase_add_test(tcase, memory_counts_a_compressed_message_by_its_size);
    tcase_add_test(tcase, memory_counts_inbox_items);
    tcase_add_test(tcase, memory_counts_the_allocated_size_of_buffers);
    tcase_add_test(tcase, reference_batch_gives_back_unused_references);
    suite_add_tcase(suite, tcase);
    return suite;
}
