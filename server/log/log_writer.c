/* log_writer.c - the thread that writes the log. It takes lines from the queue, waits for room in its output, and
 * opens the file again on request. A process has one.
 *
 * A thread that logs only copies a line into the queue, and wakes this thread if it is idle. The eventfd is never
 * closed, because a signal handler may use it at any time.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/log/log_writer.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "server/log/log_line.h"
#include "server/log/log_output.h"
#include "server/log/log_queue.h"

enum { STOP_MS = 1000, HANG_MS = 200 /* after STOP_MS: it hangs in a write */, DIRECT_MS = 100, FLUSH_STEP_MS = 2 };

static struct {
    struct mutex life; /* one start or stop at a time; guards the next three */
    unsigned users;    /* log_start() calls without their log_stop() */
    bool has_thread;   /* `thread` has not been joined yet */
    pthread_t thread;

    void (*sink)(const char *line, size_t size, void *context); /* NULL: lines go to `output`; changed only while */
    void *sink_context;                                         /* there is no thread */

    struct log_output output; /* only for the thread */
    struct log_piece piece;   /* only for the thread */

    struct log_queue queue;
    _Atomic enum log_format format;
    _Atomic int wake_event; /* 0: not made yet */
    _Atomic bool reopen;    /* log_reopen() has been called */
} writer = {.life = MUTEX_INITIALIZER(LOG_LIFE_LOCK_RANK), .queue = {.mutex = MUTEX_INITIALIZER(LOG_LOCK_RANK)}};

/* --- For any thread ---------------------------------------------------------------------------------------- */

enum log_format log_writer_format(void) {
    return atomic_load_explicit(&writer.format, memory_order_relaxed);
}

static void log_writer_wake(void) {
    int event = atomic_load(&writer.wake_event);
    if (event > 0)
        eventfd_write(event, 1);
}

/* Writes a line without the thread. Before each write it waits for room, but at most 100 ms. */
static void log_writer_write_direct(int fd, const char *line, size_t size) {
    struct pollfd room = {.fd = fd, .events = POLLOUT};
    while (size > 0) {
        ssize_t result = poll(&room, 1, DIRECT_MS);
        if (result > 0)
            result = write(fd, line, size);
        if (result == 0 || (result < 0 && errno != EINTR && errno != EAGAIN))
            return; /* the failure cannot be reported anywhere */
        line += result < 0 ? 0 : result;
        size -= result < 0 ? 0 : (size_t)result;
    }
}

void log_writer_take(const char *line, size_t size) {
    bool sleeps;
    bool queued = log_queue_push(&writer.queue, line, size, &sleeps);
    if (!queued && writer.sink != NULL)
        writer.sink(line, size - 1, writer.sink_context);
    else if (!queued)
        log_writer_write_direct(STDERR_FILENO, line, size);
    else if (sleeps)
        log_writer_wake();
}

void log_flush(unsigned milliseconds) {
    int error = errno;
    uint64_t end = log_now_ms() + milliseconds;
    while (atomic_load(&writer.queue.unwritten) > 0 && log_now_ms() < end)
        poll(NULL, 0, FLUSH_STEP_MS);
    errno = error;
}

void log_writer_end_with(const char *line, size_t size) {
    log_flush(STOP_MS);
    log_writer_write_direct(writer.has_thread ? writer.output.fd : STDERR_FILENO, line, size);
}

void log_reopen(void) {
    int error = errno;
    atomic_store(&writer.reopen, true);
    log_writer_wake();
    errno = error;
}

/* --- The thread -------------------------------------------------------------------------------------------- */

static void log_writer_reopen(void) {
    const char *path = writer.output.path;
    if (path == NULL)
        return;
    int error = log_output_reopen(&writer.output) == 0 ? 0 : errno;
    struct log_line line;
    if (!log_enabled(LOG_SERVER, error == 0 ? LOG_INFO : LOG_ERROR))
        return;
    log_line_make(&line, log_writer_format(), error == 0 ? LOG_INFO : LOG_ERROR, "log_reopen", 0,
                  LOG_FIELDS(LOG_TEXT("file", path), LOG_TEXT("error", error == 0 ? NULL : strerror(error))));
    log_writer_take(line.bytes, line.size);
}

static void log_writer_write_piece(struct log_piece *piece) {
    long written = log_output_write(&writer.output, piece->bytes + piece->written, piece->size - piece->written);
    piece->written += written < 0 ? 0 : (size_t)written;
    if (written < 0 && piece->written > 0)
        writer.output.torn = piece->bytes[piece->written - 1] != '\n';
    if (written < 0 || piece->written == piece->size)
        log_queue_finish(&writer.queue, piece, written < 0);
}

