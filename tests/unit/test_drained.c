/* test_drained.c - weir_conn_buffered(), and the callback that lets a handler resume.
 *
 * SPDX-License-Identifier: MIT
 */
#include <semaphore.h>
#include <unistd.h>

#include <weir/weir.h>

#include "tests/unit/late.h"
#include "tests/unit/suites.h"

START_TEST(buffered_rises_and_falls_to_zero) {
    struct late late;
    late_start(&late, SLOW_CONSUMER_DISCONNECT, &silent_handler, NULL);
    for (int round = 0; round < 3; round++) {
        ck_assert_uint_eq(weir_conn_buffered(late.conn), 0);
        send_until(late.conn, SOFT);
        size_t before = weir_conn_buffered(late.conn);
        ck_assert_int_eq(weir_conn_send(late.conn, WEIR_TEXT, "more", 4), WEIR_OK);
        ck_assert_uint_ge(weir_conn_buffered(late.conn), before + 4);
        read_all(&late);
    }
    late_stop(&late);
}
END_TEST

/* State of one connection's callbacks. */
struct watch {
    _Atomic int inside, opened, drained, messages, closed, wrong;
    size_t soft, in_open; /* bytes to send in `open` */
    _Atomic size_t left_in_drained;
    sem_t may_go; /* for a message that says "block" */
};

static void enter(struct watch *watch, bool in_order) {
    watch->wrong += !in_order || atomic_fetch_add(&watch->inside, 1) != 0;
}

static void leave(struct watch *watch) {
    watch->inside--;
}

static void watch_open(weir_conn *conn, void *context) {
    struct watch *watch = context;
    enter(watch, watch->opened == 0 && watch->drained == 0 && watch->messages == 0);
    if (watch->in_open > 0) {
        send_until(conn, watch->in_open);
        sem_wait(&watch->may_go);
    }
    watch->opened++;
    leave(watch);
}

static void watch_message(weir_conn *conn, enum weir_opcode opcode, const void *data, size_t size, void *context) {
    struct watch *watch = context;
    (void)conn, (void)opcode;
    enter(watch, watch->opened == 1 && watch->closed == 0);
    if (size == 5 && memcmp(data, "block", 5) == 0) {
        watch->messages++;
        sem_wait(&watch->may_go);
    } else {
        sleep_ms(1);
        watch->messages++;
    }
    leave(watch);
}

static void watch_drained(weir_conn *conn, void *context) {
    struct watch *watch = context;
    enter(watch, watch->opened == 1 && watch->closed == 0);
    watch->left_in_drained = weir_conn_buffered(conn);
    sleep_ms(2);
    watch->drained++;
    leave(watch);
}

static void watch_close(weir_conn *conn, unsigned code, const char *reason, void *context) {
    struct watch *watch = context;
    (void)conn, (void)code, (void)reason;
    enter(watch, watch->opened == 1 && watch->closed == 0);
    watch->closed++;
    leave(watch);
}

static const struct weir_handler watch_handlers[] = {
    {.open = watch_open, .message = watch_message, .drained = watch_drained, .close = watch_close},
    {.open = watch_open,
     .message = watch_message,
     .drained = watch_drained,
     .close = watch_close,
     .flags = WEIR_NEVER_BLOCKS},
};

static void watch_init(struct watch *watch) {
    *watch = (struct watch){.soft = SOFT};
    sem_init(&watch->may_go, 0, 0);
}

START_TEST(drained_is_called_once_per_crossing) {
    enum { ROUNDS = 20 };
    struct late late;
    struct watch watch;
    watch_init(&watch);
    late_start(&late, SLOW_CONSUMER_DISCONNECT, &watch_handlers[_i], &watch);
    for (int round = 0; round < ROUNDS; round++) {
        send_until(late.conn, SOFT);
        for (int i = 0; i < 5; i++)
            client_send(late.client, 0x81, "x", 1); /* callbacks that it could overlap with */
        read_all(&late);
        UNTIL(watch.drained == round + 1);
        ck_assert_uint_le(watch.left_in_drained, SOFT / 2);
    }
    UNTIL(watch.messages == 5 * ROUNDS);
    send_until(late.conn, SOFT - 4 * SIZE); /* no crossing */
    read_all(&late);
    late_stop(&late);
    ck_assert_int_eq(watch.drained, ROUNDS);
    ck_assert_int_eq(watch.closed, 1);
    ck_assert_int_eq(watch.wrong, 0);
}
END_TEST

