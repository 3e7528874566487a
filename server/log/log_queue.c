/* log_queue.c - see log_queue.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/log/log_queue.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "server/log/log_line.h"

uint64_t log_now_ms(void) {
    return clock_ms();
}

/* Lines dropped since the process started. */
static _Atomic uint64_t lost;

uint64_t log_queue_lost(void) {
    return atomic_load(&lost);
}

/* --- In ---------------------------------------------------------------------------------------------------- */

static void log_queue_push_locked(struct log_queue *queue, const char *line, size_t size) {
    mutex_check_held(&queue->mutex);
    if (!queue->overflowing && log_buffer_push(&queue->buffer, line, size)) {
        atomic_fetch_add(&queue->unwritten, size);
        return;
    }
    queue->overflowing = true;
    queue->dropped++;
    atomic_fetch_add(&lost, 1);
}

bool log_queue_push(struct log_queue *queue, const char *line, size_t size, bool *wake) {
    mutex_lock(&queue->mutex);
    bool open = queue->open;
    if (open)
        log_queue_push_locked(queue, line, size);
    *wake = open && queue->idle;
    queue->idle = false;
    mutex_unlock(&queue->mutex);
    return open;
}

/* --- Out --------------------------------------------------------------------------------------------------- */

static void log_queue_make_report_locked(const struct log_queue *queue, enum log_format format,
                                         struct log_piece *piece) {
    struct timespec now;
    struct log_line line;
    const struct log_field count = LOG_NUMBER("count", queue->dropped);
    clock_gettime(CLOCK_REALTIME, &now);
    log_line_begin(&line, format, &now, LOG_WARNING, "log_dropped");
    log_line_add(&line, &count);
    log_line_end(&line);
    memcpy(piece->bytes, line.bytes, line.size);
    piece->size = line.size;
    piece->reported = queue->dropped;
}

/* Stores the next bytes to write. A gap is reported where it is: after the lines before it. */
static void log_queue_take_locked(struct log_queue *queue, enum log_format format, struct log_piece *piece) {
    mutex_check_held(&queue->mutex);
    piece->reported = 0;
    piece->written = 0;
    if (queue->buffer.size == 0)
        queue->overflowing = false;
    if (queue->dropped > 0 && !queue->overflowing && !queue->report_failed)
        log_queue_make_report_locked(queue, format, piece);
    else
        piece->size = log_buffer_take(&queue->buffer, piece->bytes, sizeof piece->bytes);
    queue->report_failed = false;
}

static void log_queue_close_locked(struct log_queue *queue) {
    mutex_check_held(&queue->mutex);
    queue->open = false;
    pthread_cond_broadcast(&queue->closing);
}

bool log_queue_next(struct log_queue *queue, enum log_format format, struct log_piece *piece, int *timeout) {
    mutex_lock(&queue->mutex);
    uint64_t now = queue->close_at == 0 ? 0 : log_now_ms();
    if (piece->size == 0)
        log_queue_take_locked(queue, format, piece);
    queue->idle = piece->size == 0;
    if (queue->close_at != 0 && (piece->size == 0 || now >= queue->close_at))
        log_queue_close_locked(queue);
    bool open = queue->open;
    *timeout = queue->close_at == 0 ? -1 : (int)(queue->close_at - now);
    mutex_unlock(&queue->mutex);
    return open;
}

static void log_queue_count_lost_locked(struct log_queue *queue, const struct log_piece *piece) {
    uint64_t lines = 0;
    for (size_t i = piece->written; i < piece->size; i++)
        lines += piece->bytes[i] == '\n';
    queue->dropped += lines;
    atomic_fetch_add(&lost, lines);
}

void log_queue_finish(struct log_queue *queue, struct log_piece *piece, bool failed) {
    mutex_lock(&queue->mutex);
    if (piece->reported > 0) {
        queue->dropped -= failed ? 0 : piece->reported;
        queue->report_failed = failed;
    } else {
        if (failed)
            log_queue_count_lost_locked(queue, piece);
        atomic_fetch_sub(&queue->unwritten, piece->size);
    }
    mutex_unlock(&queue->mutex);
    piece->size = piece->written = 0;
}

/* --- Life -------------------------------------------------------------------------------------------------- */

int log_queue_open(struct log_queue *queue, size_t capacity) {
    struct log_buffer buffer;
    if (log_buffer_init(&buffer, capacity) != 0)
        return -1;
    mutex_condition_init(&queue->closing);
    mutex_lock(&queue->mutex);
    queue->buffer = buffer;
    queue->open = true;
    queue->idle = queue->overflowing = queue->report_failed = false;
    queue->dropped = queue->close_at = 0;
    mutex_unlock(&queue->mutex);
    return 0;
}

void log_queue_release(struct log_queue *queue) {
    log_buffer_release(&queue->buffer);
    pthread_cond_destroy(&queue->closing);
    atomic_store(&queue->unwritten, 0);
}

void log_queue_close(struct log_queue *queue) {
    mutex_lock(&queue->mutex);
    log_queue_close_locked(queue);
    mutex_unlock(&queue->mutex);
}

bool log_queue_close_at(struct log_queue *queue, uint64_t when) {
    mutex_lock(&queue->mutex);
    queue->close_at = when;
    bool open = queue->open;
    mutex_unlock(&queue->mutex);
    return open;
}

bool log_queue_wait_closed(struct log_queue *queue, uint64_t until) {
    mutex_lock(&queue->mutex);
    while (queue->open && mutex_wait_until(&queue->closing, &queue->mutex, until))
        continue;
    bool closed = !queue->open;
    mutex_unlock(&queue->mutex);
    return closed;
}
