/* outbox.h - what waits to be sent to one connection: references to messages, in order, counted in bytes.
 *
 * No lock of its own: the connection's latch guards it, and every function here expects that lock held. Sending
 * goes on without the lock: outbox_gather() marks what is being sent, and until outbox_sent() those messages stay
 * where they are, whatever else happens. One thread at a time may be between the two.
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

/* What a message costs beside its bytes: its struct, malloc's share, its place in the ring. */
enum { OUTBOX_MESSAGE_OVERHEAD = 64 };

/* Places in the outbox itself; and, as powers of two, in the first ring and in the largest that is kept while it is
 * empty. */
enum { OUTBOX_FEW = 2, OUTBOX_ORDER_MIN = 3, OUTBOX_ORDER_KEPT = 4 };

/* All zero is an empty outbox. A ring is allocated when more than a few messages wait. A small one is kept for the
 * next time, since a client to whom messages come in bursts would have one allocated for each, and given back by
 * outbox_trim(); a larger one is given back when all messages have left. What is counted in 32 bits is bounded by
 * send_buffer_hard, which is 2 GiB at most. */
struct outbox {
    union {
        struct message *few[OUTBOX_FEW]; /* instead of a ring */
        struct message **ring;
    };
    uint32_t first, count;
    uint32_t offset;        /* bytes of the first message that have left */
    uint16_t committed;     /* of the messages from `first` on: see outbox_commit() */
    uint8_t in_flight;      /* likewise: handed out by outbox_gather() */
    uint8_t ring_order;     /* the ring has 1 << ring_order places; 0: there is none */
    uint32_t bytes;         /* of memory that the messages stand for, each until it has left whole */
    uint32_t reply_bytes;   /* of them: messages with is_reply */
    uint64_t sent_messages; /* that have left whole, text and binary alone */
    uint64_t sent_payload;  /* bytes of theirs, before compression */
    uint64_t sent_wire;     /* bytes of any kind that have left, without the 101 */
};

/* Takes over a reference of the caller's. Returns -1 if memory is out: then it is still the caller's. */
int outbox_push(struct outbox *outbox, struct message *message);

/* Moves all of `front` before what waits, of which nothing has begun to leave or is committed; a part of its first
 * message may have left. Returns -1 if memory is out: then `outbox` is as before. */
int outbox_prepend(struct outbox *outbox, struct outbox *front);

static inline bool outbox_is_empty(const struct outbox *outbox) {
    return outbox->count == 0;
}

/* Fills at most `max` vectors, which is 255 or less, with what comes next. Returns how many. */
int outbox_gather(struct outbox *outbox, struct iovec *vectors, int max);

/* After outbox_gather(): `size` bytes have left; 0 if none did. */
void outbox_sent(struct outbox *outbox, size_t size);

/* Commits the first message that is not: it will be sent, whatever is dropped. Returns it, or NULL if there is
 * none. */
struct message *outbox_commit(struct outbox *outbox);

/* Puts another message in the place of the one committed last, taking the caller's reference. */
void outbox_replace_committed(struct outbox *outbox, struct message *message);

/* Drops all that has not begun to leave: all but what is in flight, partly sent or committed. */
void outbox_drop_unsent(struct outbox *outbox);

/* Drops the oldest message that outbox_drop_unsent() would, control frames apart. Returns false if there is none.
 */
bool outbox_drop_oldest(struct outbox *outbox);

/* Gives the ring back if nothing waits. */
void outbox_trim(struct outbox *outbox);

/* Drops everything and frees the ring; what has been sent stays counted. Nothing may be in flight. */
void outbox_release(struct outbox *outbox);

#endif
