/* conn_decode.c - what the bytes that were read become: messages are handed on, control frames are answered. Part
 * of the input task.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>
#include <string.h>

#include "server/core/conn_input.h"
#include "server/core/memory.h"
#include "ws/close_code.h"

/* The clock is checked each time LOOK_AFTER bytes have been handled; each event counts as EVENT_COST more bytes. */
enum { LOOK_AFTER = 16384, EVENT_COST = 1024, INFLATED_MAX = CONN_TURN_READS * CONN_READ_SIZE };

/* --- Events ------------------------------------------------------------------------------------------------- */

static struct payload conn_decode_payload(struct weir_conn *conn, const struct decoded *decoded) {
    uint8_t *buffer = decoded->in_heap ? decoder_detach(&conn->decoder) : NULL;
    return (struct payload){
        .data = decoded->data, .size = decoded->size, .buffer = buffer, .opcode = decoded->opcode};
}

static void conn_decode_deliver(struct weir_conn *conn, struct decoded *decoded, struct payload *last) {
    if (conn_is_closing(conn))
        return; /* it crossed our Close */
    traffic_received(&conn->route->traffic, decoded->size);
    if (conn_settings(conn)->idle_timeout_ms != 0)
        atomic_store(&conn->message_at, time32_from(pool_now()));
    if (route_never_blocks(conn->route)) {
        struct payload payload = conn_decode_payload(conn, decoded);
        conn_call_message(conn, &payload);
        payload_release(&payload);
        return;
    }
    conn_put_in_inbox(conn, last);
    *last = conn_decode_payload(conn, decoded);
}

/* Stops decoding for good. Answers with a Close, unless ours has been queued already, which then has its
 * answer. */
static void conn_decode_end(struct weir_conn *conn, unsigned code, const char *reason, bool by_peer) {
    small_mutex_lock(&conn->mutex);
    if (conn_queue_close_locked(conn, code, reason))
        conn->closed_by_peer = by_peer;
    conn_note_peer_done_locked(conn);
    small_mutex_unlock(&conn->mutex);
}

static void conn_decode_close(struct weir_conn *conn, const struct decoded *decoded) {
    char reason[CLOSE_REASON_MAX + 1];
    if (decoded->size > 0)
        memcpy(reason, decoded->data, decoded->size);
    reason[decoded->size] = '\0';
    conn_decode_end(conn, decoded->close_code, reason, true);
}

static void conn_decode_handle(struct weir_conn *conn, struct decoded *decoded, struct payload *last) {
    uint64_t rate = conn_settings(conn)->message_rate;
    if (rate != 0 && conn->throttle != NULL && decoded->event != DECODER_MORE)
        token_bucket_take(&conn->throttle->messages, 1, rate, pool_now_us());
    switch (decoded->event) {
    case DECODER_MESSAGE:
        conn_decode_deliver(conn, decoded, last);
        break;
    case DECODER_PING:
        conn_send_control(conn, OPCODE_PONG, decoded->data, decoded->size);
        break;
    case DECODER_CLOSE:
        conn_decode_close(conn, decoded);
        break;
    case DECODER_ERROR:
        conn_decode_end(conn, decoded->close_code, (const char *)decoded->data, false);
        break;
    case DECODER_PONG:
        conn_keepalive_pong(conn, decoded->data, decoded->size);
        break;
    case DECODER_DEFLATED: /* it crossed our Close */
    case DECODER_MORE:
        break;
    }
}

/* --- Decoding ----------------------------------------------------------------------------------------------- */

/* Checks whether the turn is over, after an event of this size. Only the clock shows how long handling takes, and
 * reading it has a cost. */
static bool conn_decode_is_over(struct conn_reading *reading, size_t size) {
    reading->since_look += EVENT_COST + size;
    if (reading->since_look < LOOK_AFTER)
        return false;
    reading->since_look = 0;
    reading->over = pool_now_us() - reading->began > CONN_TURN_US;
    return reading->over;
}

