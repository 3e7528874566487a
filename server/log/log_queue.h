/* log_queue.h - the lines that wait to be written, bounded in bytes. Any thread puts lines in, one thread takes
 * them out, in pieces of several whole lines.
 *
 * What does not fit is dropped, and so is all that comes then until the queue is empty again: there is one gap, and
 * event=log_dropped stands in it. What could not be written counts as dropped too.
 *
 * No system call is made under its mutex, and nobody who puts a line in waits for anything else.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_LOG_LOG_QUEUE_H
#define WEIR_LOG_LOG_QUEUE_H

#include <limits.h>

#include "pool/mutex.h"
#include "server/log/log.h"
#include "server/log/log_buffer.h"

struct log_queue {
    struct mutex mutex;     /* guards all below */
    pthread_cond_t closing; /* open has become false */
    struct log_buffer buffer;
    bool open;                /* lines are taken */
    bool idle;                /* who takes them out has none and sleeps, or is about to */
    bool overflowing;         /* what comes is dropped */
    bool report_failed;       /* not to be tried again at once */
    uint64_t dropped;         /* lines that no log_dropped has told of */
    uint64_t close_at;        /* when empty, but not later than this; 0: stays open */
    _Atomic size_t unwritten; /* bytes of lines put in and not finished; read without the mutex */
};

/* What is being written. None is in hand if size is 0. */
struct log_piece {
    char bytes[PIPE_BUF];
    size_t size, written;
    uint64_t reported; /* it is a log_dropped that tells of so many; 0: it is lines */
};

/* Only the mutex is made before: the queue can be asked at any time, and is not open. -1 if memory is out. */
int log_queue_open(struct log_queue *queue, size_t capacity);

/* Once it is not open, and nobody takes lines out. */
void log_queue_release(struct log_queue *queue);

/* A line of LOG_LINE_MAX bytes at most. False if the queue is not open. *wake: who takes lines out sleeps, and has
 * to be told. */
bool log_queue_push(struct log_queue *queue, const char *line, size_t size, bool *wake);

/* Takes the next piece in hand, unless one is. Returns false if the queue is not open any more: it is empty, or it
 * took too long to become so. *timeout: for poll(), until then. */
bool log_queue_next(struct log_queue *queue, enum log_format format, struct log_piece *piece, int *timeout);

/* The piece in hand has been written; or, failed, what is not of it never will be. */
void log_queue_finish(struct log_queue *queue, struct log_piece *piece, bool failed);

void log_queue_close(struct log_queue *queue);

/* Asks it to close when it is empty, at the latest at `when`; 0: to stay open. Returns whether it is. Who takes
 * lines out has to be told. */
bool log_queue_close_at(struct log_queue *queue, uint64_t when);

/* Waits for that. False if it is still open at `until`. */
bool log_queue_wait_closed(struct log_queue *queue, uint64_t until);

/* Milliseconds of the monotonic clock. */
uint64_t log_now_ms(void);

/* Lines that all queues have dropped. */
uint64_t log_queue_lost(void);

#endif
