/* log_line.c - see log_line.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/log/log_line.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "server/log/log_escape.h"

enum { TIME_TEXT_SIZE = 160 };

static const char *const ends[] = {
    [LOG_LOGFMT] = "\n",
    [LOG_JSON] = "}\n",
};
static const char *const cut_ends[] = {
    [LOG_LOGFMT] = " truncated=yes\n",
    [LOG_JSON] = ",\"truncated\":true}\n",
};

/* Returns how many bytes a field may still take. */
static size_t log_line_room_of(const struct log_line *line) {
    return LOG_LINE_MAX - line->size - strlen(cut_ends[line->format]);
}

/* Appends bytes. Returns false if there is no room. */
static bool log_line_append(struct log_line *line, const char *bytes, size_t size) {
    if (size > log_line_room_of(line))
        return false;
    memcpy(line->bytes + line->size, bytes, size);
    line->size += size;
    return true;
}

static bool log_line_append_text(struct log_line *line, const char *text) {
    return log_line_append(line, text, strlen(text));
}

static bool log_line_append_name(struct log_line *line, const char *name) {
    if (line->format == LOG_JSON)
        return log_line_append_text(line, line->size > 1 ? ",\"" : "\"") && log_line_append_text(line, name) &&
               log_line_append_text(line, "\":");
    return log_line_append_text(line, line->size > 0 ? " " : "") && log_line_append_text(line, name) &&
           log_line_append_text(line, "=");
}

/* Appends a text, cut to the room that is left. Returns false if there is not even room for one byte in quotes. */
static bool log_line_append_escaped(struct log_line *line, const char *text) {
    const char *quote = line->format == LOG_JSON || !log_is_bare(text) ? "\"" : "";
    size_t room = log_line_room_of(line), quotes = 2 * strlen(quote);
    if (room < quotes + 1)
        return false;
    room = room - quotes < LOG_TEXT_MAX ? room - quotes : LOG_TEXT_MAX;
    log_line_append_text(line, quote);
    line->size += log_escape(line->format, text, line->bytes + line->size, room, &line->truncated);
    return log_line_append_text(line, quote);
}

static bool log_line_append_value(struct log_line *line, const struct log_field *field) {
    bool json = line->format == LOG_JSON;
    char number[24];
    switch (field->type) {
    case LOG_FIELD_TEXT:
        return log_line_append_escaped(line, field->text);
    case LOG_FIELD_BOOLEAN:
        return log_line_append_text(line, field->number != 0 ? (json ? "true" : "yes") : (json ? "false" : "no"));
    case LOG_FIELD_NUMBER:
    case LOG_FIELD_COUNT:
        break;
    }
    snprintf(number, sizeof number, "%" PRIu64, field->number);
    return log_line_append_text(line, number);
}

void log_line_add(struct log_line *line, const struct log_field *field) {
    if ((field->type == LOG_FIELD_TEXT && field->text == NULL) ||
        (field->type == LOG_FIELD_COUNT && field->number == 0))
        return;
    size_t before = line->size;
    if (log_line_append_name(line, field->name) && log_line_append_value(line, field))
        return;
    line->size = before;
    line->truncated = true;
}

static void log_line_add_text(struct log_line *line, const char *name, const char *text) {
    const struct log_field field = LOG_TEXT(name, text);
    log_line_add(line, &field);
}

/* Writes the time in UTC. It does not use gmtime_r(), which takes a lock that a crash in the C library may have
 * left locked. Days are counted from 1 March of the year 0, so that a leap day is the last day of its year. */
static void log_line_write_time(char time_text[TIME_TEXT_SIZE], const struct timespec *time) {
    long seconds = time->tv_sec % 86400, days = time->tv_sec / 86400 + 719468;
    long era = days / 146097, day = days % 146097; /* an era has 400 years */
    long year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    day -= 365 * year + year / 4 - year / 100;
    long month = (5 * day + 2) / 153; /* 0 is March */
    snprintf(time_text, TIME_TEXT_SIZE, "%04ld-%02ld-%02ldT%02ld:%02ld:%02ld.%03ldZ",
             era * 400 + year + (month >= 10), month < 10 ? month + 3 : month - 9, day - (153 * month + 2) / 5 + 1,
             seconds / 3600, seconds / 60 % 60, seconds % 60, time->tv_nsec / 1000000);
}

void log_line_begin(struct log_line *line, enum log_format format, const struct timespec *time,
                    enum log_level level, const char *event) {
    static const char *const names[] = {"error", "warning", "info", "debug"};
    char time_text[TIME_TEXT_SIZE];
    log_line_write_time(time_text, time);
    line->format = format;
    line->truncated = false;
    line->size = 0;
    if (format == LOG_JSON)
        log_line_append_text(line, "{");
    log_line_add_text(line, "time", time_text);
    log_line_add_text(line, "level", names[level]);
    log_line_add_text(line, "event", event);
}

void log_line_end(struct log_line *line) {
    const char *end = (line->truncated ? cut_ends : ends)[line->format];
    memcpy(line->bytes + line->size, end, strlen(end));
    line->size += strlen(end);
}

void log_line_make(struct log_line *line, enum log_format format, enum log_level level, const char *event,
                   unsigned suppressed, const struct log_field *fields) {
    struct timespec now;
    const struct log_field left_out = LOG_COUNT("suppressed", suppressed);
    clock_gettime(CLOCK_REALTIME, &now);
    log_line_begin(line, format, &now, level, event);
    log_line_add(line, &left_out);
    for (; fields->name != NULL; fields++)
        log_line_add(line, fields);
    log_line_end(line);
}
