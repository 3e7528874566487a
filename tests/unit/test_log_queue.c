/* test_log_queue.c - the lines that wait to be written: their order, the gap when there are too many, and the end
 * of the queue.
 *
 * SPDX-License-Identifier: MIT
 */
#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/log/log_line.h"
#include "server/log/log_queue.h"
#include "tests/unit/suites.h"

enum { LINE_SIZE = 100, CAPACITY = 1000 };

static struct log_queue queue = {.mutex = MUTEX_INITIALIZER(LOG_LOCK_RANK)};
static struct log_piece piece;

static void open_queue(void) {
    piece.size = 0;
    ck_assert_int_eq(log_queue_open(&queue, CAPACITY), 0);
}

static void close_queue(void) {
    log_queue_close(&queue);
    log_queue_release(&queue);
}

/* Pushes a line of 100 bytes with this number. Returns whether the writer must be woken. */
static bool push(unsigned number) {
    char line[LINE_SIZE + 1];
    bool wake;
    snprintf(line, sizeof line, "line=%-*u\n", LINE_SIZE - 6, number);
    ck_assert(log_queue_push(&queue, line, LINE_SIZE, &wake));
    return wake;
}

/* Takes the next piece, which must be the lines from *next on or a report. Returns how many dropped lines it
 * reports, 0 for lines, -1 if there is nothing. */
static long take(unsigned *next) {
    int timeout;
    ck_assert(log_queue_next(&queue, LOG_LOGFMT, &piece, &timeout));
    ck_assert_int_eq(timeout, -1);
    if (piece.size == 0)
        return -1;
    if (piece.reported > 0) {
        char wanted[40];
        snprintf(wanted, sizeof wanted, " event=log_dropped count=%u\n", (unsigned)piece.reported);
        ck_assert_ptr_nonnull(memmem(piece.bytes, piece.size, wanted, strlen(wanted)));
        return (long)piece.reported;
    }
    ck_assert_uint_eq(piece.size % LINE_SIZE, 0);
    for (size_t at = 0; at < piece.size; at += LINE_SIZE)
        ck_assert_int_eq(atoi(piece.bytes + at + 5), (int)(*next)++);
    return 0;
}

static void finish(bool failed) {
    piece.written = failed ? 0 : piece.size;
    log_queue_finish(&queue, &piece, failed);
}

START_TEST(log_queue_keeps_the_order) {
    unsigned pushed = 0, next = 0;
    open_queue();
    for (unsigned round = 0; round < 200; round++) { /* the ring wraps at every place */
        for (unsigned i = 0; i < round % 11; i++)
            push(pushed++);
        if (round % 3 != 0 && take(&next) == 0)
            finish(false);
        ck_assert_uint_le(pushed - next, 10);
        while (pushed - next > 0 && take(&next) == 0)
            finish(false);
    }
    ck_assert_uint_eq(next, pushed);
    ck_assert_uint_eq(queue.unwritten, 0);
    close_queue();
}
END_TEST

START_TEST(log_queue_pieces_are_whole_lines) {
    struct log_queue large = {.mutex = MUTEX_INITIALIZER(LOG_LOCK_RANK)};
    char line[LOG_LINE_MAX];
    bool wake;
    int timeout;
    ck_assert_int_eq(log_queue_open(&large, 1 << 20), 0);
    for (size_t size = 1; size <= sizeof line; size += 97) {
        memset(line, 'x', size - 1);
        line[size - 1] = '\n';
        ck_assert(log_queue_push(&large, line, size, &wake));
    }
    piece.size = 0;
    while (log_queue_next(&large, LOG_LOGFMT, &piece, &timeout) && piece.size > 0) {
        ck_assert_uint_le(piece.size, LOG_LINE_MAX);
        ck_assert_int_eq(piece.bytes[piece.size - 1], '\n');
        piece.written = piece.size;
        log_queue_finish(&large, &piece, false);
    }
    ck_assert_uint_eq(large.unwritten, 0);
    log_queue_close(&large);
    log_queue_release(&large);
}
END_TEST

START_TEST(log_queue_wakes_only_a_sleeping_writer) {
    unsigned next = 0;
    open_queue();
    ck_assert(!push(0)); /* the writer has not looked yet: it will see the line */
    ck_assert_int_eq(take(&next), 0);
    ck_assert(!push(1));
    finish(false);
    ck_assert_int_eq(take(&next), 0);
    finish(false);
    ck_assert_int_eq(take(&next), -1);
    ck_assert(push(2));
    ck_assert(!push(3));
    close_queue();
}
END_TEST