START_TEST(drained_is_called_after_open) {
    struct late late;
    struct watch watch;
    watch_init(&watch);
    watch.in_open = SOFT;
    harness_start(&late.harness, 2, &watch_handlers[0], &watch);
    late.harness.settings.send_buffer_soft = SOFT;
    late_connect(&late);
    UNTIL(weir_conn_buffered(late.conn) > SOFT);
    read_all(&late);
    ck_assert_int_eq(watch.drained, 0);
    sem_post(&watch.may_go);
    UNTIL(watch.drained == 1);
    late_stop(&late);
    ck_assert_int_eq(watch.drained, 1);
    ck_assert_int_eq(watch.wrong, 0);
}
END_TEST

/* `drained` is due while a callback blocks, and then the client leaves. */
START_TEST(drained_is_never_called_after_close) {
    struct late late;
    struct watch watch;
    watch_init(&watch);
    late_start(&late, SLOW_CONSUMER_DISCONNECT, &watch_handlers[_i], &watch);
    client_send(late.client, 0x81, "block", 5);
    UNTIL(watch.messages == 1);
    send_until(late.conn, SOFT);
    read_all(&late);
    close(late.client);
    if (_i == 0)
        UNTIL(!weir_conn_is_open(late.conn));
    sem_post(&watch.may_go);
    UNTIL(watch.closed == 1);
    weir_conn_release(late.conn);
    harness_stop(&late.harness);
    ck_assert_int_eq(watch.closed, 1);
    ck_assert_int_eq(watch.wrong, 0);
    if (_i == 0)
        ck_assert_int_eq(watch.drained, 0);
}
END_TEST

/* A large message is dropped for a small one: the backlog falls below half of the soft limit without being sent,
 * and `drained` must still be called. */
START_TEST(drained_is_called_after_the_backlog_was_dropped) {
    struct late late;
    struct watch watch;
    char *large = calloc(1, HARD);
    static const char small[20 * SIZE]; /* more than the others before it are */
    watch_init(&watch);
    late_start(&late, SLOW_CONSUMER_DROP_OLDEST, &watch_handlers[_i], &watch);
    send_until(late.conn, SOFT / 8); /* the socket is full */
    size_t size = HARD - weir_conn_buffered(late.conn) - SIZE;
    ck_assert_int_eq(weir_conn_send(late.conn, WEIR_BINARY, large, size), WEIR_OK);
    ck_assert_uint_gt(weir_conn_buffered(late.conn), SOFT);
    ck_assert_int_eq(weir_conn_send(late.conn, WEIR_BINARY, small, sizeof small), WEIR_OK);
    ck_assert_uint_lt(weir_conn_buffered(late.conn), SOFT / 2);
    read_all(&late);
    UNTIL(watch.drained == 1);
    late_stop(&late);
    ck_assert_int_eq(watch.wrong, 0);
    free(large);
}
END_TEST

Suite *drained_suite(void) {
    Suite *suite = suite_create("drained");
    TCase *tcase = tcase_create("drained");
    tcase_add_test(tcase, buffered_rises_and_falls_to_zero);
    tcase_add_loop_test(tcase, drained_is_called_once_per_crossing, 0, 2);
    tcase_add_test(tcase, drained_is_called_after_open);
    tcase_add_loop_test(tcase, drained_is_never_called_after_close, 0, 2);
    tcase_add_loop_test(tcase, drained_is_called_after_the_backlog_was_dropped, 0, 2);
    suite_add_tcase(suite, tcase);
    return suite;
}
