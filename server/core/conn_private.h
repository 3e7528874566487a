/* conn_private.h - what the files of a connection (conn*.c) call of each other. Functions ending in _locked expect
 * the connection's mutex held.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CORE_CONN_PRIVATE_H
#define WEIR_CORE_CONN_PRIVATE_H

#include "server/core/conn.h"
#include "server/core/payload.h"

extern const struct task_kind conn_input_kind, conn_flush_kind, conn_handler_kind;

/* How long one connection may occupy a thread of the pool while others wait, as far as its work can be divided. */
enum { CONN_TURN_US = 1000 };

/* The connection that a member is part of. */
#define CONN_OF(pointer, member) ((struct weir_conn *)((char *)(pointer)-offsetof(struct weir_conn, member)))

/* --- conn_state.c --- */

/* The only function that changes the state. The change must be one that conn_state.h draws. */
void conn_enter_locked(struct weir_conn *conn, enum conn_state next);

/* Nothing can leave any more: CONN_CUT or CONN_CLOSE_CUT. The caller must make the input task run. */
void conn_cut_locked(struct weir_conn *conn);

static inline bool conn_is_cut(const struct weir_conn *conn) {
    enum conn_state state = conn_state(conn);
    return state == CONN_CUT || state == CONN_CLOSE_CUT;
}

/* The client has nothing more to say: its Close, the end of its stream or invalid data has come. Does nothing if
 * we have not closed. */
void conn_note_peer_done_locked(struct weir_conn *conn);

/* An open connection begins to drain. The caller must make the input task run. */
void conn_begin_drain_locked(struct weir_conn *conn);

/* --- conn_text.c --- */

/* The bytes that the strings of a request take. */
size_t conn_text_size(const struct conn_request *request);

/* All strings but the user's name must end within the range of a conn_text. The head of a request, 16 KiB at most
 * in civetweb, can contribute half of that: its path, and the same again as parameters. The parameters' names
 * depend on the configuration. */
bool conn_text_fits(const struct conn_request *request);

void conn_text_fill(struct weir_conn *conn, const struct conn_request *request);

/* The headers in one block. Returns NULL if memory is exhausted. */
char *conn_text_copy_headers(const struct conn_request *request);

/* The bytes of its strings that count in memory_limit. */
size_t conn_text_memory(const struct weir_conn *conn);

void conn_drop_headers(struct weir_conn *conn);

/* --- conn_send.c --- */

/* Queues a Pong or another control frame. */
void conn_send_control(struct weir_conn *conn, uint8_t opcode, const void *payload, size_t size);

/* --- conn_close.c --- */

/* Queues a Close after what waits, and stores code and reason for the close callback. Returns false, and does
 * nothing, if the connection is already closing. The caller must make the flush task run. */
bool conn_queue_close_locked(struct weir_conn *conn, unsigned code, const char *reason);

/* Ends a drain: everything that the client has sent is handled. */
void conn_end_drain(struct weir_conn *conn);

/* Closes with this code and reason, which must be valid. Returns false if the connection is already closing. */
bool conn_close_here(struct weir_conn *conn, unsigned code, const char *reason);

/* --- conn_deflate.c --- */

/* Whether a payload of this size is worth compressing. */
bool conn_is_compressible(size_t threshold, size_t size);

/* Returns the message compressed for clients that use this window. Returns NULL if it must go plain: window_bits
 * is 0, the message is too small or does not shrink, or memory is exhausted. */
struct message *conn_deflate(size_t threshold, unsigned window_bits, uint8_t opcode, const void *data, size_t size);

/* The window for messages that the sending thread compresses; 0: it compresses none. */
unsigned conn_send_bits(const struct weir_conn *conn);

/* Called by the flush task before outbox_fill_vectors(). With context takeover, compresses what is to leave next.
 * Returns how many messages may be sent, `max` at most. May release the mutex meanwhile. */
int conn_commit_locked(struct weir_conn *conn, int max);

/* Called by the input task. Inflates the message of a DECODER_DEFLATED event. */
void conn_inflate(struct weir_conn *conn, struct decoded *decoded);

void conn_release_zlib_state(struct weir_conn *conn);

/* --- conn_backlog.c --- */

/* To be called before a message is added. Returns false if it cannot be added: the client is being closed, or
 * loses the message. */
bool conn_make_room_locked(struct weir_conn *conn, const struct message *message);

/* To be called after the outbox has grown (ready is NULL) or shrunk. Claims the task that calls `drained` when
 * that is due. */
void conn_note_backlog_locked(struct weir_conn *conn, struct task_list *ready);

/* Whether `drained` must be called now. Clears the flag. */
bool conn_takes_drained(struct weir_conn *conn);

