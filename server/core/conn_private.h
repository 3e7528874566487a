/* conn_private.h - what the files of a connection (conn*.c) call of each other.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CORE_CONN_PRIVATE_H
#define WEIR_CORE_CONN_PRIVATE_H

#include "server/core/conn.h"

extern const struct task_kind conn_input_kind, conn_flush_kind, conn_handler_kind;

/* How long one connection may have a thread of the pool while others wait, as far as it can be divided. */
enum { CONN_TURN_US = 1000 };

/* The conn that a member is part of. */
#define CONN_OF(pointer, member) ((struct weir_conn *)((char *)(pointer)-offsetof(struct weir_conn, member)))

/* --- conn.c --- */

/* Bytes of its strings that count in memory_limit. */
size_t conn_text_memory(const struct weir_conn *conn);

void conn_drop_headers(struct weir_conn *conn);

/* --- conn_send.c --- */

/* Queues a Pong or another control frame. */
void conn_send_control(struct weir_conn *conn, uint8_t opcode, const void *payload, size_t size);

/* Queues a Close, after what waits, and remembers code and reason for the close callback. Does nothing on a
 * connection that is closing. The caller has to get the flush going. */
bool conn_queue_close_locked(struct weir_conn *conn, unsigned code, const char *reason);

/* The end of a drain: all that the client has said is handled. */
void conn_end_drain(struct weir_conn *conn);

/* Closes with this code and reason, which are known to be good. False if the connection is closing already. */
bool conn_close_here(struct weir_conn *conn, unsigned code, const char *reason);

/* --- conn_deflate.c --- */

/* Whether a payload of this size is worth compressing. */
bool conn_is_compressible(size_t threshold, size_t size);

/* The message compressed for clients that want this window; NULL if it goes plain: window_bits is 0, it is too
 * small or gains nothing, or memory is out. */
struct message *conn_deflate(size_t threshold, unsigned window_bits, uint8_t opcode, const void *data, size_t size);

/* The window for what is compressed when it is sent; 0: nothing is. */
unsigned conn_send_bits(const struct weir_conn *conn);

/* In the flush task, before outbox_gather(): with context takeover, compresses what is to leave next. Returns how
 * many messages may be gathered, `max` at most. */
int conn_commit_locked(struct weir_conn *conn, int max);

/* In the input task: what a DECODER_DEFLATED stands for. */
void conn_inflate(struct weir_conn *conn, struct decoded *decoded);

void conn_release_streams(struct weir_conn *conn);

/* --- conn_backlog.c --- */

/* Before a message is added. False if it cannot be: the client is being closed, or loses it. */
bool conn_make_room_locked(struct weir_conn *conn, const struct message *message);

/* After the outbox has become more (ready is NULL) or less: claims the task that calls `drained` when it is due. */
void conn_note_backlog_locked(struct weir_conn *conn, struct task_list *ready);

/* Whether `drained` is to be called now. */
bool conn_takes_drained(struct weir_conn *conn);

/* What it has in memory, as memory_limit counts; 0 if it is closing already. */
size_t conn_memory(struct weir_conn *conn);

/* What one that is closing holds until its end, or one that has been disconnected until the write under way
 * returns. */
size_t conn_memory_leaving(struct weir_conn *conn);

/* Closes it for the sake of memory_limit, and drops what it has waiting. Returns whether it did. */
bool conn_shed(struct weir_conn *conn, struct task_list *ready);

/* --- conn_replies.c --- */

struct replies; /* what has been gathered: memory of the thread */

/* At the beginning of a turn of the input task: if the handler never blocks, what it sends to this connection on
 * this thread is gathered from now on. One of conn_flush_here() and conn_drop_gathered() has to follow. */
void conn_gather(struct weir_conn *conn);

/* Whether something has been: then the flush task is this thread's. */
bool conn_is_gathering(const struct weir_conn *conn);

