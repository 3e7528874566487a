/* conn_input.h - what the files of the input task call of each other: conn_input.c reads, conn_gate.c says whether
 * it may, conn_decode.c handles what was read, conn_end.c ends the connection. All of it belongs to the thread that
 * runs the input task.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CORE_CONN_INPUT_H
#define WEIR_CORE_CONN_INPUT_H

#include "server/core/conn_private.h"

/* A turn ends after CONN_TURN_READS reads, after as many full reads of inflated bytes, or after CONN_TURN_US. */
enum { CONN_TURN_READS = 8 };

/* One turn of the input task. */
struct conn_reading {
    struct payload last; /* the last message, which may be handled in place after the turn */
    uint64_t began;      /* pool_now_us() */
    size_t inflated;     /* bytes that compressed messages have become in this turn */
    size_t since_look;   /* bytes handled since the last look at the clock */
    bool over;           /* others should have their turn */
};

/* --- conn_gate.c --- */

enum conn_gate {
    CONN_GATE_READ,
    CONN_GATE_CLOSING, /* read on, until the client's Close or the end of its stream has come */
    CONN_GATE_WAIT,    /* reading is paused */
    CONN_GATE_END      /* the connection must be ended */
};

/* Returns what the reader may do now. The first call on a closing connection starts the close timeout. */
enum conn_gate conn_gate_pass(struct weir_conn *conn);

/* Returns false if the client must wait: throttle->until says how long. A client that is closed for exceeding its
 * rate does not wait. */
bool conn_gate_is_within_rate(struct weir_conn *conn);

/* --- conn_decode.c --- */

/* Decodes bytes of this turn. Keeps what remains of them in conn->pending. Returns false if memory is exhausted. */
bool conn_decode(struct weir_conn *conn, uint8_t *bytes, size_t size, struct conn_reading *reading);

/* Decodes what was kept. */
bool conn_decode_pending(struct weir_conn *conn, struct conn_reading *reading);

/* Decodes bytes that were read into the message's own memory. */
void conn_decode_in_place(struct weir_conn *conn, size_t size, struct conn_reading *reading);

/* Counts for memory_limit what the decoder, and the bytes that wait for it, hold between two turns. */
void conn_decode_count_memory(struct weir_conn *conn);

/* --- conn_end.c --- */

/* Called when the client has shut its side. Returns whether our Close has still to leave: then the flush task
 * queues the input task afterwards. */
bool conn_end_awaits_close(struct weir_conn *conn);

/* Ends the connection. */
void conn_end(struct weir_conn *conn);

#endif
