/* test_outbox.c - waiting messages: order, partial sends, counts, and dropping while some are in flight, the oldest
 * first too.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/core/inbox.h"
#include "server/core/outbox.h"
#include "tests/unit/suites.h"
#include "ws/buffer.h"

enum { VECTORS = 8 };

static void push(struct outbox *outbox, const char *text, bool is_reply) {
    struct message *message = message_create_raw(text, strlen(text));
    ck_assert_ptr_nonnull(message);
    message->is_reply = is_reply;
    ck_assert_int_eq(outbox_push(outbox, message), 0);
}

/* The bytes that would be sent now, as one string. */
static const char *next_bytes(struct outbox *outbox, int max) {
    static char text[256];
    struct iovec vectors[VECTORS];
    size_t used = 0;
    int count = outbox_fill_vectors(outbox, vectors, max);
    for (int i = 0; i < count; i++) {
        memcpy(text + used, vectors[i].iov_base, vectors[i].iov_len);
        used += vectors[i].iov_len;
    }
    text[used] = '\0';
    return text;
}

START_TEST(outbox_sends_in_order_in_pieces_of_any_size) {
    for (size_t piece = 1; piece <= 12; piece++) {
        struct outbox outbox = {0};
        char sent[64];
        size_t sent_size = 0;
        push(&outbox, "one ", true);
        push(&outbox, "two ", false);
        push(&outbox, "three", true);
        while (!outbox_is_empty(&outbox)) {
            const char *text = next_bytes(&outbox, VECTORS);
            size_t size = strlen(text) < piece ? strlen(text) : piece;
            memcpy(sent + sent_size, text, size);
            sent_size += size;
            outbox_sent(&outbox, size);
        }
        ck_assert_uint_eq(sent_size, 13);
        ck_assert_mem_eq(sent, "one two three", 13);
        ck_assert_uint_eq(outbox.bytes, 0);
        ck_assert_uint_eq(outbox.reply_bytes, 0);
        outbox_release(&outbox);
    }
}
END_TEST

static unsigned frees;

static void count_free(void *payload) {
    ck_assert_str_eq(payload, "payload");
    frees++;
}

/* Its header and its payload are two pieces, which may both be cut. */
START_TEST(outbox_sends_a_split_message_in_pieces_of_any_size) {
    for (int max = 1; max <= 4; max++)
        for (size_t piece = 1; piece <= 16; piece++) {
            struct outbox outbox = {0};
            char payload[] = "payload", sent[64];
            size_t sent_size = 0;
            frees = 0;
            push(&outbox, "one ", true);
            ck_assert_int_eq(outbox_push(&outbox, message_create_split(2, payload, 7, count_free)), 0);
            push(&outbox, " three", true);
            while (!outbox_is_empty(&outbox)) {
                const char *text = next_bytes(&outbox, max);
                size_t size = strlen(text) < piece ? strlen(text) : piece;
                ck_assert_uint_gt(size, 0);
                memcpy(sent + sent_size, text, size);
                sent_size += size;
                outbox_sent(&outbox, size);
            }
            ck_assert_uint_eq(sent_size, 19);
            ck_assert_mem_eq(sent, "one \x82\x07payload three", 19);
            ck_assert_uint_eq(outbox.bytes, 0);
            ck_assert_uint_eq(outbox.sent_messages, 1); /* the others are raw bytes */
            ck_assert_uint_eq(outbox.sent_payload, 7);
            ck_assert_uint_eq(frees, 1);
            outbox_release(&outbox);
        }
}
END_TEST

START_TEST(outbox_counts_replies_separately) {
    struct outbox outbox = {0};
    push(&outbox, "broadcast", false);
    ck_assert_uint_ge(outbox.bytes, 9);
    ck_assert_uint_eq(outbox.reply_bytes, 0);
    size_t before = outbox.bytes;
    push(&outbox, "reply", true);
    ck_assert_uint_eq(outbox.bytes - before, outbox.reply_bytes);
    outbox_release(&outbox);
}
END_TEST

/* One message in two outboxes is one piece of memory. */
static void push_frame(struct outbox *outbox, uint8_t opcode, size_t size) {
    static const char payload[70000];
    struct message *message = message_create(opcode, payload, size);
    ck_assert_ptr_nonnull(message);
    ck_assert_int_eq(outbox_push(outbox, message), 0);
}

