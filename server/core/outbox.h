/* outbox.h - what waits to be sent to one connection: references to messages, in order, counted in bytes.
 *
 * It has no lock of its own: the connection's mutex guards it, and every function here expects that lock held.
 * Sending goes on without the lock. outbox_fill_vectors() marks what is being sent, and those messages stay where
 * they are until outbox_sent(), whatever else happens. Only one thread at a time may be between the two calls.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CORE_OUTBOX_H
#define WEIR_CORE_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "server/core/message.h"

/* The cost of a message in addition to its bytes: its struct, malloc's overhead, its cell in the ring. */
enum { OUTBOX_MESSAGE_OVERHEAD = 64 };

/* OUTBOX_FEW: cells in the outbox itself. The others are powers of two: cells in the first ring, and in the
 * largest ring that is kept while it is empty. */
enum { OUTBOX_FEW = 2, OUTBOX_ORDER_MIN = 3, OUTBOX_ORDER_KEPT = 4 };

/* All zero is an empty outbox. A ring is allocated when more than OUTBOX_FEW messages wait. A small ring is kept
 * until outbox_trim(), because a client that gets its messages in bursts would otherwise need a new one for each
 * burst. A larger ring is freed when all messages have left. The 32-bit counts are bounded by send_buffer_hard,
 * which is 2 GiB at most. */
struct outbox {
    union {
        struct message *few[OUTBOX_FEW]; /* used while there is no ring */
        struct message **ring;
    };
    uint32_t first, count;
    uint32_t offset;        /* bytes of the first message that have left */
    uint16_t committed;     /* number of messages from `first` on that are committed: see outbox_commit() */
    uint8_t in_flight;      /* number of messages from `first` on that outbox_fill_vectors() has handed out */
    uint8_t ring_order;     /* the ring has 1 << ring_order cells; 0: there is no ring */
    uint32_t bytes;         /* memory that the messages stand for, each until it has left completely */
    uint32_t reply_bytes;   /* the part of it that belongs to messages with is_reply */
    uint64_t sent_messages; /* text and binary messages that have left completely */
    uint64_t sent_payload;  /* their bytes, before compression */
    uint64_t sent_wire;     /* bytes of any kind that have left, without the 101 */
};

/* Adds a message, and takes over one of the caller's references. Returns -1 if memory is exhausted: then the
 * caller still has it. */
int outbox_push(struct outbox *outbox, struct message *message);

/* Moves all of `front` before what waits. Nothing that waits may have begun to leave or be committed; a part of
 * `front`'s first message may have left. Returns -1 if memory is exhausted: then `outbox` is unchanged. */
int outbox_prepend(struct outbox *outbox, struct outbox *front);

static inline bool outbox_is_empty(const struct outbox *outbox) {
    return outbox->count == 0;
}

/* Fills at most `max` vectors, 255 or fewer, with what is sent next. Returns how many it filled. */
int outbox_fill_vectors(struct outbox *outbox, struct iovec *vectors, int max);

/* To be called after outbox_fill_vectors(): `size` bytes have left, which may be 0. */
void outbox_sent(struct outbox *outbox, size_t size);

/* Commits the first message that is not committed: it will be sent, whatever is dropped. Returns it, or NULL if
 * there is none. */
struct message *outbox_commit(struct outbox *outbox);

/* Replaces the message that was committed last, taking the caller's reference. */
void outbox_replace_committed(struct outbox *outbox, struct message *message);

/* Drops every message that has not begun to leave: all except those in flight, partly sent or committed. */
void outbox_drop_unsent(struct outbox *outbox);

/* Drops the oldest message that outbox_drop_unsent() would drop, except control frames. Returns false if there is
 * none. */
bool outbox_drop_oldest(struct outbox *outbox);

/* Frees the ring if nothing waits. */
void outbox_trim(struct outbox *outbox);

/* Drops everything and frees the ring. What has been sent stays counted. Nothing may be in flight. */
void outbox_release(struct outbox *outbox);

#endif
