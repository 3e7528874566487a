/* log.c - one logfmt line per event to stderr, one write() each.
 *
 * Any thread may log: a line is put together on the stack and there is no lock. Lines of different threads do not
 * mix, and on a pipe neither, because a line is at most PIPE_BUF long; what is longer is cut and says so. Nothing
 * is buffered here, and a reader that does not read stalls who logs.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/log/log.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "server/proto/utf8.h"

static enum log_level threshold = LOG_INFO;

void log_set_level(enum log_level level) {
    threshold = level;
}

bool log_enabled(enum log_level level) {
    return level <= threshold;
}

/* --- Quoting ----------------------------------------------------------------------------------------------- */

enum { UNIT_MAX = 4 };

/* The size of the character that text begins with, if it is one that may stand in a log as it is: valid UTF-8, no
 * control character (C1 ones too: U+009B starts an escape sequence). Else 0. */
static size_t plain_size(const char *text) {
    unsigned char lead = (unsigned char)text[0];
    if (lead < 0x80)
        return lead >= ' ' && lead != 0x7F && lead != '"' && lead != '\\';
    size_t size = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    bool control = lead == 0xC2 && (unsigned char)text[1] < 0xA0;
    return !control && strnlen(text, size) == size && utf8_valid((const uint8_t *)text, size) ? size : 0;
}

/* Takes one character, or one byte that is none, from *text and writes how it is logged. Returns the size of that.
 */
static size_t take_unit(const char **text, char unit[UNIT_MAX + 1]) {
    static const char escaped[] = "\"\\\n\r\t", letters[] = "\"\\nrt";
    size_t size = plain_size(*text);
    if (size > 0) {
        memcpy(unit, *text, size);
        *text += size;
        return size;
    }
    char byte = *(*text)++;
    const char *known = strchr(escaped, byte);
    return (size_t)(known != NULL ? snprintf(unit, UNIT_MAX + 1, "\\%c", letters[known - escaped])
                                  : snprintf(unit, UNIT_MAX + 1, "\\x%02x", (unsigned char)byte));
}

static bool is_bare(const char *text) {
    const char *at = text;
    for (size_t size; *at != '\0'; at += size)
        if (*at == ' ' || *at == '=' || (size = plain_size(at)) == 0)
            return false;
    return at > text;
}

char *log_quote(const char *text, char *quoted, size_t size) {
    size_t quote = is_bare(text) ? 0 : 1;
    if (size <= 2 * quote) {
        if (size > 0)
            *quoted = '\0';
        return quoted;
    }
    size_t room = size - 1 - 2 * quote;
    char *out = quoted;
    if (quote)
        *out++ = '"';
    while (*text != '\0') {
        char unit[UNIT_MAX + 1];
        size_t unit_size = take_unit(&text, unit);
        if (unit_size > room)
            break;
        memcpy(out, unit, unit_size);
        out += unit_size;
        room -= unit_size;
    }
    if (quote)
        *out++ = '"';
    *out = '\0';
    return quoted;
}

/* --- Lines ------------------------------------------------------------------------------------------------- */

static const char cut_mark[] = "\" truncated=yes";

/* A line at most, its end and what marks a cut one. */
enum { LINE_SIZE = PIPE_BUF, TEXT_SIZE = LINE_SIZE - (int)sizeof cut_mark - 1 };

static size_t write_head(char *line, enum log_level level, const char *event, unsigned suppressed) {
    static const char *const names[] = {"error", "warning", "info", "debug"};
    struct timespec now;
    struct tm utc;
    char date[32], left_out[32] = "";
    if (suppressed > 0)
        snprintf(left_out, sizeof left_out, " suppressed=%u", suppressed);
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc);
    int size = snprintf(line, TEXT_SIZE, "time=%s.%03ldZ level=%s event=%s%s", date, now.tv_nsec / 1000000,
                        names[level], event, left_out);
    return size < TEXT_SIZE ? (size_t)size : TEXT_SIZE - 1;
}

/* Whether a cut at the end of text[0..*size) is inside a value in quotes. Takes off half an escape there. */
static bool inside_quotes(const char *text, size_t *size) {
    bool inside = false;
    for (size_t i = 0; i < *size; i++) {
        if (text[i] == '"')
            inside = !inside;
        if (text[i] != '\\' || !inside)
            continue;
        size_t escape = i + 1 < *size && text[i + 1] == 'x' ? 4 : 2;
        if (escape > *size - i)
            *size = i;
        i += escape - 1;
    }
    return inside;
}

/* Takes off half a character at the end. */
static size_t whole_characters(const char *text, size_t size) {
    size_t last = size;
    while (last > 0 && ((unsigned char)text[last - 1] & 0xC0) == 0x80)
        last--;
    if (last > 0 && (unsigned char)text[last - 1] >= 0xC0)
        last--;
    return utf8_valid((const uint8_t *)text + last, size - last) ? size : last;
}

/* The pairs were quoted value by value; what a careless caller left in them must still not begin a new line. */
static void blank_controls(char *text, size_t size) {
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7F)
            text[i] = ' ';
}

static size_t mark_cut(char *line, size_t size) {
    bool inside = inside_quotes(line, &size);
    size = whole_characters(line, size);
    const char *mark = inside ? cut_mark : cut_mark + 1;
    memcpy(line + size, mark, strlen(mark));
    return size + strlen(mark);
}

static void write_whole(const char *line, size_t size) {
    while (size > 0) {
        ssize_t written = write(STDERR_FILENO, line, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return; /* there is nowhere to say so */
        line += written;
        size -= (size_t)written;
    }
}

static void write_line(enum log_level level, const char *event, unsigned suppressed, const char *format,
                       va_list arguments) __attribute__((format(printf, 4, 0)));

static void write_line(enum log_level level, const char *event, unsigned suppressed, const char *format,
                       va_list arguments) {
    int saved = errno;
    char line[LINE_SIZE];
    size_t head = write_head(line, level, event, suppressed), size = head;
    line[size++] = ' ';
    int wanted = vsnprintf(line + size, TEXT_SIZE - size, format, arguments);
    bool cut = wanted >= 0 && (size_t)wanted >= TEXT_SIZE - size;
    size = wanted <= 0 ? head : cut ? TEXT_SIZE - 1 : size + (size_t)wanted;
    blank_controls(line, size);
    if (cut)
        size = mark_cut(line, size);
    line[size++] = '\n';
    write_whole(line, size);
    errno = saved;
}

void log_event(enum log_level level, const char *event, const char *format, ...) {
    if (!log_enabled(level))
        return;
    va_list arguments;
    va_start(arguments, format);
    write_line(level, event, 0, format, arguments);
    va_end(arguments);
}

/* --- Rates ------------------------------------------------------------------------------------------------- */

enum { LIMIT_MS = 1000 };

bool log_limit_pass(struct log_limit *limit, uint64_t now_ms, unsigned *suppressed) {
    uint64_t next = limit->next_ms;
    if (now_ms < next || !atomic_compare_exchange_strong(&limit->next_ms, &next, now_ms + LIMIT_MS)) {
        limit->suppressed++;
        return false;
    }
    *suppressed = atomic_exchange(&limit->suppressed, 0);
    return true;
}

static uint64_t monotonic_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void log_event_limited(struct log_limit *limit, enum log_level level, const char *event, const char *format, ...) {
    unsigned suppressed;
    if (!log_enabled(level) || !log_limit_pass(limit, monotonic_ms(), &suppressed))
        return;
    va_list arguments;
    va_start(arguments, format);
    write_line(level, event, suppressed, format, arguments);
    va_end(arguments);
}