/* Payloads of text and binary, whatever the size of their headers; not the 101, control frames or parts.
 */
START_TEST(outbox_counts_messages_sent_whole) {
    struct outbox outbox = {0};
    push(&outbox, "HTTP/1.1 101", true);
    push_frame(&outbox, 1, 0);
    push_frame(&outbox, 2, 125);
    push_frame(&outbox, 9, 125);
    push_frame(&outbox, 2, 126);
    push_frame(&outbox, 2, 70000);
    push_frame(&outbox, 1, 1);
    outbox_sent(&outbox, 12 + 2 + 2 + 125 + 2 + 125 + 4 + 126 + 10 + 69999);
    ck_assert_uint_eq(outbox.sent_messages, 3);
    ck_assert_uint_eq(outbox.sent_payload, 125 + 126);
    outbox_sent(&outbox, 1);
    ck_assert_uint_eq(outbox.sent_messages, 4);
    outbox_release(&outbox);
    ck_assert_uint_eq(outbox.sent_messages, 4);
    ck_assert_uint_eq(outbox.sent_payload, 125 + 126 + 70000);
    ck_assert_uint_eq(outbox.sent_wire, 12 + 2 + 2 + 125 + 2 + 125 + 4 + 126 + 10 + 70000);
}
END_TEST

START_TEST(outboxes_share_one_message) {
    struct outbox a = {0}, b = {0};
    struct message *message = message_create(1, "hello", 5);
    outbox_push(&a, message_retain(message));
    outbox_push(&b, message_retain(message));
    ck_assert_uint_eq(message->references, 3);
    outbox_release(&a);
    ck_assert_uint_eq(message->references, 2);
    message_release(message);
    ck_assert_str_eq(next_bytes(&b, 1), "\x81\x05hello");
    outbox_sent(&b, 7);
    ck_assert(outbox_is_empty(&b));
    outbox_release(&b);
}
END_TEST

START_TEST(outbox_drop_unsent_keeps_a_message_in_flight) {
    struct outbox outbox = {0};
    push(&outbox, "aaaa", true);
    push(&outbox, "bbbb", true);
    push(&outbox, "cccc", true);
    next_bytes(&outbox, 1);
    outbox_sent(&outbox, 2);
    outbox_drop_unsent(&outbox); /* half of the first has left */
    ck_assert_str_eq(next_bytes(&outbox, VECTORS), "aa");
    push(&outbox, "dddd", true);
    outbox_drop_unsent(&outbox); /* the first is in flight */
    ck_assert_uint_eq(outbox.count, 1);
    outbox_sent(&outbox, 2);
    ck_assert(outbox_is_empty(&outbox));
    push(&outbox, "eeee", true);
    outbox_drop_unsent(&outbox);
    ck_assert(outbox_is_empty(&outbox));
    ck_assert_uint_eq(outbox.bytes, 0);
    outbox_release(&outbox);
}
END_TEST

START_TEST(outbox_drop_unsent_keeps_committed_messages) {
    struct outbox outbox = {0};
    push(&outbox, "aaaa", true);
    push(&outbox, "bbbb", false);
    push(&outbox, "cccc", true);
    ck_assert_mem_eq(outbox_commit(&outbox)->bytes, "aaaa", 4);
    ck_assert_mem_eq(outbox_commit(&outbox)->bytes, "bbbb", 4);
    outbox_replace_committed(&outbox, message_create_raw("B", 1));
    outbox_drop_unsent(&outbox);
    ck_assert_ptr_null(outbox_commit(&outbox));
    push(&outbox, "dddd", true);
    ck_assert_str_eq(next_bytes(&outbox, VECTORS), "aaaaBdddd");
    outbox_sent(&outbox, 5);
    ck_assert_uint_eq(outbox.committed, 0);
    ck_assert_mem_eq(outbox_commit(&outbox)->bytes, "dddd", 4);
    ck_assert_uint_eq(outbox.bytes, outbox.reply_bytes);
    ck_assert_str_eq(next_bytes(&outbox, VECTORS), "dddd");
    outbox_sent(&outbox, 4);
    ck_assert_uint_eq(outbox.bytes, 0);
    outbox_release(&outbox);
}
END_TEST