/* The memory that the connection holds, as memory_limit counts it; 0 if it is already closing. */
size_t conn_memory(struct weir_conn *conn);

/* The memory that a closing connection holds until its end. For a disconnected one, also what it holds until the
 * current write returns. */
size_t conn_memory_leaving(struct weir_conn *conn);

/* Closes the connection because of memory_limit, and drops what it has waiting. Returns whether it did. */
bool conn_close_for_memory(struct weir_conn *conn, struct task_list *ready);

/* --- conn_cork.c --- */

struct cork; /* corked replies, in memory of the thread */

/* To be called at the beginning of a turn of the input task. If the handler never blocks, its replies to this
 * connection on this thread are corked from now on. conn_flush_here() or conn_drop_corked() must follow. */
void conn_cork(struct weir_conn *conn);

/* Whether replies have been corked. If so, this thread has the flush task. */
bool conn_has_corked(const struct weir_conn *conn);

/* To be called before this thread puts anything in the outbox. */
void conn_stop_corking(const struct weir_conn *conn);

/* Returns false if this message must go to the outbox. */
bool conn_cork_reply(struct weir_conn *conn, uint8_t opcode, const void *data, size_t size);

size_t conn_corked_size(const struct weir_conn *conn);

/* Ends the corking. Returns the replies to send, or NULL if there are none. They remain valid until the run
 * ends. */
struct cork *conn_uncork(const struct weir_conn *conn);

/* Writes the replies, without the lock. Returns 0, or the errno of the write. */
int conn_send_corked(struct weir_conn *conn, struct cork *cork, size_t *sent);

/* To be called after conn_send_corked(). Puts what the socket has not taken at the front of the outbox. */
void conn_account_corked_locked(struct weir_conn *conn, const struct cork *cork, size_t sent);

/* Ends the corking and gives the flush task back, without sending anything. */
void conn_drop_corked(struct weir_conn *conn);

/* --- conn_flush.c --- */

/* Makes one write, without the lock; called by the thread that has the flush task. Records the result, and if
 * there was no room, asks the poller to report when there is. Returns 0, or the errno of the write. */
int conn_write(struct weir_conn *conn, struct iovec *vectors, int count, size_t *sent);

/* Sends what waits on this thread, unless another thread is doing so or will. */
void conn_flush_here(struct weir_conn *conn);

/* --- conn_gate.c --- */

/* Claims the tasks that were paused and may continue. The handler may when the replies have fallen to half of
 * their limit; the input, when half of the inbox is free as well. To be called whenever either has shrunk. */
void conn_resume_locked(struct weir_conn *conn, struct task_list *ready);

/* --- conn_end.c --- */

/* Marks the end and closes the transport. If a thread is sending at the moment, that thread closes the
 * transport. */
void conn_end_transport(struct weir_conn *conn);

/* --- conn_keepalive.c, in the input task --- */

/* Starts the clocks of a new connection. Returns -1 if memory is exhausted. */
int conn_keepalive_start(struct weir_conn *conn);

/* To be called after a turn of reading. Pings, times out and resets the timer, each if it is due. */
void conn_keepalive(struct weir_conn *conn, uint64_t now);

/* Handles a Pong: records the round trip if it answers our last ping. */
void conn_keepalive_pong(struct weir_conn *conn, const void *payload, size_t size);

/* --- conn_handler.c --- */

/* True while a callback of this connection runs on this thread, which will flush when the callback returns. False
 * once the callback has stalled. */
bool conn_is_handling_here(const struct weir_conn *conn);

/* The message whose callback runs on this thread, as one to send without a copy. Returns NULL if the given message
 * is another one, or is not in a buffer. */
struct message *conn_wrap_current(uint8_t opcode, const void *data, size_t size);

/* These call back on this thread, which holds the task that owns the callbacks. */
void conn_call_open(struct weir_conn *conn);
void conn_call_drained(struct weir_conn *conn);                          /* if it is due */
void conn_call_message(struct weir_conn *conn, struct payload *payload); /* may take the payload's buffer */
void conn_call_close(struct weir_conn *conn); /* also logs the end, and releases the living connection's
                                                 reference */

/* Puts a message, if there is one, into the inbox and queues the handler task. If memory is exhausted, the
 * connection fails. Leaves *payload empty. */
void conn_put_in_inbox(struct weir_conn *conn, struct payload *payload);

/* Runs a turn of the handler task, with a permit: open if it is due, `first` if there is one, what waits in the
 * inbox, close if it is due. Ends with pool_finish(). */
void conn_handle(struct weir_conn *conn, struct payload *first);

#endif
