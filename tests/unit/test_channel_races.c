/* test_channel_races.c - channels used by threads that join, leave, publish, query, close and reload at random,
 * while connections end: for the sanitizers, and for the state that must hold at the end.
 *
 * SPDX-License-Identifier: MIT
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <weir/channel.h>

#include "base/json_writer.h"
#include "tests/unit/guest.h"
#include "tests/unit/late.h"
#include "tests/unit/suites.h"

enum { PLACES = 6, THREADS = 4, DURATION_MS = 1000 };

/* Two have a history, two do not; all threads use these few. */
static const char *const names[] = {"past:1", "past:2", "now:1", "now:2"};
enum { NAMES = sizeof names / sizeof *names };

/* Connections that come and go; every thread may take hold of one. */
struct arena {
    struct harness harness;
    bool crowded;          /* there is room for two of the channels, and hardly any memory for idle ones */
    pthread_mutex_t mutex; /* guards `guests` */
    struct guest guests[PLACES];
    _Atomic bool over;
    _Atomic uint64_t joined, left, published, wrong, met;
};

static struct weir_conn *hold(struct arena *arena, unsigned place) {
    pthread_mutex_lock(&arena->mutex);
    struct weir_conn *conn = weir_conn_retain(arena->guests[place].conn);
    pthread_mutex_unlock(&arena->mutex);
    return conn;
}

static void set_arena_rules(struct arena *arena, unsigned choice) {
    struct channel_rule rules[] = {{.pattern = "past:*", .options = usual_options()},
                                   {.pattern = "*", .options = usual_options()}};
    const struct channels_limits limits = {.channels = arena->crowded ? 2 : 100,
                                           .per_connection = 3 + choice % 2,
                                           .history_memory = choice % 3 == 0 ? 2000 : 20000,
                                           .idle_memory = arena->crowded && choice % 2 == 0 ? 1000 : SIZE_MAX};
    rules[0].options.history = choice % 5 == 0 ? 0 : 50;
    rules[0].options.position_ttl_ms = choice % 4;
    rules[0].options.publisher = rules[1].options.announce = choice % 2 == 0;
    rules[1].options.max_subscribers = choice % 7 == 0 ? 2 : 0;
    if (channels_configure(&arena->harness.channels, rules, 2, &limits) != 0)
        arena->wrong++;
}

/* --- What the threads do ----------------------------------------------------------------------------------- */

static void join_somewhere(struct arena *arena, struct weir_conn *conn, const char *name, unsigned random) {
    const struct join join = {
        .form = random % 2 == 0 ? FORM_RAW : FORM_WRAPPED, .recover = random % 3 == 0, .since = random % 20};
    enum join_result result = channels_join(&arena->harness.channels, conn, name, &join);
    arena->joined += result == JOIN_DONE;
    arena->wrong += result == JOIN_NO_MEMORY || (result == JOIN_CHANNELS_LIMIT && !arena->crowded);
}

static void publish_somewhere(struct arena *arena, struct weir_conn *conn, const char *name, unsigned random) {
    long result = random % 2 == 0
                      ? publish_as(conn, name, random % 4 == 0 ? WEIR_TEXT : WEIR_BINARY, "hello", 5, true)
                      : publish_json(&arena->harness, name, "[1,2]", 5);
    arena->published += result >= 0;
    arena->wrong += result < 0 && result != WEIR_CLOSED && (result != WEIR_LIMIT || !arena->crowded);
}

static void meet(const struct channel_statistics *statistics, void *arg) {
    struct arena *arena = arg;
    arena->met += statistics->name[0] != '\0';
    arena->wrong += statistics->history > statistics->offset;
}

static void query_around(struct arena *arena, const char *name, unsigned random) {
    struct channels *channels = &arena->harness.channels;
    struct json_writer writer = {0};
    struct history_page past;
    uint32_t position = 0;
    if (random % 3 == 0) {
        channels_each(channels, &position, UINT32_MAX, meet, arena);
    } else if (random % 3 == 1) {
        channels_write_presence(channels, name, 3, &writer);
        json_writer_release(&writer);
    } else if (channels_read_history(channels, name, random % 50, 10, 1000, &past) == 0) {
        arena->wrong += past.offset < past.count;
        history_page_release(&past);
    }
}

static void act(struct arena *arena, unsigned random) {
    const char *name = names[random / 100 % NAMES];
    struct weir_conn *conn = hold(arena, random / 1000 % PLACES);
    unsigned action = random % 100;
    if (action < 35)
        join_somewhere(arena, conn, name, random / 10000);
    else if (action < 65)
        arena->left += channels_leave(&arena->harness.channels, conn, name);
    else if (action < 90)
        publish_somewhere(arena, conn, name, random / 10000);
    else if (action < 97)
        query_around(arena, name, random / 10000);
    else if (action < 98)
        set_arena_rules(arena, random / 10000);
    else if (action < 99)
        run_expiry(&arena->harness);
    else if (random / 10000 % 10 == 0)
        channels_close(&arena->harness.channels, name);
    weir_conn_release(conn);
}

static void *run(void *arg) {
    struct arena *arena = arg;
    unsigned seed = (unsigned)(uintptr_t)&seed;
    while (!arena->over)
        act(arena, (unsigned)rand_r(&seed) ^ (unsigned)rand_r(&seed) << 16);
    return NULL;
}

/* --- The connections --------------------------------------------------------------------------------------- */

