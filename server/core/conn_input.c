/* conn_input.c - the input task: reads what has arrived, decodes it, answers control frames and hands messages on.
 * It alone ends a connection.
 *
 * If the handler never blocks, a message is handled where it was read. Otherwise the last message of a turn is
 * also handled in place, if a slot is free and nothing waits before it. The input task is given back first, so
 * that another thread can read on while the handler blocks. All other messages are copied to the inbox.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "server/core/conn_private.h"
#include "server/core/memory.h"
#include "ws/close_code.h"

/* A turn ends after TURN_READS reads, after INFLATED_MAX inflated bytes, or after CONN_TURN_US. The clock is
 * checked each time LOOK_AFTER bytes have been handled; each event counts as EVENT_COST more bytes. */
enum { TURN_READS = 8, INFLATED_MAX = TURN_READS * CONN_READ_SIZE };
enum { LOOK_AFTER = 16384, EVENT_COST = 1024 };

/* --- Decoding ---------------------------------------------------------------------------------------------- */

static struct payload payload_of(struct weir_conn *conn, const struct decoded *decoded) {
    uint8_t *buffer = decoded->in_heap ? decoder_detach(&conn->decoder) : NULL;
    return (struct payload){
        .data = decoded->data, .size = decoded->size, .buffer = buffer, .opcode = decoded->opcode};
}

static void deliver(struct weir_conn *conn, struct decoded *decoded, struct payload *last) {
    if (conn_is_closing(conn))
        return; /* it crossed our Close */
    traffic_received(&conn->route->traffic, decoded->size);
    if (conn_settings(conn)->idle_timeout_ms != 0)
        atomic_store(&conn->message_at, stamp_at(pool_now()));
    if (route_never_blocks(conn->route)) {
        struct payload payload = payload_of(conn, decoded);
        conn_call_message(conn, &payload);
        payload_release(&payload);
        return;
    }
    conn_put_in_inbox(conn, last);
    *last = payload_of(conn, decoded);
}

/* Stops decoding for good. Answers with a Close, unless ours has been queued already, which then has its
 * answer. */
static void end_input(struct weir_conn *conn, unsigned code, const char *reason, bool by_peer) {
    latch_lock(&conn->latch);
    if (conn_queue_close_locked(conn, code, reason))
        conn->closed_by_peer = by_peer;
    conn_note_peer_done_locked(conn);
    latch_unlock(&conn->latch);
}

static void receive_close(struct weir_conn *conn, const struct decoded *decoded) {
    char reason[CLOSE_REASON_MAX + 1];
    if (decoded->size > 0)
        memcpy(reason, decoded->data, decoded->size);
    reason[decoded->size] = '\0';
    end_input(conn, decoded->close_code, reason, true);
}

static void take(struct weir_conn *conn, struct decoded *decoded, struct payload *last) {
    uint64_t rate = conn_settings(conn)->message_rate;
    if (rate != 0 && conn->throttle != NULL && decoded->event != DECODER_MORE)
        rate_take(&conn->throttle->messages, 1, rate, pool_now_us());
    switch (decoded->event) {
    case DECODER_MESSAGE:
        deliver(conn, decoded, last);
        break;
    case DECODER_PING:
        conn_send_control(conn, OPCODE_PONG, decoded->data, decoded->size);
        break;
    case DECODER_CLOSE:
        receive_close(conn, decoded);
        break;
    case DECODER_ERROR:
        end_input(conn, decoded->close_code, (const char *)decoded->data, false);
        break;
    case DECODER_PONG:
        conn_keepalive_pong(conn, decoded->data, decoded->size);
        break;
    case DECODER_DEFLATED: /* it crossed our Close */
    case DECODER_MORE:
        break;
    }
}

/* --- The gate ---------------------------------------------------------------------------------------------- */

enum gate { GATE_READ, GATE_CLOSING, GATE_WAIT, GATE_END };