/* Without a writer ten lines fit; then there is one gap until all of them are written. */
START_TEST(log_queue_reports_lines_dropped_when_full) {
    unsigned next = 0;
    open_queue();
    for (unsigned i = 0; i < 13; i++)
        push(i);
    ck_assert_int_eq(take(&next), 0);
    ck_assert_uint_eq(next, 10);
    push(99); /* there is room again, but the gap is not over */
    finish(false);
    push(99);
    ck_assert_int_eq(take(&next), 5);
    push(10); /* behind the gap */
    finish(false);
    ck_assert_int_eq(take(&next), 0);
    finish(false);
    ck_assert_uint_eq(next, 11);
    ck_assert_int_eq(take(&next), -1);
    ck_assert_uint_eq(queue.dropped, 0);
    close_queue();
}
END_TEST

/* The disk is full, and later it is not: the writer does not loop, and every line is written or counted. */
START_TEST(log_queue_counts_lines_that_cannot_be_written) {
    unsigned next = 0;
    open_queue();
    push(0);
    push(1);
    ck_assert_int_eq(take(&next), 0);
    piece.written = LINE_SIZE + 10; /* of the second, a part */
    log_queue_finish(&queue, &piece, true);
    ck_assert_int_eq(take(&next), 1);
    finish(true);
    ck_assert_int_eq(take(&next), -1); /* it sleeps */
    ck_assert(push(2));
    ck_assert_int_eq(take(&next), 1);
    finish(true);
    ck_assert_int_eq(take(&next), 0);
    finish(true);
    ck_assert_int_eq(take(&next), 2);
    finish(false);
    ck_assert_int_eq(take(&next), -1);
    ck_assert_uint_eq(queue.unwritten, 0);
    close_queue();
}
END_TEST

START_TEST(log_queue_closes_when_empty) {
    int timeout;
    bool wake;
    open_queue();
    push(0);
    ck_assert(log_queue_close_at(&queue, log_now_ms() + 100000));
    ck_assert(log_queue_next(&queue, LOG_LOGFMT, &piece, &timeout));
    ck_assert(timeout > 0 && timeout <= 100000);
    push(1);
    finish(false);
    ck_assert(log_queue_next(&queue, LOG_LOGFMT, &piece, &timeout));
    finish(false);
    ck_assert(!log_queue_wait_closed(&queue, 0));
    ck_assert(!log_queue_next(&queue, LOG_LOGFMT, &piece, &timeout));
    ck_assert(log_queue_wait_closed(&queue, 0));
    ck_assert(!log_queue_push(&queue, "late\n", 5, &wake));
    ck_assert(!log_queue_close_at(&queue, 0));
    log_queue_release(&queue);
}
END_TEST

START_TEST(log_queue_closes_when_its_time_is_over) {
    int timeout;
    open_queue();
    push(0);
    ck_assert(log_queue_next(&queue, LOG_LOGFMT, &piece, &timeout));
    log_queue_close_at(&queue, log_now_ms());
    ck_assert(!log_queue_next(&queue, LOG_LOGFMT, &piece, &timeout));
    log_queue_release(&queue);
    ck_assert_uint_eq(queue.unwritten, 0);
}
END_TEST

Suite *log_queue_suite(void) {
    Suite *suite = suite_create("log_queue");
    TCase *lines = tcase_create("lines");
    tcase_add_test(lines, log_queue_keeps_the_order);
    tcase_add_test(lines, log_queue_pieces_are_whole_lines);
    tcase_add_test(lines, log_queue_wakes_only_a_sleeping_writer);
    suite_add_tcase(suite, lines);
    TCase *gaps = tcase_create("gaps");
    tcase_add_test(gaps, log_queue_reports_lines_dropped_when_full);
    tcase_add_test(gaps, log_queue_counts_lines_that_cannot_be_written);
    suite_add_tcase(suite, gaps);
    TCase *ends = tcase_create("ends");
    tcase_add_test(ends, log_queue_closes_when_empty);
    tcase_add_test(ends, log_queue_closes_when_its_time_is_over);
    suite_add_tcase(suite, ends);
    return suite;
}