/* Whether decoding may go on. One read may inflate to a thousand times its size, so the gate is checked and other
 * connections get their turn between messages. */
static bool conn_decode_goes_on(struct weir_conn *conn, struct conn_reading *reading) {
    reading->over = reading->over || reading->inflated > INFLATED_MAX;
    return !reading->over && conn_gate_is_within_rate(conn) && conn_gate_pass(conn) != CONN_GATE_WAIT;
}

/* Returns whether the next event may be looked at in this turn. */
static bool conn_decode_take_event(struct weir_conn *conn, struct decoded *decoded, struct conn_reading *reading) {
    bool wanted = !conn_is_closing(conn); /* what crosses our Close is not */
    bool inflates = decoded->event == DECODER_DEFLATED && wanted;
    if (inflates)
        conn_inflate(conn, decoded);
    if (decoded->event == DECODER_MESSAGE && wanted) { /* for the access line */
        conn->messages_in++;
        conn->payload_in += decoded->size;
    }
    conn_decode_handle(conn, decoded, &reading->last);
    if (inflates)
        reading->inflated += decoded->size;
    bool asks = inflates || conn_settings(conn)->message_rate != 0 ||
                (atomic_load(&conn->pauses) & CONN_PAUSE_CHANNEL) != 0;
    return !conn_decode_is_over(reading, decoded->size) && (!asks || conn_decode_goes_on(conn, reading));
}

/* Decodes until all is done, the peer has nothing more to say, or what is left must wait for another turn. Returns
 * the number of bytes consumed. */
static size_t conn_decode_some(struct weir_conn *conn, uint8_t *bytes, size_t size, struct conn_reading *reading) {
    struct decoded decoded;
    size_t used = 0;
    do {
        used += decoder_feed(&conn->decoder, &conn_settings(conn)->limits, bytes + used, size - used, &decoded);
        if (!conn_decode_take_event(conn, &decoded, reading))
            return used;
    } while (decoded.event != DECODER_MORE && conn_state(conn) < CONN_CLOSE_RECEIVED);
    return size;
}

/* The decoder then frees what it has handed out. */
void conn_decode_in_place(struct weir_conn *conn, size_t size, struct conn_reading *reading) {
    struct decoded decoded;
    decoder_filled(&conn->decoder, &conn_settings(conn)->limits, size, &decoded);
    conn_decode_take_event(conn, &decoded, reading);
    if (decoded.event != DECODER_MORE)
        decoder_feed(&conn->decoder, &conn_settings(conn)->limits, NULL, 0, &decoded);
}

/* Returns false if memory is exhausted. */
static bool conn_decode_keep_pending(struct weir_conn *conn, const uint8_t *bytes, size_t size) {
    conn->pending = malloc(sizeof *conn->pending + size);
    if (conn->pending == NULL)
        return false;
    conn->pending->size = (uint32_t)size;
    memcpy(conn->pending->bytes, bytes, size);
    return true;
}

bool conn_decode(struct weir_conn *conn, uint8_t *bytes, size_t size, struct conn_reading *reading) {
    size_t used = conn_decode_some(conn, bytes, size, reading);
    return used == size || conn_decode_keep_pending(conn, bytes + used, size - used);
}

bool conn_decode_pending(struct weir_conn *conn, struct conn_reading *reading) {
    struct pending_input *pending = conn->pending;
    conn->pending = NULL;
    bool done = conn_decode(conn, pending->bytes, pending->size, reading);
    conn_put_in_inbox(conn, &reading->last); /* the last message may lie in there */
    free(pending);
    return done;
}

void conn_decode_count_memory(struct weir_conn *conn) {
    uint32_t before = atomic_load_explicit(&conn->partial, memory_order_relaxed);
    uint32_t partial = (uint32_t)decoder_memory(&conn->decoder) + (conn->pending == NULL ? 0 : conn->pending->size);
    if (partial == before)
        return;
    atomic_store(&conn->partial, partial);
    memory_count((int64_t)partial - (int64_t)before);
    memory_limit_check(conn_core(conn));
}