/* Returns whether the inbox or the replies have reached their limit. */
static bool pause_for_backlog_locked(struct weir_conn *conn) {
    const struct settings *settings = conn_settings(conn);
    bool full = conn->inbox.bytes >= settings->inbox_size || conn->outbox.reply_bytes > settings->send_buffer_soft;
    bool paused = (atomic_load(&conn->pauses) & CONN_PAUSE_BACKLOG) != 0;
    if (full && !paused)
        atomic_fetch_or(&conn->pauses, CONN_PAUSE_BACKLOG);
    else if (!full && paused)
        atomic_fetch_and(&conn->pauses, (uint8_t)~CONN_PAUSE_BACKLOG);
    return full;
}

static enum gate gate_locked(struct weir_conn *conn) {
    if (conn_is_cut(conn))
        return GATE_END;
    if (conn_is_closing(conn))
        return GATE_CLOSING;
    if (!pause_for_backlog_locked(conn) && (atomic_load(&conn->pauses) & CONN_PAUSE_CHANNEL) == 0)
        return GATE_READ;
    return atomic_load(&conn->source.broken) ? GATE_END : GATE_WAIT;
}

bool conn_stop_reading(struct weir_conn *conn) {
    return (atomic_fetch_or(&conn->pauses, CONN_PAUSE_CHANNEL) & CONN_PAUSE_CHANNEL) == 0;
}

void conn_read_on(struct weir_conn *conn, struct task_list *ready) {
    atomic_fetch_and(&conn->pauses, (uint8_t)~CONN_PAUSE_CHANNEL);
    task_claim_into(&conn->source.input, ready);
}

/* Returns what the reader may do now. The first call on a closing connection starts the close timeout. */
static enum gate pass_gate(struct weir_conn *conn) {
    latch_lock(&conn->latch);
    enum gate gate = gate_locked(conn);
    latch_unlock(&conn->latch);
    if (gate != GATE_CLOSING)
        return gate;
    decoder_discard(&conn->decoder);
    uint64_t now = pool_now();
    if (!conn->close_awaited) {
        uint64_t until = now + conn_settings(conn)->close_timeout_ms;
        conn->close_awaited = true;
        conn->wake_at = stamp_at(until);
        return pool_set_timer(conn_core(conn)->pool, &conn->timer, until) == 0 ? gate : GATE_END;
    }
    return now >= stamp_time(conn->wake_at, now) ? GATE_END : gate;
}

/* Whether a draining connection has read once more and decoded everything that was read. */
static bool has_read_last(const struct weir_conn *conn) {
    return conn->read_last && conn->pending == NULL;
}

static bool rate_counts(const struct weir_conn *conn) {
    const struct settings *settings = conn_settings(conn);
    return conn->throttle != NULL && (settings->message_rate != 0 || settings->byte_rate != 0) &&
           conn_state(conn) == CONN_OPEN && !atomic_load(&conn->source.broken);
}

/* Returns false if the client must wait: throttle->until says how long. A client that is closed for exceeding its
 * rate does not wait. */
static bool is_within_rate(struct weir_conn *conn) {
    struct throttle *throttle = conn->throttle;
    if (!rate_counts(conn))
        return true;
    uint64_t now = pool_now_us();
    uint64_t wait = rate_wait(&throttle->messages, now), wait_bytes = rate_wait(&throttle->bytes, now);
    wait = wait > wait_bytes ? wait : wait_bytes;
    if (wait == 0)
        return true;
    if (conn_settings(conn)->rate_policy == RATE_CLOSE) {
        if (conn_close_here(conn, CLOSE_POLICY, "client sends too fast"))
            atomic_fetch_add(&conn_core(conn)->counters.rate_limited, 1);
        return true;
    }
    throttle->until = pool_now() + wait / 1000 + 1;
    atomic_fetch_or(&conn->pauses, CONN_PAUSE_RATE);
    return false;
}

/* --- Reading ----------------------------------------------------------------------------------------------- */

/* The state of one turn. */
struct turn_state {
    struct payload last; /* the last message, which may be handled in place after the turn */
    uint64_t began;      /* pool_now_us() */
    size_t inflated;     /* bytes that compressed messages have become in this turn */
    size_t since_look;   /* bytes handled since the last look at the clock */
    bool over;           /* others should have their turn */
};

