/* conn_state.h - how far a connection's life has come, and why it is not read at the moment.
 *
 * The state says what may still be sent and received. It changes under the connection's lock, in
 * conn_enter_locked() alone; the builds that check locks abort on a change that is not drawn here. Any thread may
 * read it without the lock. It never goes back.
 *
 *     OPEN ----------> DRAINING ----------> DRAINED
 *      |                  |                    |
 *      +------------------+--------------------+--- a Close of ours ---> CLOSE_SENT
 *      |                                                                     |
 *      | no byte can leave any more                 the client's Close has come, or the end of its stream
 *      v                                                                     v
 *     CUT -- a Close of ours --> CLOSE_CUT <-- no byte can leave ---- CLOSE_RECEIVED
 *                                    ^                                       | our Close has left
 *                                    |                                       v
 *                                    +------------ or ended --------------- SHUT
 *
 * CLOSE_SENT may also become CLOSE_CUT. If the client's Close comes first, ours is its answer: the state is
 * CLOSE_RECEIVED at once. Any state may become ENDED, and nothing follows that.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CORE_CONN_STATE_H
#define WEIR_CORE_CONN_STATE_H

/* In this order: up to CONN_DRAINED the connection works in both directions; from CONN_CLOSE_SENT on it is closing,
 * and messages are neither accepted for sending nor handed to the handler. */
enum conn_state {
    CONN_OPEN,
    CONN_DRAINING,       /* the server stops: reads once more, then decodes and hands on what was read */
    CONN_DRAINED,        /* the handler has, or has waiting, all that was read; then we close with 1001 */
    CONN_CUT,            /* writing has failed, memory is exhausted, or the connection was aborted: the input task
                            ends it. What was decoded meanwhile is still handled */
    CONN_CLOSE_SENT,     /* our Close is in the outbox, or has left */
    CONN_CLOSE_RECEIVED, /* the client has nothing more to say; when our Close has left, the socket is shut */
    CONN_SHUT,           /* our Close has left, and the socket is shut for writing */
    CONN_CLOSE_CUT,      /* as CONN_CUT, but closing */
    CONN_ENDED           /* the input task has torn it down; only the close callback is still to come */
};

/* Why the connection is not read at the moment: a mask. */
enum conn_pause {
    CONN_PAUSE_BACKLOG = 1, /* its inbox or its replies have reached their limit; guarded by the lock */
    CONN_PAUSE_CHANNEL = 2, /* conn_stop_reading() was called; any thread */
    CONN_PAUSE_RATE = 4     /* it sends too fast; the input task */
};

#endif
