/* test_slow_request_reaper.c - which slow clients of the admin listener are cut.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/http/civetweb/slow_request_reaper.h"
#include "tests/unit/suites.h"

enum { NOW = 100000, MOST = 8 };

/* The verdict on one client that has kept the server waiting for so long. */
static bool goes(enum request_phase phase, uint64_t age, unsigned waiting) {
    struct request_sight sight = {.phase = phase, .since_ms = NOW - age};
    slow_request_reaper_decide(&sight, 1, waiting, NOW);
    return sight.cut;
}

START_TEST(slow_request_is_cut_after_the_time_of_its_phase) {
    static const struct {
        enum request_phase phase;
        uint64_t most, least;
    } cases[] = {
        {PHASE_HEAD, 5000, 200}, {PHASE_BODY, 10000, 500}, {PHASE_ANSWER, 10000, 500}, {PHASE_LINGER, 1000, 100}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_assert(!goes(cases[i].phase, cases[i].most - 1, 0));
        ck_assert(goes(cases[i].phase, cases[i].most, 0));
        ck_assert(!goes(cases[i].phase, cases[i].least - 1, 1));
        ck_assert(goes(cases[i].phase, cases[i].least, 1));
    }
    ck_assert(!goes(PHASE_WORK, NOW, 0));
    ck_assert(!goes(PHASE_WORK, NOW, 9));
}
END_TEST

START_TEST(slow_requests_are_cut_oldest_first_for_those_waiting) {
    for (unsigned waiting = 0; waiting <= MOST + 1; waiting++) {
        struct request_sight sights[MOST];
        unsigned cut = 0;
        for (int i = 0; i < MOST; i++)
            sights[i] = (struct request_sight){.fd = i,
                                               .phase = i % 2 == 0 ? PHASE_HEAD : PHASE_BODY,
                                               .since_ms = NOW - 2000 - (uint64_t)(i * 5 % MOST)};
        slow_request_reaper_decide(sights, MOST, waiting, NOW);
        for (int i = 0; i < MOST; i++)
            cut += sights[i].cut;
        ck_assert_uint_eq(cut, waiting < MOST ? waiting : MOST);
        for (int i = 0; i < MOST; i++)
            for (int k = 0; k < MOST; k++)
                ck_assert(!sights[i].cut || sights[k].cut || sights[i].since_ms < sights[k].since_ms);
    }
}
END_TEST

START_TEST(slow_request_over_its_time_makes_room_for_one_waiting) {
    struct request_sight sights[] = {{.phase = PHASE_HEAD, .since_ms = NOW - 6000},
                                     {.phase = PHASE_BODY, .since_ms = NOW - 9000},
                                     {.phase = PHASE_WORK, .since_ms = 0}};
    slow_request_reaper_decide(sights, 3, 1, NOW);
    ck_assert(sights[0].cut && !sights[1].cut && !sights[2].cut);
}
END_TEST

Suite *slow_request_reaper_suite(void) {
    Suite *suite = suite_create("slow_request_reaper");
    TCase *tcase = tcase_create("slow_request_reaper");
    tcase_add_test(tcase, slow_request_is_cut_after_the_time_of_its_phase);
    tcase_add_test(tcase, slow_requests_are_cut_oldest_first_for_those_waiting);
    tcase_add_test(tcase, slow_request_over_its_time_makes_room_for_one_waiting);
    suite_add_tcase(suite, tcase);
    return suite;
}
