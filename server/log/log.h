/* log.h - writes one line for each event, in logfmt or JSON: time, level, event, then named fields.
 *
 *     log_event(LOG_ACCESS, LOG_INFO, "close",
 *               LOG_FIELDS(LOG_NUMBER("conn", conn->id), LOG_TEXT("reason", reason)));
 *
 * Any thread may log, under any lock, and none waits for the reader of the log. Between log_start() and log_stop(),
 * lines go into a bounded buffer, which a thread of the log empties. Lines that do not fit are dropped and counted.
 * Before and after, lines are written to stderr at once. The log belongs to the process, however many servers it
 * runs.
 *
 * All texts are escaped here. Never log message contents or query strings.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_LOG_LOG_H
#define WEIR_LOG_LOG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

/* Each event belongs to one subsystem. */
enum log_subsystem {
    LOG_SERVER, /* start, stop, configuration, lack of resources, the log itself */
    LOG_HTTP,   /* requests that did not become connections */
    LOG_CONN,   /* connections while they are open */
    LOG_ACCESS, /* one line for each connection, when it is over */
    LOG_SUBSYSTEMS
};

enum log_format { LOG_LOGFMT, LOG_JSON };

/* --- Events ------------------------------------------------------------------------------------------------ */

struct log_field {
    const char *name; /* NULL ends a list */
    enum { LOG_FIELD_TEXT, LOG_FIELD_NUMBER, LOG_FIELD_COUNT, LOG_FIELD_BOOLEAN } type;
    const char *text;
    uint64_t number;
};

/* A text, cut at LOG_TEXT_MAX bytes of escaped text. If it is NULL, the field is left out. */
#define LOG_TEXT(field, value)                                                                                     \
    { .name = (field), .type = LOG_FIELD_TEXT, .text = (value) }
#define LOG_NUMBER(field, value)                                                                                   \
    { .name = (field), .type = LOG_FIELD_NUMBER, .number = (value) }
/* A number; if it is 0, the field is left out. */
#define LOG_COUNT(field, value)                                                                                    \
    { .name = (field), .type = LOG_FIELD_COUNT, .number = (value) }
/* A boolean: yes or no in logfmt, true or false in JSON. */
#define LOG_BOOLEAN(field, value)                                                                                  \
    { .name = (field), .type = LOG_FIELD_BOOLEAN, .number = (value) }

#define LOG_FIELDS(...) ((const struct log_field[]){__VA_ARGS__, {.name = NULL}})

enum { LOG_TEXT_MAX = 512 };

/* Logs an event if its level is enabled for the subsystem. Keeps errno. */
void log_event(enum log_subsystem subsystem, enum log_level level, const char *event,
               const struct log_field *fields);

/* A limit for lines that clients can cause at will: at most one line per second. Define it as a static variable,
 * all zero, where the line is logged. */
struct log_limit {
    _Atomic uint64_t next_ms; /* no line is written before this time */
    _Atomic unsigned suppressed;
};

/* Logs an event as log_event() does, unless the limit suppresses it. The next line that is written has the number
 * of suppressed ones: suppressed=N. */

void log_event_limited(struct log_limit *limit, enum log_subsystem subsystem, enum log_level level,
                       const char *event, const struct log_field *fields);

/* Returns true if a line may be written at `now_ms` (milliseconds of a monotonic clock), and stores how many were
 * suppressed since the last one. Returns false, and counts the line, if it may not. */
bool log_limit_pass(struct log_limit *limit, uint64_t now_ms, unsigned *suppressed);

/* Writes the last line of a process that a signal ends, whatever the level. It first waits, at most a second, until
 * the lines before it are written. For the signal's handler: it takes no lock and allocates nothing. */
void log_last_event(const char *event, const struct log_field *fields);

/* --- Levels, at any time ------------------------------------------------------------------------------------- */

/* Sets the level of every subsystem. */
void log_set_level(enum log_level level);

/* Sets the level of one subsystem. */
void log_set_subsystem_level(enum log_subsystem subsystem, enum log_level level);

/* Returns true if the subsystem logs events of this level. */
bool log_enabled(enum log_subsystem subsystem, enum log_level level);

/* --- The writer ---------------------------------------------------------------------------------------------- */

/* Ranks above those of all other locks, because a thread may log while it holds any of them. */
enum { LOG_LIFE_LOCK_RANK = 39, LOG_LOCK_RANK = 40 };

struct log_options {
    enum log_format format;
    const char *file; /* appended to; created with mode 0640 if it does not exist; NULL: stderr */
    size_t buffer;    /* most bytes of lines that wait to be written */
};

/* From now on passes each line, without its newline, to `take` instead of writing it; NULL: writes again. Lines go
 * to the log's thread first; before log_start() and after log_stop(), the thread that logs calls `take` itself.
 * Call this while the log is not started. */
void log_set_sink(void (*take)(const char *line, size_t size, void *context), void *context);

/* Starts the log's buffer and thread. Returns 0, or -1 with one line in `error`. If the log has been started
 * already, this is only counted: its options stay as they are, and the last log_stop() ends it. */
int log_start(const struct log_options *options, char *error, size_t error_size);

/* Writes the waiting lines, for a second at most, and ends the thread. If it hangs in a write, it is left behind.
 */
void log_stop(void);

/* Waits until everything logged so far is written, at most `milliseconds`. Safe in a signal handler. */
void log_flush(unsigned milliseconds);

/* Asks the thread to open the log file again, after another program has renamed it; no line is lost. If the file
 * cannot be opened, the old one stays in use, and an event says so. Does nothing if the log goes to stderr. Safe in
 * a signal handler. */
void log_reopen(void);

/* Returns the number of lines dropped since the process started. */
uint64_t log_lost(void);

#endif
