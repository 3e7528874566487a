/* test_turns.c - connections with slow messages leave the pool's threads to others in between.
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>
#include <sys/socket.h>

#include "tests/unit/guest.h"
#include "tests/unit/late.h"
#include "tests/unit/suites.h"

enum { TEXT_FRAME = 0x81, WORKERS = 1, BUSY = WORKERS + 1 /* as many as there are threads */, MANY = 5000 };

struct work {
    _Atomic int handled[BUSY];      /* messages that say who sent them */
    _Atomic int at_the_other[BUSY]; /* how many these were when another one was handled */
    _Atomic bool other_handled;
};

static void work(weir_conn *conn, enum weir_opcode opcode, const void *data, size_t size, void *context) {
    struct work *work = context;
    char who = *(const char *)data;
    (void)conn, (void)opcode, (void)size;
    if (who < BUSY) {
        if (!work->other_handled)
            sleep_ms(2);
        work->handled[(int)who]++;
        return;
    }
    for (int i = 0; i < BUSY; i++)
        work->at_the_other[i] = work->handled[i];
    work->other_handled = true;
}

static const struct weir_handler works = {.message = work, .flags = WEIR_NEVER_BLOCKS};

/* All that it sends arrives in one read. */
static void send_many(const struct guest *guest, char who) {
    static char frames[MANY * 7];
    for (int i = 0; i < MANY; i++)
        memcpy(frames + i * 7, (const char[7]){(char)TEXT_FRAME, (char)0x81, 0, 0, 0, 0, who}, 7);
    ck_assert_int_eq((int)send(guest->client, frames, sizeof frames, MSG_NOSIGNAL), (int)sizeof frames);
}

START_TEST(turn_ends_so_that_other_connections_are_handled) {
    struct harness harness;
    struct work work = {0};
    struct guest busy[BUSY];
    harness_start(&harness, WORKERS, &works, &work);
    struct guest other = guest_connect(&harness);
    for (int i = 0; i < BUSY; i++) {
        busy[i] = guest_connect(&harness);
        send_many(&busy[i], (char)i);
        UNTIL(work.handled[i] > 0);
    }
    client_send(other.client, TEXT_FRAME, "o", 1);
    UNTIL(work.other_handled);
    for (int i = 0; i < BUSY; i++) {
        ck_assert_int_lt(work.at_the_other[i], MANY);
        UNTIL(work.handled[i] == MANY);
        guest_leave(&busy[i]);
    }
    guest_leave(&other);
    harness_stop(&harness);
}
END_TEST

Suite *turns_suite(void) {
    Suite *suite = suite_create("turns");
    TCase *tcase = tcase_create("turns");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, turn_ends_so_that_other_connections_are_handled);
    suite_add_tcase(suite, tcase);
    return suite;
}