START_TEST(outbox_grows_while_its_ring_wraps) {
    struct outbox outbox = {0};
    char text[16], expected[16];
    int pushed = 0, popped = 0;
    for (int round = 0; round < 200; round++) {
        for (int i = 0; i < round % 7; i++) {
            snprintf(text, sizeof text, "%06d", pushed++);
            push(&outbox, text, round % 2 == 0);
        }
        for (int i = 0; i < round % 5 && !outbox_is_empty(&outbox); i++) {
            snprintf(expected, sizeof expected, "%06d", popped++);
            ck_assert_str_eq(next_bytes(&outbox, 1), expected);
            outbox_sent(&outbox, 6);
        }
    }
    ck_assert_uint_eq(outbox.count, (unsigned)(pushed - popped));
    outbox_release(&outbox);
}
END_TEST

/* Checks all that waits, in the order of sending. */
static void check_waiting(const struct outbox *outbox, const char *expected) {
    char text[256];
    size_t used = 0, offset = outbox->offset;
    for (uint32_t i = 0; i < outbox->count; i++) {
        uint32_t capacity = outbox->ring_order == 0 ? OUTBOX_FEW : UINT32_C(1) << outbox->ring_order;
        struct message *const *ring = outbox->ring_order == 0 ? outbox->few : outbox->ring;
        const struct message *message = ring[(outbox->first + i) & (capacity - 1)];
        memcpy(text + used, message->bytes + offset, message->size - offset);
        used += message->size - offset;
        offset = 0;
    }
    text[used] = '\0';
    ck_assert_str_eq(text, expected);
}

static void push_letters(struct outbox *outbox, const char *letters) {
    for (; *letters != '\0'; letters++)
        push(outbox, (char[]){*letters, '\0'}, *letters < 'a');
}

START_TEST(outbox_drop_oldest_drops_the_first_unsent_message) {
    struct outbox outbox = {0};
    ck_assert(!outbox_drop_oldest(&outbox));
    push_letters(&outbox, "abc");
    size_t each = outbox.bytes / 3;
    ck_assert(outbox_drop_oldest(&outbox));
    check_waiting(&outbox, "bc");
    ck_assert_uint_eq(outbox.bytes, 2 * each);
    ck_assert(outbox_drop_oldest(&outbox));
    ck_assert(outbox_drop_oldest(&outbox));
    ck_assert(!outbox_drop_oldest(&outbox));
    ck_assert_uint_eq(outbox.bytes, 0);
    push_letters(&outbox, "d");
    check_waiting(&outbox, "d");
    outbox_release(&outbox);
}
END_TEST

START_TEST(outbox_drop_oldest_skips_messages_in_flight) {
    struct outbox outbox = {0};
    push_letters(&outbox, "abcd");
    ck_assert_str_eq(next_bytes(&outbox, 2), "ab");
    ck_assert(outbox_drop_oldest(&outbox));
    check_waiting(&outbox, "abd");
    push_letters(&outbox, "efgh"); /* the ring grows under way */
    ck_assert(outbox_drop_oldest(&outbox));
    check_waiting(&outbox, "abefgh");
    outbox_sent(&outbox, 1);
    ck_assert(outbox_drop_oldest(&outbox)); /* nothing is in flight any more */
    check_waiting(&outbox, "efgh");
    outbox_release(&outbox);
}
END_TEST

START_TEST(outbox_drop_oldest_skips_a_partly_sent_message) {
    struct outbox outbox = {0};
    push(&outbox, "first", false);
    push_letters(&outbox, "bc");
    next_bytes(&outbox, VECTORS);
    outbox_sent(&outbox, 3);
    ck_assert(outbox_drop_oldest(&outbox));
    check_waiting(&outbox, "stc");
    ck_assert(outbox_drop_oldest(&outbox));
    ck_assert(!outbox_drop_oldest(&outbox));
    ck_assert_str_eq(next_bytes(&outbox, VECTORS), "st");
    outbox_sent(&outbox, 2);
    ck_assert_uint_eq(outbox.bytes, 0);
    outbox_release(&outbox);
}
END_TEST

START_TEST(outbox_drop_oldest_skips_committed_messages) {
    struct outbox outbox = {0};
    push_letters(&outbox, "abcde");
    outbox_commit(&outbox);
    outbox_commit(&outbox);
    ck_assert(outbox_drop_oldest(&outbox)); /* as while the second is being compressed */
    outbox_replace_committed(&outbox, message_create_raw("B", 1));
    check_waiting(&outbox, "aBde");
    ck_assert_str_eq(next_bytes(&outbox, 1), "a");
    ck_assert(outbox_drop_oldest(&outbox)); /* less is in flight than is committed */
    check_waiting(&outbox, "aBe");
    outbox_sent(&outbox, 1);
    ck_assert(outbox_drop_oldest(&outbox));
    ck_assert(!outbox_drop_oldest(&outbox));
    check_waiting(&outbox, "B");
    ck_assert_ptr_null(outbox_commit(&outbox));
    outbox_release(&outbox);
}
END_TEST