/* Checks whether the turn is over, after an event of this size. Only the clock shows how long handling takes, and
 * reading it has a cost. */
static bool is_over(struct turn_state *state, size_t size) {
    state->since_look += EVENT_COST + size;
    if (state->since_look < LOOK_AFTER)
        return false;
    state->since_look = 0;
    state->over = pool_now_us() - state->began > CONN_TURN_US;
    return state->over;
}

/* Whether decoding may go on. One read may inflate to a thousand times its size, so the gate is checked and other
 * connections get their turn between messages. */
static bool goes_on(struct weir_conn *conn, struct turn_state *state) {
    state->over = state->over || state->inflated > INFLATED_MAX;
    return !state->over && is_within_rate(conn) && pass_gate(conn) != GATE_WAIT;
}

/* Returns whether the next event may be looked at in this turn. */
static bool take_event(struct weir_conn *conn, struct decoded *decoded, struct turn_state *state) {
    bool wanted = !conn_is_closing(conn); /* what crosses our Close is not */
    bool inflates = decoded->event == DECODER_DEFLATED && wanted;
    if (inflates)
        conn_inflate(conn, decoded);
    if (decoded->event == DECODER_MESSAGE && wanted) { /* for the access line */
        conn->messages_in++;
        conn->payload_in += decoded->size;
    }
    take(conn, decoded, &state->last);
    if (inflates)
        state->inflated += decoded->size;
    bool asks = inflates || conn_settings(conn)->message_rate != 0 ||
                (atomic_load(&conn->pauses) & CONN_PAUSE_CHANNEL) != 0;
    return !is_over(state, decoded->size) && (!asks || goes_on(conn, state));
}

/* Decodes until all is done, the peer has nothing more to say, or what is left must wait for another turn. Returns
 * the number of bytes consumed. */
static size_t decode(struct weir_conn *conn, uint8_t *bytes, size_t size, struct turn_state *state) {
    struct decoded decoded;
    size_t used = 0;
    do {
        used += decoder_feed(&conn->decoder, &conn_settings(conn)->limits, bytes + used, size - used, &decoded);
        if (!take_event(conn, &decoded, state))
            return used;
    } while (decoded.event != DECODER_MORE && conn_state(conn) < CONN_CLOSE_RECEIVED);
    return size;
}

/* Does the same for bytes that were read into the message's own memory. The decoder then frees what it has handed
 * out. */
static void decode_in_place(struct weir_conn *conn, size_t size, struct turn_state *state) {
    struct decoded decoded;
    decoder_filled(&conn->decoder, &conn_settings(conn)->limits, size, &decoded);
    take_event(conn, &decoded, state);
    if (decoded.event != DECODER_MORE)
        decoder_feed(&conn->decoder, &conn_settings(conn)->limits, NULL, 0, &decoded);
}

/* Returns false if memory is exhausted. */
static bool keep_pending(struct weir_conn *conn, const uint8_t *bytes, size_t size) {
    conn->pending = malloc(sizeof *conn->pending + size);
    if (conn->pending == NULL)
        return false;
    conn->pending->size = (uint32_t)size;
    memcpy(conn->pending->bytes, bytes, size);
    return true;
}

/* Decodes bytes of this turn or of the one before. Keeps what remains of them in conn->pending. */
static bool decode_all(struct weir_conn *conn, uint8_t *bytes, size_t size, struct turn_state *state) {
    size_t used = decode(conn, bytes, size, state);
    return used == size || keep_pending(conn, bytes + used, size - used);
}

static bool decode_pending(struct weir_conn *conn, struct turn_state *state) {
    struct pending_input *pending = conn->pending;
    conn->pending = NULL;
    bool done = decode_all(conn, pending->bytes, pending->size, state);
    conn_put_in_inbox(conn, &state->last); /* the last message may lie in there */
    free(pending);
    return done;
}