/* A piece has whole lines. */
static void log_writer_pass_piece(struct log_piece *piece) {
    for (const char *line = piece->bytes, *end = line + piece->size; line < end;) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        writer.sink(line, (size_t)(newline - line), writer.sink_context);
        line = newline + 1;
    }
    log_queue_finish(&writer.queue, piece, false);
}

static void *log_writer_write_lines(void *argument) {
    (void)argument;
    struct log_piece *piece = &writer.piece;
    for (int timeout; log_queue_next(&writer.queue, log_writer_format(), piece, &timeout);) {
        if (piece->written == 0 && atomic_exchange(&writer.reopen, false)) { /* never within a line */
            log_writer_reopen();
            continue;
        }
        if (piece->size > 0 && writer.sink != NULL) {
            log_writer_pass_piece(piece);
            continue;
        }
        struct pollfd events[] = {{.fd = atomic_load(&writer.wake_event), .events = POLLIN},
                                  {.fd = writer.output.fd, .events = POLLOUT}};
        eventfd_t count;
        poll(events, piece->size > 0 ? 2 : 1, timeout);
        if (events[0].revents != 0)
            eventfd_read(events[0].fd, &count);
        if (piece->size > 0 && events[1].revents != 0)
            log_writer_write_piece(piece);
    }
    return NULL;
}

/* --- Life -------------------------------------------------------------------------------------------------- */

static int log_writer_fail(const char *what, int why, char *error, size_t error_size) {
    snprintf(error, error_size, "log: %s: %s", what, strerror(why));
    return -1;
}

static void log_writer_join(void) {
    pthread_join(writer.thread, NULL);
    writer.has_thread = false;
    log_output_close(&writer.output);
    log_queue_release(&writer.queue);
}

static int log_writer_make_wake_event(void) {
    if (atomic_load(&writer.wake_event) > 0)
        return 0;
    int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (event < 0)
        return -1;
    atomic_store(&writer.wake_event, event);
    return 0;
}

static int log_writer_start_thread(const struct log_options *options) {
    if (log_queue_open(&writer.queue, options->buffer) != 0)
        return ENOMEM;
    atomic_store(&writer.format, options->format);
    atomic_store(&writer.reopen, false);
    writer.piece.size = writer.piece.written = 0;
    int error = pthread_create(&writer.thread, NULL, log_writer_write_lines, NULL);
    writer.has_thread = error == 0;
    if (error == 0)
        return 0;
    log_queue_close(&writer.queue);
    log_queue_release(&writer.queue);
    return error;
}

static int log_writer_start(const struct log_options *options, char *error, size_t error_size) {
    if (writer.has_thread && log_queue_close_at(&writer.queue, 0))
        return 0; /* a stop left the thread behind, and it still runs: it goes on with its old options */
    if (writer.has_thread)
        log_writer_join();
    if (log_writer_make_wake_event() != 0)
        return log_writer_fail("cannot create an eventfd", errno, error, error_size);
    if (log_output_open(&writer.output, options->file) != 0)
        return log_writer_fail(options->file, errno, error, error_size);
    int cause = log_writer_start_thread(options);
    if (cause == 0)
        return 0;
    log_output_close(&writer.output);
    return log_writer_fail("cannot start the log thread", cause, error, error_size);
}

static void log_writer_stop(void) {
    uint64_t end = log_now_ms() + STOP_MS;
    log_queue_close_at(&writer.queue, end);
    log_writer_wake();
    if (log_queue_wait_closed(&writer.queue, end + HANG_MS))
        log_writer_join();
}

void log_set_sink(void (*take)(const char *line, size_t size, void *context), void *context) {
    mutex_lock(&writer.life);
    if (writer.users == 0) {
        writer.sink = take;
        writer.sink_context = context;
    }
    mutex_unlock(&writer.life);
}

int log_start(const struct log_options *options, char *error, size_t error_size) {
    mutex_lock(&writer.life);
    int result = writer.users > 0 ? 0 : log_writer_start(options, error, error_size);
    writer.users += result == 0;
    mutex_unlock(&writer.life);
    return result;
}

void log_stop(void) {
    mutex_lock(&writer.life);
    if (writer.users > 0 && --writer.users == 0)
        log_writer_stop();
    mutex_unlock(&writer.life);
}

uint64_t log_lost(void) {
    return log_queue_lost();
}
