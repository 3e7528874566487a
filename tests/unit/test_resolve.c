/* test_resolve.c - the lookup thread has ended when resolve() returns, or is counted. This file replaces
 * getaddrinfo(), whose result depends on the name.
 *
 * SPDX-License-Identifier: MIT
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/resolve.h"
#include "client/socket.h"
#include "tests/unit/late.h"
#include "tests/unit/suites.h"

/* --- A name server ------------------------------------------------------------------------------------------- */

static pthread_key_t key;
static _Atomic unsigned ended;      /* threads that have looked up */
static _Atomic bool answers = true; /* until then, "slow" waits */

static void end_late(void *argument) {
    (void)argument;
    sleep_ms(100);
    ended++;
}

static int look_up(const char *host) {
    pthread_setspecific(key, "");
    while (strcmp(host, "slow") == 0 && !answers)
        sleep_ms(1);
    return strcmp(host, "unknown") == 0 ? EAI_NONAME : 0;
}

/* An address, for tests that connect to a server; NULL if it is a name. */
static struct addrinfo *read_address(const char *host, const char *port) {
    struct {
        struct addrinfo info;
        struct sockaddr_in name;
    } *found = calloc(1, sizeof *found);
    if (inet_pton(AF_INET, host, &found->name.sin_addr) != 1) {
        free(found);
        return NULL;
    }
    found->name.sin_family = AF_INET;
    found->name.sin_port = htons((uint16_t)atoi(port));
    found->info = (struct addrinfo){.ai_family = AF_INET,
                                    .ai_socktype = SOCK_STREAM,
                                    .ai_addr = (struct sockaddr *)&found->name,
                                    .ai_addrlen = sizeof found->name};
    return &found->info;
}

int getaddrinfo(const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **addresses) {
    if ((*addresses = read_address(host, port)) != NULL)
        return 0;
    int failure = hints->ai_flags & AI_NUMERICHOST ? EAI_NONAME : look_up(host);
    if (failure == 0)
        *addresses = calloc(1, sizeof **addresses);
    return failure;
}

void freeaddrinfo(struct addrinfo *addresses) {
    free(addresses);
}

/* --- Tests ------------------------------------------------------------------------------------------------- */

static int failure_of(const char *host, uint64_t milliseconds) {
    int failure;
    struct addrinfo *addresses = resolve(host, "80", socket_now() + milliseconds, &failure);
    ck_assert_int_eq(addresses != NULL, failure == 0);
    free(addresses);
    return failure;
}

static void make_key(void) {
    ck_assert_int_eq(pthread_key_create(&key, end_late), 0);
}

START_TEST(resolve_ends_its_thread_before_it_returns) {
    ck_assert_int_eq(failure_of("known", PATIENCE_MS), 0);
    ck_assert_uint_eq(ended, 1);
    ck_assert_int_eq(failure_of("unknown", PATIENCE_MS), EAI_NONAME);
    ck_assert_uint_eq(ended, 2);
}
END_TEST

START_TEST(resolve_limits_threads_that_hang) {
    answers = false;
    for (int i = 0; i < RESOLVE_ABANDONED_MAX; i++)
        ck_assert_int_eq(failure_of("slow", 1), RESOLVE_TIMED_OUT);
    ck_assert_int_eq(failure_of("known", PATIENCE_MS), RESOLVE_BUSY);
    answers = true;
    while (ended < RESOLVE_ABANDONED_MAX)
        sleep_ms(1);
    ck_assert_int_eq(failure_of("slow", PATIENCE_MS), 0);
}
END_TEST

Suite *resolve_suite(void) {
    Suite *suite = suite_create("resolve");
    TCase *tcase = tcase_create("resolve");
    tcase_add_checked_fixture(tcase, make_key, NULL);
    tcase_add_test(tcase, resolve_ends_its_thread_before_it_returns);
    tcase_add_test(tcase, resolve_limits_threads_that_hang);
    suite_add_tcase(suite, tcase);
    return suite;
}