/* Before this thread puts something in the outbox. */
void conn_stop_gathering(const struct weir_conn *conn);

/* False if this message has to go to the outbox. */
bool conn_gather_reply(struct weir_conn *conn, uint8_t opcode, const void *data, size_t size);

size_t conn_gathered_size(const struct weir_conn *conn);

/* Ends the gathering. Returns what there is to send, NULL if that is nothing; it stays until the run ends. */
struct replies *conn_take_gathered(const struct weir_conn *conn);

/* Writes it, without the lock. Returns 0, or the write's errno. */
int conn_send_gathered(struct weir_conn *conn, struct replies *replies, size_t *sent);

/* Afterwards: what the socket has not taken waits in front of the outbox. */
void conn_settle_gathered_locked(struct weir_conn *conn, const struct replies *replies, size_t sent);

/* Ends the gathering, gives the flush task back, and sends nothing. */
void conn_drop_gathered(struct weir_conn *conn);

/* --- conn_flush.c --- */

/* One write, without the lock, by the thread that has the flush task: notes how it went, and asks the poller to
 * tell when there is room again if there was none. Returns 0, or its errno. */
int conn_write(struct weir_conn *conn, struct iovec *vectors, int count, size_t *sent);

/* Claims what was paused and may go on: the handler when half of the replies that are too many have left, the input
 * when half of the inbox is free besides. To be called whenever either has become less. */
void conn_resume_locked(struct weir_conn *conn, struct task_list *ready);

/* Sends what waits, in place, unless another thread is at it or will be. */
void conn_flush_here(struct weir_conn *conn);

/* --- conn_input.c --- */

/* Marks the end and closes the transport, or leaves that to the thread that is just sending. */
void conn_end_transport(struct weir_conn *conn);

/* --- conn_keepalive.c, in the input task --- */

/* Starts the clocks of a new connection. -1 if memory is out. */
int conn_keepalive_start(struct weir_conn *conn);

/* After a turn of reading: pings, times out, and sets the timer anew, each if it is due. */
void conn_keepalive(struct weir_conn *conn, uint64_t now);

/* A Pong: the round trip, if it answers our last ping. */
void conn_keepalive_pong(struct weir_conn *conn, const void *payload, size_t size);

/* --- conn_handler.c --- */

/* True while a callback of this connection runs on this thread, which will flush it when the callback returns. */
bool conn_is_handling_here(const struct weir_conn *conn);

/* The very message whose callback runs on this thread, as one to send, without a copy; NULL if this is another, or
 * if it is not in a buffer. */
struct message *conn_message_in_hand(uint8_t opcode, const void *data, size_t size);

/* A message that lies in the reader's memory, or in the heap. */
struct held_message {
    const uint8_t *data; /* NULL with heap NULL and size 0: an empty one */
    uint8_t *heap;       /* data, if the buffer (buffer.h) goes along */
    size_t size;
    uint8_t opcode; /* 0: none is held */
};

/* Calls back on this thread, which holds the task that owns the callbacks. */
void conn_call_open(struct weir_conn *conn);
void conn_call_drained(struct weir_conn *conn); /* if it is due */
/* `buffer` is NULL, or data, if that is a buffer (buffer.h). True if the buffer has been taken over. */
bool conn_call_message(struct weir_conn *conn, uint8_t opcode, const uint8_t *data, size_t size, uint8_t *buffer);
void conn_call_close(struct weir_conn *conn); /* logs the end, and gives up the living connection's reference */

/* Puts a message, if one is held, into the inbox and queues the handler task; if memory is out the connection
 * fails. Leaves *held empty. */
void conn_hold(struct weir_conn *conn, struct held_message *held);

/* A turn of the handler task, in a slot: open if it is due, `first` if there is one, what waits in the inbox, close
 * if it is due. Ends with pool_finish(). */
void conn_handle(struct weir_conn *conn, struct held_message *first);

#endif