/* In any way that a connection can end. */
static void end(const struct guest *guest, int way) {
    if (way == 0)
        weir_conn_close(guest->conn, 1000, "");
    if (way == 1) /* a Close with 1000; the server may have gone before */
        send(guest->client, "\x88\x82\x01\x02\x03\x04\x02\xea", 8, MSG_NOSIGNAL);
    if (way == 2)
        shutdown(guest->client, SHUT_WR);
    close(guest->client);
}

/* It ends while others take hold of it. */
static void replace(struct arena *arena, int place, int way) {
    end(&arena->guests[place], way);
    struct guest guest = guest_connect(&arena->harness);
    pthread_mutex_lock(&arena->mutex);
    struct weir_conn *before = arena->guests[place].conn;
    arena->guests[place] = guest;
    pthread_mutex_unlock(&arena->mutex);
    weir_conn_release(before);
}

static void end_all(struct arena *arena) {
    for (int i = 0; i < PLACES; i++) {
        end(&arena->guests[i], i % 4);
        weir_conn_release(arena->guests[i].conn);
    }
}

static void start(struct arena *arena, bool crowded) {
    *arena = (struct arena){.mutex = PTHREAD_MUTEX_INITIALIZER, .crowded = crowded};
    harness_start(&arena->harness, 2, &silent_handler, NULL);
    arena->harness.settings.close_timeout_ms = 100;
    set_arena_rules(arena, 1);
    for (int i = 0; i < PLACES; i++)
        arena->guests[i] = guest_connect(&arena->harness);
}

/* The thread that ran the last expiry may still hold its reference. */
static bool has_creators(struct channels *channels) {
    mutex_lock(&channels->mutex);
    bool any = channels->creators != NULL;
    mutex_unlock(&channels->mutex);
    return any;
}

/* No channel has a subscriber, and nothing is left. */
static void check_empty(struct arena *arena) {
    struct channels *channels = &arena->harness.channels;
    ck_assert_uint_eq(registry_wait_empty(&arena->harness.core.registry, pool_now() + 60000), 0);
    ck_assert_uint_eq(count_subscriptions(&arena->harness), 0);
    set_rules(&arena->harness, NULL, 0);
    run_expiry(&arena->harness);
    UNTIL(count_channels(&arena->harness) == 0);
    ck_assert_uint_eq(channels->store.messages, 0);
    ck_assert_uint_eq(channels->store.bytes, 0);
    ck_assert_ptr_null(channels->by_name);
    ck_assert_ptr_null(channels->idle);
    UNTIL(!has_creators(channels));
    ck_assert_uint_eq(channels->idle_count + channels->idle_memory, 0);
}

START_TEST(channels_are_empty_after_random_concurrent_calls) {
    struct arena arena;
    pthread_t threads[THREADS];
    start(&arena, _i == 1);
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, run, &arena), 0);
    for (uint64_t until = pool_now() + DURATION_MS; pool_now() < until; sleep_ms(1))
        replace(&arena, rand() % PLACES, rand() % 4);
    arena.over = true;
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    end_all(&arena);
    ck_assert_uint_eq(arena.wrong, 0);
    ck_assert_uint_gt(arena.joined, 0);
    ck_assert_uint_gt(arena.left, 0);
    ck_assert_uint_gt(arena.published, 0);
    ck_assert_uint_gt(arena.met, 0);
    ck_assert_int_eq(arena.harness.channels.counters.evicted_full > 0, arena.crowded);
    check_empty(&arena);
    harness_stop(&arena.harness);
}
END_TEST

/* --- One connection, from all sides ------------------------------------------------------------------------ */

static void *join_again_and_again(void *arg) {
    struct arena *arena = arg;
    for (unsigned i = 0; !arena->over; i++)
        join_somewhere(arena, arena->guests[0].conn, "now:1", i);
    return NULL;
}

static void *leave_again_and_again(void *arg) {
    struct arena *arena = arg;
    while (!arena->over)
        arena->left += channels_leave(&arena->harness.channels, arena->guests[0].conn, "now:1");
    return NULL;
}

/* A channel that exists only during each subscription: created by one thread, ended by another. */
START_TEST(channel_survives_concurrent_join_and_leave) {
    struct arena arena;
    pthread_t joins, leaves;
    start(&arena, false);
    ck_assert_int_eq(pthread_create(&joins, NULL, join_again_and_again, &arena), 0);
    ck_assert_int_eq(pthread_create(&leaves, NULL, leave_again_and_again, &arena), 0);
    sleep_ms(DURATION_MS / 2);
    arena.over = true;
    pthread_join(joins, NULL);
    pthread_join(leaves, NULL);
    ck_assert_uint_gt(arena.left, 0);
    ck_assert_uint_eq(arena.joined - arena.left, count_subscriptions(&arena.harness));
    ck_assert_uint_eq(count_channels(&arena.harness), count_subscriptions(&arena.harness));
    ck_assert_uint_eq(arena.wrong, 0);
    end_all(&arena);
    check_empty(&arena);
    harness_stop(&arena.harness);
}
END_TEST

Suite *channel_races_suite(void) {
    Suite *suite = suite_create("channel_races");
    TCase *tcase = tcase_create("channel_races");
    tcase_add_loop_test(tcase, channels_are_empty_after_random_concurrent_calls, 0, 2);
    tcase_add_test(tcase, channel_survives_concurrent_join_and_leave);
    suite_add_tcase(suite, tcase);
    return suite;
}
