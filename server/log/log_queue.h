/* log_queue.h - the lines that wait to be written, bounded in bytes. Any thread puts lines in. One thread, the
 * writer, takes them out, in pieces of several whole lines.
 *
 * A line that does not fit is dropped, and so are all lines after it until the queue is empty again. So there is
 * one gap, and event=log_dropped stands in it. Lines that could not be written count as dropped too.
 *
 * No system call is made under the mutex, and a thread that puts a line in waits for nothing but the mutex.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_LOG_LOG_QUEUE_H
#define WEIR_LOG_LOG_QUEUE_H

#include <limits.h>

#include "base/mutex.h"
#include "server/log/log.h"
#include "server/log/log_buffer.h"

struct log_queue {
    struct mutex mutex;     /* guards all below */
    pthread_cond_t closing; /* open has become false */
    struct log_buffer buffer;
    bool open;                /* the queue accepts lines */
    bool idle;                /* the writer has no lines and sleeps, or is about to */
    bool overflowing;         /* new lines are dropped */
    bool report_failed;       /* a log_dropped could not be written; the next piece is lines */
    uint64_t dropped;         /* dropped lines that no log_dropped has reported yet */
    uint64_t close_at;        /* closes when empty, but not later than this (log_now_ms()); 0: stays open */
    _Atomic size_t unwritten; /* bytes of lines put in and not finished; read without the mutex */
};

/* The bytes that the writer is writing; none if `size` is 0. */
struct log_piece {
    char bytes[PIPE_BUF];
    size_t size, written;
    uint64_t reported; /* dropped lines that this log_dropped reports; 0: the piece is lines */
};

/* Opens a queue of `capacity` bytes. Its mutex must be initialised before, because lines may be pushed at any time,
 * also while the queue is not open. Returns 0, or -1 if memory is out. */
int log_queue_open(struct log_queue *queue, size_t capacity);

/* Frees the queue's memory. The queue must not be open, and the writer must have ended. */
void log_queue_release(struct log_queue *queue);

/* Puts a line in, with its newline, of at most LOG_LINE_MAX bytes, or drops it. Returns false if the queue is not
 * open. Sets *wake to true if the writer sleeps and the caller must wake it. Any thread. */
bool log_queue_push(struct log_queue *queue, const char *line, size_t size, bool *wake);

/* Stores the next bytes to write in *piece, unless it still has some. Returns false if the queue is not open any
 * more, because it is empty or has not become so in time. *timeout is for poll(): milliseconds until close_at, or
 * -1. For the writer. */
bool log_queue_next(struct log_queue *queue, enum log_format format, struct log_piece *piece, int *timeout);

/* Ends a piece: it has been written; or, if `failed`, the rest of it never will be. For the writer. */
void log_queue_finish(struct log_queue *queue, struct log_piece *piece, bool failed);

/* Closes the queue at once. */
void log_queue_close(struct log_queue *queue);

/* Makes the queue close when it is empty, at the latest at `when` (log_now_ms()); 0: makes it stay open. Returns
 * whether it is open now. The caller must wake the writer. */
bool log_queue_close_at(struct log_queue *queue, uint64_t when);

/* Waits until the queue is closed. Returns false if it is still open at `until` (log_now_ms()). */
bool log_queue_wait_closed(struct log_queue *queue, uint64_t until);

/* Returns the monotonic clock's time in milliseconds. */
uint64_t log_now_ms(void);

/* Returns the number of lines that all queues have dropped. */
uint64_t log_queue_lost(void);

#endif
