/* test_address_limiter.c - the limits per address: connections, rates, and the memory for them.
 *
 * SPDX-License-Identifier: MIT
 */
#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "server/core/address_limiter.h"
#include "tests/unit/suites.h"

/* Each in its own network, 2001:db8:HIGH:LOW::/64. */
static struct address numbered(uint32_t number) {
    struct address address = {{0x20, 0x01, 0x0d, 0xb8, [15] = 1}};
    for (int i = 0; i < 4; i++)
        address.bytes[4 + i] = (uint8_t)(number >> (24 - 8 * i));
    return address;
}

static enum address_limiter_answer admit(struct address_limiter *limiter, const char *text, uint64_t now,
                                         struct limited_address **entry) {
    struct address address;
    address_parse(text, &address);
    return address_limiter_admit(limiter, &address, now, entry);
}

/* A handshake whose connection ends at once. */
static enum address_limiter_answer visit(struct address_limiter *limiter, const char *text, uint64_t now) {
    struct limited_address *entry;
    enum address_limiter_answer answer = admit(limiter, text, now, &entry);
    if ((entry != NULL) != (answer == ADDRESS_LIMITER_ADMITTED))
        ck_abort_msg("answer %d with a wrong entry", (int)answer);
    address_limiter_leave(limiter, entry, now);
    return answer;
}

/* --- Without limits ---------------------------------------------------------------------------------------- */

START_TEST(address_limiter_without_limits_keeps_nothing) {
    struct address_limiter limiter;
    struct limited_address *entry;
    ck_assert_int_eq(address_limiter_init(&limiter, 0, 0, 1000), 0);
    for (int i = 0; i < 1000; i++) {
        ck_assert_int_eq(admit(&limiter, "192.0.2.1", 0, &entry), ADDRESS_LIMITER_ADMITTED);
        ck_assert_ptr_null(entry);
    }
    ck_assert_uint_eq(address_limiter_count(&limiter), 0);
    /* Nothing is locked: with the mutex held elsewhere, this would wait for ever. */
    mutex_lock(&limiter.mutex);
    ck_assert_int_eq(admit(&limiter, "192.0.2.1", 0, &entry), ADDRESS_LIMITER_ADMITTED);
    address_limiter_leave(&limiter, entry, 0);
    mutex_unlock(&limiter.mutex);
    address_limiter_release(&limiter);
}
END_TEST

/* --- Places ------------------------------------------------------------------------------------------------ */

START_TEST(address_limiter_frees_a_place_on_leave) {
    struct address_limiter limiter;
    struct limited_address *first, *second, *other, *none;
    ck_assert_int_eq(address_limiter_init(&limiter, 2, 0, 1000), 0);
    ck_assert_int_eq(admit(&limiter, "192.0.2.1", 0, &first), ADDRESS_LIMITER_ADMITTED);
    ck_assert_int_eq(admit(&limiter, "::ffff:192.0.2.1", 0, &second), ADDRESS_LIMITER_ADMITTED);
    ck_assert_int_eq(admit(&limiter, "192.0.2.1", 0, &none), ADDRESS_LIMITER_TOO_MANY);
    ck_assert_ptr_null(none);
    ck_assert_int_eq(admit(&limiter, "192.0.2.2", 0, &other), ADDRESS_LIMITER_ADMITTED);
    ck_assert_uint_eq(address_limiter_count(&limiter), 2);
    address_limiter_leave(&limiter, first, 0);
    ck_assert_int_eq(admit(&limiter, "192.0.2.1", 0, &first), ADDRESS_LIMITER_ADMITTED);
    ck_assert_int_eq(admit(&limiter, "192.0.2.1", 0, &none), ADDRESS_LIMITER_TOO_MANY);
    address_limiter_leave(&limiter, first, 0);
    address_limiter_leave(&limiter, second, 0);
    ck_assert_uint_eq(address_limiter_count(&limiter), 1);
    address_limiter_leave(&limiter, other, 0);
    ck_assert_uint_eq(address_limiter_count(&limiter), 0);
    address_limiter_release(&limiter);
}
END_TEST

