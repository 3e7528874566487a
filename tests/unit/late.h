/* late.h - a connection whose client reads late or never, with small limits: for the tests of backlogs.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_TESTS_UNIT_LATE_H
#define WEIR_TESTS_UNIT_LATE_H

#include "server/core/conn_private.h"
#include "tests/unit/harness.h"

enum { PATIENCE_MS = 20000, SOFT = 1 << 16, HARD = 1 << 18, SIZE = 1000, FRAME_MAX = 1 << 22 };

void sleep_ms(long milliseconds);

/* Waits for the condition; fails the test if it never becomes true. */
#define UNTIL(condition)                                                                                           \
    do {                                                                                                           \
        for (int waited = 0; !(condition) && waited < PATIENCE_MS; waited++)                                       \
            sleep_ms(1);                                                                                           \
        ck_assert(condition);                                                                                      \
    } while (0)

extern const struct weir_handler silent_handler;

struct late {
    struct harness harness;
    struct weir_conn *conn; /* with a reference */
    int client;             /* which does not read by itself */
};

void late_connect(struct late *late);
void late_start(struct late *late, enum slow_consumer_policy policy, const struct weir_handler *handler,
                void *context);
void late_stop(struct late *late);

/* Sends messages that are not read, until the socket is full and the backlog exceeds `bytes`. Before that the
 * backlog is small and stays below the soft limit. */
void send_until(struct weir_conn *conn, size_t bytes);

/* Reads everything until the backlog is empty. */
void read_all(struct late *late);

#endif
