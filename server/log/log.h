/* log.h - one line for each event, for people (logfmt) or machines (JSON): time, level, event, then named fields.
 *
 *     log_event(LOG_ACCESS, LOG_INFO, "close",
 *               LOG_FIELDS(LOG_NUMBER("conn", conn->id), LOG_TEXT("reason", reason)));
 *
 * Any thread, under any lock: nobody waits for whoever reads the log. Between log_start() and log_stop() lines go
 * into a bounded buffer that a thread of its own empties, and what does not fit is dropped and counted; before and
 * after, they are written to stderr at once. All this belongs to the process, however many servers it runs.
 *
 * Texts are escaped here, whoever supplied them. No message contents, no query strings.
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

/* Each event belongs to one. */
enum log_subsystem {
    LOG_SERVER, /* start, stop, configuration, what the machine lacks, the log itself */
    LOG_HTTP,   /* requests that did not become connections */
    LOG_CONN,   /* connections while they live */
    LOG_ACCESS, /* a line for each connection, when it is over */
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

/* A text of which at most LOG_TEXT_MAX bytes are logged, as they come out escaped; NULL: the field is left out. */
#define LOG_TEXT(field, value)                                                                                     \
    { .name = (field), .type = LOG_FIELD_TEXT, .text = (value) }
#define LOG_NUMBER(field, value)                                                                                   \
    { .name = (field), .type = LOG_FIELD_NUMBER, .number = (value) }
/* Likewise, left out if it is 0. */
#define LOG_COUNT(field, value)                                                                                    \
    { .name = (field), .type = LOG_FIELD_COUNT, .number = (value) }
/* yes or no in logfmt, true or false in JSON. */
#define LOG_BOOLEAN(field, value)                                                                                  \
    { .name = (field), .type = LOG_FIELD_BOOLEAN, .number = (value) }

#define LOG_FIELDS(...) ((const struct log_field[]){__VA_ARGS__, {.name = NULL}})

enum { LOG_TEXT_MAX = 512 };

void log_event(enum log_subsystem subsystem, enum log_level level, const char *event,
               const struct log_field *fields);

/* For lines that clients can cause at will: at most one a second for each limit, which is static where the line is
 * logged and begins as zero. The next line says how many were left out since the last: suppressed=N. */
struct log_limit {
    _Atomic uint64_t next_ms; /* nothing is written before */
    _Atomic unsigned suppressed;
};

void log_event_limited(struct log_limit *limit, enum log_subsystem subsystem, enum log_level level,
                       const char *event, const struct log_field *fields);

/* Whether a line may be written now (milliseconds of a clock that never goes back), and how many were not. */
bool log_limit_pass(struct log_limit *limit, uint64_t now_ms, unsigned *suppressed);

/* The last line of a process that dies of a signal: the lines before it are written first, for a second at most,
 * then this one, whatever the level. For the handler of that signal: it takes no lock and no memory. */
void log_last_event(const char *event, const struct log_field *fields);

/* --- Levels, at any time ------------------------------------------------------------------------------------- */

void log_set_level(enum log_level level); /* of every subsystem */
void log_set_subsystem_level(enum log_subsystem subsystem, enum log_level level);
bool log_enabled(enum log_subsystem subsystem, enum log_level level);

/* --- The writer ---------------------------------------------------------------------------------------------- */

/* Higher than any other: a thread may log whatever it holds. */
enum { LOG_LIFE_LOCK_RANK = 39, LOG_LOCK_RANK = 40 };

struct log_options {
    enum log_format format;
    const char *file; /* appended to, made with mode 0640 if there is none; NULL: stderr */
    size_t buffer;    /* bytes of lines that may wait to be written */
};

/* Begins to buffer. Returns 0; or -1 with one line in `error`. Where the log has been started already, this only
 * counts: what it was started with stays in force, and it ends with the last log_stop(). */
int log_start(const struct log_options *options, char *error, size_t error_size);

/* Writes what waits, for a second at most, and ends the thread; one that hangs in a write is left behind. */
void log_stop(void);

/* Waits until what has been logged is written, for so long at most. Safe in a signal handler. */
void log_flush(unsigned milliseconds);

/* Opens the file anew, soon, so that another program may have renamed it; nothing is lost. If it cannot be opened,
 * the old one stays in use and an event says so. Nothing happens with stderr. Safe in a signal handler. */
void log_reopen(void);

/* Lines that were dropped, since the process began. */
uint64_t log_lost(void);

#endif