START_TEST(address_limiter_counts_an_ipv6_network_as_one) {
    struct address_limiter limiter;
    struct limited_address *first, *other, *none;
    ck_assert_int_eq(address_limiter_init(&limiter, 1, 0, 1000), 0);
    ck_assert_int_eq(admit(&limiter, "2001:db8::1", 0, &first), ADDRESS_LIMITER_ADMITTED);
    ck_assert_int_eq(admit(&limiter, "2001:db8::ffff:0:2", 0, &none), ADDRESS_LIMITER_TOO_MANY);
    ck_assert_int_eq(admit(&limiter, "2001:db8:0:1::1", 0, &other), ADDRESS_LIMITER_ADMITTED);
    address_limiter_leave(&limiter, first, 0);
    address_limiter_leave(&limiter, other, 0);
    address_limiter_release(&limiter);
}
END_TEST

/* --- Rates ------------------------------------------------------------------------------------------------- */

#define FAST ADDRESS_LIMITER_TOO_FAST
#define GOOD ADDRESS_LIMITER_ADMITTED

static const struct {
    unsigned rate;
    struct {
        uint64_t now;
        unsigned count; /* handshakes at that time; 0 ends the list */
        enum address_limiter_answer answer;
    } steps[8];
} rates[] = {
    /* a second's worth at once, then one for each part of a second */
    {1, {{0, 1, GOOD}, {0, 1, FAST}, {999, 1, FAST}, {1000, 1, GOOD}, {1999, 1, FAST}, {2000, 1, GOOD}}},
    {4,
     {{0, 4, GOOD}, {0, 1, FAST}, {249, 1, FAST}, {250, 1, GOOD}, {250, 1, FAST}, {750, 2, GOOD}, {750, 1, FAST}}},
    {3, {{0, 3, GOOD}, {333, 1, FAST}, {334, 1, GOOD}, {666, 1, FAST}, {667, 1, GOOD}, {1000, 1, GOOD}}},
    /* refused handshakes cost nothing: one second later one is always allowed */
    {1, {{0, 1, GOOD}, {0, 5000, FAST}, {1000, 1, GOOD}, {1000, 5000, FAST}, {2000, 1, GOOD}}},
    /* unused handshakes are lost after a second */
    {2, {{0, 2, GOOD}, {1000000, 2, GOOD}, {1000000, 1, FAST}}},
    {2, {{0, 1, GOOD}, {UINT64_C(1) << 40, 2, GOOD}, {UINT64_C(1) << 40, 1, FAST}}},
    /* faster than the clock */
    {1000000, {{5, 1000000, GOOD}, {5, 1, FAST}, {6, 1000, GOOD}, {6, 1, FAST}}},
    /* a clock that seems to go back, as with several threads, gives nothing */
    {2, {{1000, 2, GOOD}, {900, 1, FAST}, {1400, 1, FAST}, {1500, 1, GOOD}, {1400, 1, FAST}, {2000, 1, GOOD}}},
};

static void follow_rate(int row, unsigned max_connections) {
    struct address_limiter limiter;
    ck_assert_int_eq(address_limiter_init(&limiter, max_connections, rates[row].rate, 1000), 0);
    for (int i = 0; rates[row].steps[i].count != 0; i++) {
        unsigned as_expected = 0;
        for (unsigned j = 0; j < rates[row].steps[i].count; j++)
            as_expected += visit(&limiter, "192.0.2.1", rates[row].steps[i].now) == rates[row].steps[i].answer;
        ck_assert_msg(as_expected == rates[row].steps[i].count, "step %d: %u", i, as_expected);
    }
    address_limiter_release(&limiter);
}

START_TEST(address_limiter_limits_the_handshake_rate) {
    follow_rate(_i, 0);
    follow_rate(_i, 1);
}
END_TEST

/* The same while a connection of that address stays. */
START_TEST(address_limiter_rate_holds_during_a_connection) {
    struct address_limiter limiter;
    struct limited_address *stays;
    ck_assert_int_eq(address_limiter_init(&limiter, 0, 2, 1000), 0);
    ck_assert_int_eq(admit(&limiter, "192.0.2.1", 0, &stays), ADDRESS_LIMITER_ADMITTED);
    ck_assert_int_eq(visit(&limiter, "192.0.2.1", 0), ADDRESS_LIMITER_ADMITTED);
    ck_assert_int_eq(visit(&limiter, "192.0.2.1", 499), ADDRESS_LIMITER_TOO_FAST);
    ck_assert_int_eq(visit(&limiter, "192.0.2.2", 499), ADDRESS_LIMITER_ADMITTED);
    ck_assert_int_eq(visit(&limiter, "192.0.2.1", 500), ADDRESS_LIMITER_ADMITTED);
    address_limiter_leave(&limiter, stays, 600);
    ck_assert_int_eq(visit(&limiter, "192.0.2.1", 600), ADDRESS_LIMITER_TOO_FAST);
    address_limiter_release(&limiter);
}
END_TEST