enum turn { TURN_DONE, TURN_MORE, TURN_EOF, TURN_END };

/* Reads until the socket is empty, the gate closes, or others should have their turn. With an edge-triggered
 * poller the kernel does not report the same data twice. So a short read is the last one only if no end of the
 * stream has been announced. */
static enum turn read_turn(struct weir_conn *conn, struct turn_state *state) {
    uint8_t *bytes = pool_scratch();
    for (int reads = 0; reads < TURN_READS && !state->over; reads++) {
        enum gate gate = pass_gate(conn);
        if (gate == GATE_END || gate == GATE_WAIT)
            return gate == GATE_END ? TURN_END : TURN_DONE;
        if ((gate == GATE_READ && has_read_last(conn)) || !is_within_rate(conn))
            return TURN_DONE;
        if (conn->pending != NULL) {
            if (!decode_pending(conn, state))
                return TURN_END;
            continue;
        }
        conn_put_in_inbox(conn, &state->last); /* it may lie where the next bytes go */
        size_t room = CONN_READ_SIZE;
        uint8_t *place = decoder_room(&conn->decoder, &conn_settings(conn)->limits, &room);
        bool last = conn_is_draining(conn);
        ssize_t size = conn->transport.kind->read(&conn->transport, place == NULL ? bytes : place, room);
        if (size < 0 && errno == EINTR)
            continue;
        conn->read_last = last;
        if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return TURN_DONE;
        if (size == 0)
            return TURN_EOF;
        if (size < 0)
            return TURN_END;
        conn->wire_in += (uint64_t)size;
        conn->pinged_at = STAMP_NONE; /* whatever has come, the client is alive */
        uint64_t byte_rate = conn_settings(conn)->byte_rate;
        if (byte_rate != 0 && conn->throttle != NULL)
            rate_take(&conn->throttle->bytes, (uint64_t)size, byte_rate, pool_now_us());
        if (place != NULL)
            decode_in_place(conn, (size_t)size, state);
        else if (conn_state(conn) < CONN_CLOSE_RECEIVED && !decode_all(conn, bytes, (size_t)size, state))
            return TURN_END;
        if ((size_t)size < room && conn->pending == NULL && !atomic_load(&conn->source.hangup) &&
            !conn_is_closing(conn))
            return TURN_DONE;
    }
    return TURN_MORE;
}

/* --- The end ----------------------------------------------------------------------------------------------- */

void conn_end_transport(struct weir_conn *conn) {
    latch_lock(&conn->latch);
    conn_enter_locked(conn, CONN_ENDED);
    if (conn->close_code == 0)
        conn->close_code = CLOSE_ABNORMAL;
    bool close_here = !conn->flushing;
    if (close_here)
        outbox_release(&conn->outbox);
    latch_unlock(&conn->latch);
    if (close_here)
        conn->transport.kind->close(&conn->transport);
}

/* Counts for memory_limit what the decoder, and the bytes that wait for it, hold between two turns. */
static void count_partial(struct weir_conn *conn) {
    uint32_t before = atomic_load_explicit(&conn->partial, memory_order_relaxed);
    uint32_t partial = (uint32_t)decoder_memory(&conn->decoder) + (conn->pending == NULL ? 0 : conn->pending->size);
    if (partial == before)
        return;
    atomic_store(&conn->partial, partial);
    memory_count((int64_t)partial - (int64_t)before);
    memory_limit_check(conn_core(conn));
}

static void tear_down(struct weir_conn *conn) {
    pool_unwatch(conn_core(conn)->pool, &conn->source, conn->transport.fd);
    pool_cancel_timer(conn_core(conn)->pool, &conn->timer);
    registry_remove(&conn_core(conn)->registry, conn);
    if (conn_core(conn)->on_end != NULL)
        conn_core(conn)->on_end(conn);
    decoder_release(&conn->decoder);
    free(conn->pending);
    conn->pending = NULL;
    count_partial(conn);
    conn_end_transport(conn);
    if (route_never_blocks(conn->route))
        conn_call_close(conn);
    else
        pool_submit(conn_core(conn)->pool, &conn->handler);
}

