/* conn_state.c - see conn_state.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>

#include "server/core/conn_private.h"

#ifdef WEIR_CHECK_LOCKS
#define TO(state) (1u << CONN_##state)

static const unsigned conn_state_successors[] = {
    [CONN_OPEN] = TO(DRAINING) | TO(CUT) | TO(CLOSE_SENT) | TO(ENDED),
    [CONN_DRAINING] = TO(DRAINED) | TO(CUT) | TO(CLOSE_SENT) | TO(ENDED),
    [CONN_DRAINED] = TO(CUT) | TO(CLOSE_SENT) | TO(ENDED),
    [CONN_CUT] = TO(CLOSE_CUT) | TO(ENDED),
    [CONN_CLOSE_SENT] = TO(CLOSE_RECEIVED) | TO(CLOSE_CUT) | TO(ENDED),
    [CONN_CLOSE_RECEIVED] = TO(SHUT) | TO(CLOSE_CUT) | TO(ENDED),
    [CONN_SHUT] = TO(CLOSE_CUT) | TO(ENDED),
    [CONN_CLOSE_CUT] = TO(ENDED),
    [CONN_ENDED] = 0,
};

static void conn_state_check(enum conn_state from, enum conn_state to) {
    if ((conn_state_successors[from] & 1u << to) == 0)
        abort();
}
#else
static void conn_state_check(enum conn_state from, enum conn_state to) {
    (void)from;
    (void)to;
}
#endif

void conn_enter_locked(struct weir_conn *conn, enum conn_state next) {
    small_mutex_check_held(&conn->mutex);
    conn_state_check(conn_state(conn), next);
    atomic_store(&conn->state, (uint8_t)next);
}

void conn_cut_locked(struct weir_conn *conn) {
    enum conn_state state = conn_state(conn);
    if (state <= CONN_DRAINED)
        conn_enter_locked(conn, CONN_CUT);
    else if (state >= CONN_CLOSE_SENT && state <= CONN_SHUT)
        conn_enter_locked(conn, CONN_CLOSE_CUT);
}

void conn_note_peer_done_locked(struct weir_conn *conn) {
    if (conn_state(conn) == CONN_CLOSE_SENT)
        conn_enter_locked(conn, CONN_CLOSE_RECEIVED);
}

void conn_begin_drain_locked(struct weir_conn *conn) {
    if (conn_state(conn) == CONN_OPEN)
        conn_enter_locked(conn, CONN_DRAINING);
}