/* At every position of the ring, with any number of messages kept. */
START_TEST(outbox_drop_oldest_works_at_every_ring_position) {
    for (int start = 0; start < 8; start++)
        for (int kept = 0; kept <= 6; kept++) {
            struct outbox outbox = {0};
            push_letters(&outbox, "zzzzz");
            for (int i = 0; i < start; i++) {
                next_bytes(&outbox, 1);
                outbox_sent(&outbox, 1);
                push_letters(&outbox, "z");
            }
            push_letters(&outbox, "a");
            next_bytes(&outbox, 5);
            outbox_sent(&outbox, 5);
            push_letters(&outbox, "BcDeF");
            ck_assert_uint_eq(outbox.ring_order, 3);
            next_bytes(&outbox, kept);
            char expected[] = "aBcDeF";
            ck_assert(outbox_drop_oldest(&outbox) == (kept < 6));
            if (kept < 6)
                memmove(expected + kept, expected + kept + 1, (size_t)(6 - kept));
            check_waiting(&outbox, expected);
            size_t replies = 0;
            for (const char *letter = expected; *letter != '\0'; letter++)
                replies += *letter < 'a';
            ck_assert_uint_eq(outbox.reply_bytes * strlen(expected), outbox.bytes * replies);
            outbox_release(&outbox);
        }
}
END_TEST

START_TEST(inbox_keeps_order_and_count) {
    struct inbox inbox = {0};
    uint8_t *heap = buffer_resize(NULL, 0, 3);
    memcpy(heap, "two", 3);
    struct payload copied = {.opcode = 1, .data = (const uint8_t *)"one", .size = 3};
    struct payload taken = {.opcode = 2, .data = heap, .size = 3, .buffer = heap}, empty = {.opcode = 1};
    inbox_push(&inbox, inbox_item_create(&copied));
    inbox_push(&inbox, inbox_item_create(&taken));
    inbox_push(&inbox, inbox_item_create(&empty));
    ck_assert_uint_gt(inbox.bytes, 6);
    struct inbox_item *item = inbox_pop(&inbox);
    ck_assert_int_eq(memcmp(item->payload.data, "one", 3), 0);
    inbox_item_destroy(item);
    item = inbox_pop(&inbox);
    ck_assert_ptr_eq(item->payload.data, heap);
    ck_assert_uint_eq(item->payload.opcode, 2);
    inbox_item_destroy(item);
    inbox_release(&inbox);
    ck_assert_uint_eq(inbox.bytes, 0);
    ck_assert_ptr_null(inbox_pop(&inbox));
}
END_TEST

Suite *outbox_suite(void) {
    Suite *suite = suite_create("outbox");
    TCase *tcase = tcase_create("outbox");
    tcase_add_test(tcase, outbox_sends_in_order_in_pieces_of_any_size);
    tcase_add_test(tcase, outbox_sends_a_split_message_in_pieces_of_any_size);
    tcase_add_test(tcase, outbox_counts_replies_separately);
    tcase_add_test(tcase, outbox_counts_messages_sent_whole);
    tcase_add_test(tcase, outboxes_share_one_message);
    tcase_add_test(tcase, outbox_drop_unsent_keeps_a_message_in_flight);
    tcase_add_test(tcase, outbox_drop_unsent_keeps_committed_messages);
    tcase_add_test(tcase, outbox_grows_while_its_ring_wraps);
    tcase_add_test(tcase, outbox_drop_oldest_drops_the_first_unsent_message);
    tcase_add_test(tcase, outbox_drop_oldest_skips_messages_in_flight);
    tcase_add_test(tcase, outbox_drop_oldest_skips_a_partly_sent_message);
    tcase_add_test(tcase, outbox_drop_oldest_skips_committed_messages);
    tcase_add_test(tcase, outbox_drop_oldest_works_at_every_ring_position);
    tcase_add_test(tcase, inbox_keeps_order_and_count);
    suite_add_tcase(suite, tcase);
    return suite;
}