/* --- Handing on -------------------------------------------------------------------------------------------- */

/* In a drain: from here on the handler knows of everything that the reader has read. */
static void stop_if_draining(struct weir_conn *conn) {
    if (!has_read_last(conn)) /* if it drains later, the task is claimed for that */
        return;
    latch_lock(&conn->latch);
    bool drained = conn_state(conn) == CONN_DRAINING;
    if (drained)
        conn_enter_locked(conn, CONN_DRAINED);
    latch_unlock(&conn->latch);
    if (!drained)
        return;
    if (route_never_blocks(conn->route))
        conn_end_drain(conn);
    else
        pool_submit(conn_core(conn)->pool, &conn->handler);
}

static bool nothing_waits(struct weir_conn *conn) {
    latch_lock(&conn->latch);
    bool empty = inbox_is_empty(&conn->inbox);
    latch_unlock(&conn->latch);
    return empty;
}

/* Takes the handler's task and a slot for the last message. If either is not available now, the message goes to
 * the inbox. */
static bool enter_handler(struct weir_conn *conn, struct payload *last) {
    if (last->opcode == 0)
        return false;
    if (!task_begin(&conn->handler)) {
        conn_put_in_inbox(conn, last);
        return false;
    }
    if (nothing_waits(conn) && pool_enter_handler(&conn->handler))
        return true;
    conn_put_in_inbox(conn, last);
    pool_finish(conn_core(conn)->pool, &conn->handler);
    return false;
}

static void finish_turn(struct weir_conn *conn, enum turn turn, uint64_t now, struct payload *last) {
    struct pool *pool = conn_core(conn)->pool;
    conn_flush_here(conn);
    conn_keepalive(conn, now);
    if (turn == TURN_MORE)
        task_again(&conn->source.input);
    bool entered = enter_handler(conn, last);
    stop_if_draining(conn);
    pool_finish(pool, &conn->source.input);
    if (entered)
        conn_handle(conn, last);
}

/* Called when the client has shut its side. If our Close has still to leave, the flush task queues the input task
 * afterwards. */
static bool close_is_leaving(struct weir_conn *conn) {
    do {
        latch_lock(&conn->latch);
        conn_note_peer_done_locked(conn);
        latch_unlock(&conn->latch);
        conn_flush_here(conn);
    } while (conn_state(conn) == CONN_CLOSE_SENT); /* another thread has closed meanwhile */
    return conn_state(conn) == CONN_CLOSE_RECEIVED && !atomic_load(&conn->source.broken);
}

static void run_turn(struct weir_conn *conn) {
    struct turn_state state = {.began = pool_now_us()};
    pool_hold();
    conn_cork(conn);
    enum turn turn = read_turn(conn, &state);
    pool_let_go(conn_core(conn)->pool);
    count_partial(conn);
    if (turn == TURN_DONE || turn == TURN_MORE) {
        finish_turn(conn, turn, state.began / 1000, &state.last);
        return;
    }
    conn_put_in_inbox(conn, &state.last);
    if (turn == TURN_END)
        conn_drop_corked(conn);
    if (turn == TURN_END || !close_is_leaving(conn))
        tear_down(conn);
    pool_finish(conn_core(conn)->pool, &conn->source.input);
}

static void input_run(struct task *task) {
    struct weir_conn *conn = CONN_OF(task, source.input);
    if (conn_state(conn) == CONN_ENDED) {
        pool_finish(conn_core(conn)->pool, task);
        return;
    }
    if (route_never_blocks(conn->route))
        conn_call_drained(conn);
    run_turn(conn);
}

static void input_retain(struct task *task) {
    weir_conn_retain(CONN_OF(task, source.input));
}

static void input_release(struct task *task) {
    weir_conn_release(CONN_OF(task, source.input));
}

const struct task_kind conn_input_kind = {
    .queue = TASK_IO, .run = input_run, .retain = input_retain, .release = input_release};
