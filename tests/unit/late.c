/* late.c - see late.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/unit/late.h"

#include <sched.h>
#include <sys/socket.h>
#include <time.h>

#include "tests/unit/assertions.h"

const struct weir_handler silent_handler = {WEIR_HANDLER_INIT, .flags = WEIR_NEVER_BLOCKS};

void sleep_ms(long milliseconds) {
    nanosleep(&(struct timespec){.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000}, NULL);
}

void late_connect(struct late *late) {
    late->client = harness_connect(&late->harness);
    late->conn = weir_conn_retain(late->harness.route.first);
}

void late_start(struct late *late, enum slow_consumer_policy policy, const struct weir_handler *handler,
                void *context) {
    harness_start(&late->harness, 2, handler, context);
    late->harness.settings.send_buffer_soft = SOFT;
    late->harness.settings.send_buffer_hard = HARD;
    late->harness.route.slow_consumer = policy;
    late_connect(late);
}

void late_stop(struct late *late) {
    client_close(late->client);
    weir_conn_release(late->conn);
    harness_stop(&late->harness);
}

void send_until(struct weir_conn *conn, size_t bytes) {
    static const char block[SIZE];
    for (bool full; !(full = atomic_load(&conn->source.blocked)) || weir_conn_buffered(conn) <= bytes;) {
        if (full || weir_conn_buffered(conn) < 8 * SIZE)
            ck_assert_int_eq(weir_conn_send(conn, WEIR_BINARY, block, sizeof block), WEIR_OK);
        else
            sched_yield(); /* it is being written */
    }
}

void read_all(struct late *late) {
    static char bytes[1 << 16];
    for (int waited = 0; waited < PATIENCE_MS && weir_conn_buffered(late->conn) > 0;) {
        if (recv(late->client, bytes, sizeof bytes, MSG_DONTWAIT) <= 0) {
            sleep_ms(1);
            waited++;
        }
    }
    ck_assert_uint_eq(weir_conn_buffered(late->conn), 0);
    while (recv(late->client, bytes, sizeof bytes, MSG_DONTWAIT) > 0)
        continue;
}