/* A client that has all its connections and keeps asking becomes too fast. */
START_TEST(address_limiter_counts_refused_handshakes) {
    struct address_limiter limiter;
    struct limited_address *stays;
    ck_assert_int_eq(address_limiter_init(&limiter, 1, 3, 1000), 0);
    ck_assert_int_eq(admit(&limiter, "192.0.2.1", 0, &stays), ADDRESS_LIMITER_ADMITTED);
    ck_assert_int_eq(visit(&limiter, "192.0.2.1", 0), ADDRESS_LIMITER_TOO_MANY);
    ck_assert_int_eq(visit(&limiter, "192.0.2.1", 0), ADDRESS_LIMITER_TOO_MANY);
    ck_assert_int_eq(visit(&limiter, "192.0.2.1", 0), ADDRESS_LIMITER_TOO_FAST);
    address_limiter_leave(&limiter, stays, 0);
    ck_assert_int_eq(visit(&limiter, "192.0.2.1", 0), ADDRESS_LIMITER_TOO_FAST);
    address_limiter_release(&limiter);
}
END_TEST

/* --- Memory ------------------------------------------------------------------------------------------------ */

START_TEST(address_limiter_forgets_idle_addresses) {
    struct address_limiter limiter;
    struct limited_address *entry;
    ck_assert_int_eq(address_limiter_init(&limiter, 0, 1, 1000), 0);
    for (uint32_t i = 0; i < 1000; i++) {
        struct address address = numbered(i);
        ck_assert_int_eq(address_limiter_admit(&limiter, &address, i, &entry), ADDRESS_LIMITER_ADMITTED);
        address_limiter_leave(&limiter, entry, i);
    }
    ck_assert_uint_eq(address_limiter_count(&limiter), 1000);
    for (int i = 0; i < 1000; i++)
        visit(&limiter, "192.0.2.1", 10000);
    ck_assert_uint_eq(address_limiter_count(&limiter), 1);
    /* An address whose bucket is full again is forgotten as soon as it leaves. */
    ck_assert_int_eq(admit(&limiter, "192.0.2.2", 20000, &entry), ADDRESS_LIMITER_ADMITTED);
    ck_assert_uint_eq(address_limiter_count(&limiter), 1);
    address_limiter_leave(&limiter, entry, 21000);
    ck_assert_uint_eq(address_limiter_count(&limiter), 0);
    address_limiter_release(&limiter);
}
END_TEST

/* Half a million addresses at one moment: the oldest are dropped, those with connections stay. */
START_TEST(address_limiter_memory_is_bounded) {
    enum { MANY = 500000, STAYING = 100 };
    struct address_limiter limiter;
    struct limited_address *entry, *staying[STAYING];
    unsigned admitted = 0, most = 0;
    ck_assert_int_eq(address_limiter_init(&limiter, 1, 1, 1000), 0);
    for (uint32_t i = 0; i < MANY; i++) {
        struct address address = numbered(i);
        admitted += address_limiter_admit(&limiter, &address, 0, &entry) == ADDRESS_LIMITER_ADMITTED;
        if (i < STAYING)
            staying[i] = entry;
        else
            address_limiter_leave(&limiter, entry, 0);
        most = limiter.remembered > most ? limiter.remembered : most;
    }
    ck_assert_uint_eq(admitted, MANY);
    ck_assert_uint_eq(most, ADDRESS_LIMITER_REMEMBERED_MAX);
    ck_assert_uint_eq(address_limiter_count(&limiter), ADDRESS_LIMITER_REMEMBERED_MAX + STAYING);
    struct address last = numbered(MANY - 1), kept = numbered(MANY - ADDRESS_LIMITER_REMEMBERED_MAX);
    struct address dropped = numbered(MANY - ADDRESS_LIMITER_REMEMBERED_MAX - 1), first = numbered(0);
    ck_assert_int_eq(address_limiter_admit(&limiter, &last, 0, &entry), ADDRESS_LIMITER_TOO_FAST);
    ck_assert_int_eq(address_limiter_admit(&limiter, &kept, 0, &entry), ADDRESS_LIMITER_TOO_FAST);
    ck_assert_int_eq(address_limiter_admit(&limiter, &first, 1000, &entry), ADDRESS_LIMITER_TOO_MANY);
    ck_assert_int_eq(address_limiter_admit(&limiter, &dropped, 0, &entry), ADDRESS_LIMITER_ADMITTED);
    address_limiter_leave(&limiter, entry, 0);
    for (int i = 0; i < STAYING; i++)
        address_limiter_leave(&limiter, staying[i], 2000);
    ck_assert_uint_le(address_limiter_count(&limiter), ADDRESS_LIMITER_REMEMBERED_MAX);
    address_limiter_release(&limiter);
}
END_TEST

/* --- Threads ----------------------------------------------------------------------------------------------- */

enum { THREADS = 4, ADDRESSES = 3, LIMIT = 2, TURNS = 20000 };

struct crowd {
    struct address_limiter limiter;
    _Atomic int inside[ADDRESSES];
    _Atomic unsigned admitted, refused, excess;
};

static void *come_and_go(void *arg) {
    static const char *const texts[ADDRESSES] = {"192.0.2.1", "192.0.2.2", "2001:db8::1"};
    struct crowd *crowd = arg;
    for (int i = 0; i < TURNS; i++) {
        struct address address;
        struct limited_address *entry;
        int which = i % ADDRESSES;
        address_parse(texts[which], &address);
        if (address_limiter_admit(&crowd->limiter, &address, (uint64_t)i, &entry) != ADDRESS_LIMITER_ADMITTED) {
            atomic_fetch_add(&crowd->refused, 1);
            continue;
        }
        if (atomic_fetch_add(&crowd->inside[which], 1) >= LIMIT)
            atomic_fetch_add(&crowd->excess, 1);
        atomic_fetch_add(&crowd->admitted, 1);
        atomic_fetch_sub(&crowd->inside[which], 1);
        address_limiter_leave(&crowd->limiter, entry, (uint64_t)i);
    }
    return NULL;
}

static void run_crowd(struct crowd *crowd, unsigned rate) {
    pthread_t threads[THREADS];
    memset(crowd, 0, sizeof *crowd);
    ck_assert_int_eq(address_limiter_init(&crowd->limiter, LIMIT, rate, 1000), 0);
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, come_and_go, crowd), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_uint_eq(crowd->admitted + crowd->refused, THREADS * TURNS);
    ck_assert_uint_eq(crowd->excess, 0);
}

START_TEST(address_limiter_counts_right_under_threads) {
    struct crowd crowd;
    run_crowd(&crowd, 0);
    ck_assert_uint_gt(crowd.admitted, 0);
    ck_assert_uint_eq(address_limiter_count(&crowd.limiter), 0);
    address_limiter_release(&crowd.limiter);
    /* 20 simulated seconds: each address can be admitted a second's worth, and 20 times as much. */
    enum { RATE = 10 };
    run_crowd(&crowd, RATE);
    ck_assert_uint_gt(crowd.admitted, 0);
    ck_assert_uint_le(crowd.admitted, ADDRESSES * RATE * (1 + TURNS / 1000));
    ck_assert_uint_le(address_limiter_count(&crowd.limiter), ADDRESSES);
    address_limiter_release(&crowd.limiter);
}
END_TEST

Suite *address_limiter_suite(void) {
    Suite *suite = suite_create("address_limiter");
    TCase *tcase = tcase_create("address_limiter");
    tcase_add_test(tcase, address_limiter_without_limits_keeps_nothing);
    tcase_add_test(tcase, address_limiter_frees_a_place_on_leave);
    tcase_add_test(tcase, address_limiter_counts_an_ipv6_network_as_one);
    tcase_add_loop_test(tcase, address_limiter_limits_the_handshake_rate, 0, COUNT(rates));
    tcase_add_test(tcase, address_limiter_rate_holds_during_a_connection);
    tcase_add_test(tcase, address_limiter_counts_refused_handshakes);
    tcase_add_test(tcase, address_limiter_forgets_idle_addresses);
    tcase_add_test(tcase, address_limiter_memory_is_bounded);
    tcase_add_test(tcase, address_limiter_counts_right_under_threads);
    suite_add_tcase(suite, tcase);
    return suite;
}
