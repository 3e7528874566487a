/* summary.c - see summary.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "commands/bench/summary.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "commands/bench/report/report.h"

const char summary_limit_warning[] =
    "The tester had no time left: use --threads, or another machine; the server may be "
    "faster than this says.";

static bool is(const struct result *result, const char *scenario) {
    return strcmp(result->scenario, scenario) == 0;
}

bool summary_has_messages(const struct result *result) {
    return !is(result, "idle") && !is(result, "connect");
}

bool summary_has_answers(const struct result *result) {
    return summary_has_messages(result) && strcmp(result->expect, "none") != 0;
}

static bool any_answer_does(const struct result *result) {
    return strcmp(result->expect, "any") == 0;
}

static uint64_t count_of(const struct counts *counts, size_t count) {
    uint64_t value;
    memcpy(&value, (const char *)counts + count, sizeof value);
    return value;
}

double summary_per_second(const struct result *result, size_t count) {
    double sum = 0;
    size_t seconds = 0;
    for (size_t i = 0; i < result->interval_count; i++)
        if (result->intervals[i].measuring) {
            sum += (double)count_of(&result->intervals[i].counts, count);
            seconds++;
        }
    if (seconds > 0)
        return sum / (double)seconds;
    return result->seconds > 0 ? (double)count_of(&result->counts, count) / result->seconds : 0;
}

double summary_handshake_rate(const struct result *result) {
    uint64_t all = 0;
    for (size_t i = 0; i < result->interval_count; i++) {
        if (result->intervals[i].measuring)
            return summary_per_second(result, SUMMARY_COUNT(connected));
        all += result->intervals[i].counts.connected;
    }
    if (is(result, "connect") && result->seconds > 0)
        return (double)result->handshake.count / result->seconds;
    return result->interval_count > 0 ? (double)all / (double)result->interval_count
                                      : summary_per_second(result, SUMMARY_COUNT(connected));
}

/* --- Lists ------------------------------------------------------------------------------------------------- */

__attribute__((format(printf, 4, 5))) static void add(struct summary_line lines[SUMMARY_MAX], size_t *count,
                                                      const char *label, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    lines[*count].label = label;
    vsnprintf(lines[*count].value, SUMMARY_LINE_SIZE, format, arguments);
    va_end(arguments);
    ++*count;
}

/* Adds a size as "20 bytes" or "16 to 4,096 bytes", and what the bytes are. */
static void add_size(const struct result *result, struct summary_line lines[SUMMARY_MAX], size_t *count) {
    char low[REPORT_FIGURE_SIZE], high[REPORT_FIGURE_SIZE];
    const char *kind = result->text ? "text" : "binary", *compressed = result->compress ? ", compressed" : "";
    report_number((double)result->size_min, low);
    report_number((double)result->size_max, high);
    if (result->size_min == result->size_max)
        add(lines, count, "messages", "%s of %s bytes%s", kind, high, compressed);
    else
        add(lines, count, "messages", "%s of %s to %s bytes%s", kind, low, high, compressed);
}

static void add_load(const struct result *result, struct summary_line lines[SUMMARY_MAX], size_t *count) {
    char figure[REPORT_FIGURE_SIZE];
    if (result->rate > 0)
        add(lines, count, "rate", "%s messages/s in total", report_number(result->rate, figure));
    else if (result->window > 0)
        add(lines, count, "window",
            summary_has_answers(result) ? "%u in flight per sending client" : "%u at a time per client",
            result->window);
    add_size(result, lines, count);
    if (any_answer_does(result))
        add(lines, count, "expected", "one message for each, whatever it says");
    else if (!summary_has_answers(result))
        add(lines, count, "expected", "nothing: a message counts when it has left for the network");
}

void summary_title(const struct result *result, char title[SUMMARY_LINE_SIZE]) {
    static const struct {
        const char *scenario, *title;
    } titles[] = {{"echo", "Echo"},
                  {"rate", "Echo at a fixed rate"},
                  {"broadcast", "Broadcast"},
                  {"idle", "Idle connections"},
                  {"connect", "Opening handshakes"}};
    char figure[REPORT_FIGURE_SIZE];
    const char *what = result->scenario;
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
        if (is(result, titles[i].scenario))
            what = titles[i].title;
    if (strcmp(result->expect, "any") == 0 || strcmp(result->expect, "none") == 0)
        what = summary_has_answers(result) ? "Messages and answers" : "Messages sent";
    snprintf(title, SUMMARY_LINE_SIZE, "%s, %s client%s", what, report_number(result->clients, figure),
             result->clients == 1 ? "" : "s");
}

size_t summary_settings(const struct result *result, struct summary_line lines[SUMMARY_MAX]) {
    char figure[REPORT_FIGURE_SIZE], more[REPORT_FIGURE_SIZE], rooms[REPORT_FIGURE_SIZE];
    size_t count = 0;
    report_number(result->clients, figure);
    if (result->rooms > 1)
        add(lines, &count, "clients", "%s in %s rooms, of which %s publish", figure,
            report_number(result->rooms, rooms), report_number(result->publishers, more));
    else if (is(result, "broadcast"))
        add(lines, &count, "clients", "%s, of which %s publish", figure, report_number(result->publishers, more));
    else
        add(lines, &count, "clients", "%s", figure);
    if (result->ramp > 0)
        add(lines, &count, "connecting", "%s clients/s", report_number(result->ramp, figure));
    if (summary_has_messages(result))
        add_load(result, lines, &count);
    report_duration(result->duration * 1e9, figure);
    if (result->warmup > 0)
        add(lines, &count, "duration", "%s after %s of warm-up", figure,
            report_duration(result->warmup * 1e9, more));
    else
        add(lines, &count, "duration", "%s", figure);
    return count;
}

size_t summary_tester(const struct result *result, struct summary_line lines[SUMMARY_MAX]) {
    char figure[REPORT_FIGURE_SIZE];
    size_t count = 0;
    if (result->host[0] != '\0')
        add(lines, &count, "host", "%s", result->host);
    if (result->system[0] != '\0')
        add(lines, &count, "system", "%s", result->system);
    if (result->processor[0] != '\0')
        add(lines, &count, "processor", "%u x %s", result->processors, result->processor);
    if (result->memory_bytes > 0)
        add(lines, &count, "memory", "%s", report_bytes((double)result->memory_bytes, figure));
    if (result->processes > 1)
        add(lines, &count, "tester", "%u threads in %u processes", result->threads, result->processes);
    else
        add(lines, &count, "tester", "%u thread%s", result->threads, result->threads == 1 ? "" : "s");
    double processors = result->seconds > 0 ? result->cpu_seconds / result->seconds : 0;
    add(lines, &count, "CPU used", "%.2f processors; the busiest thread had work %.0f %% of the time", processors,
        result->busiest * 100);
    if (result->resident_bytes > 0)
        add(lines, &count, "memory used", "%s", report_bytes((double)result->resident_bytes, figure));
    return count;
}

size_t summary_errors(const struct result *result, struct error_count error_counts[SUMMARY_MAX]) {
    size_t count = 0;
    error_counts[count++] = (struct error_count){"failed", result->counts.failed};
    error_counts[count++] = (struct error_count){"dropped", result->counts.dropped};
    if (!summary_has_messages(result))
        return count;
    error_counts[count++] =
        (struct error_count){summary_has_answers(result) ? "missing" : "unsent", result->missing};
    if (summary_has_answers(result))
        error_counts[count++] = (struct error_count){any_answer_does(result) ? "surplus" : "wrong", result->wrong};
    if (is(result, "broadcast"))
        error_counts[count++] = (struct error_count){"out of order", result->out_of_order};
    if (result->rooms > 1)
        error_counts[count++] = (struct error_count){"unexpected", result->unexpected};
    if (result->rate > 0)
        error_counts[count++] = (struct error_count){"late", result->late};
    return count;
}

/* --- The verdict ------------------------------------------------------------------------------------------- */

static size_t append(char text[SUMMARY_VERDICT_SIZE], size_t size, const char *more) {
    int written = snprintf(text + size, SUMMARY_VERDICT_SIZE - size, "%s", more);
    size_t all = size + (size_t)(written > 0 ? written : 0);
    return all < SUMMARY_VERDICT_SIZE ? all : SUMMARY_VERDICT_SIZE - 1;
}

/* Describes one kind of error, as in "3 connections dropped". */
static void describe_error(const struct error_count *error_count, char *text, size_t size) {
    static const struct {
        const char *label, *one, *many;
    } words[] = {
        {"failed", "handshake failed", "handshakes failed"},
        {"dropped", "connection dropped", "connections dropped"},
        {"missing", "message missing", "messages missing"},
        {"unsent", "message never sent", "messages never sent"},
        {"wrong", "message changed on its way", "messages changed on their way"},
        {"surplus", "message more than was sent", "messages more than were sent"},
        {"out of order", "message out of order", "messages out of order"},
        {"unexpected", "message that came to another room", "messages that came to another room"},
        {"late", "message not sent, for want of a connection or of time",
         "messages not sent, for want of a connection or of time"},
    };
    char figure[REPORT_FIGURE_SIZE];
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i].label, error_count->label) == 0)
            snprintf(text, size, "%s %s", report_number((double)error_count->count, figure),
                     error_count->count == 1 ? words[i].one : words[i].many);
}

/* Describes everything that went wrong, in one sentence. False if nothing did. */
static bool describe_errors(const struct result *result, char text[SUMMARY_VERDICT_SIZE]) {
    struct error_count error_counts[SUMMARY_MAX];
    size_t count = summary_errors(result, error_counts), size = 0;
    for (size_t i = 0; i < count; i++)
        if (error_counts[i].count > 0) {
            char words[96] = "";
            describe_error(&error_counts[i], words, sizeof words);
            size = append(text, size, size > 0 ? ", " : "");
            size = append(text, size, words);
        }
    append(text, size, size > 0 ? "." : "");
    return size > 0;
}

static const char *praise(const struct result *result) {
    if (is(result, "idle"))
        return "Every client connected and stayed.";
    if (is(result, "connect"))
        return "Every handshake succeeded.";
    if (result->rooms > 1)
        return "Every message was delivered to every client in its room and to no other client, unchanged and in "
               "order.";
    if (any_answer_does(result))
        return "Every message was answered.";
    if (!summary_has_answers(result))
        return "Every message was sent. What the server made of them is not known.";
    return is(result, "broadcast") ? "Every message was delivered to everybody, unchanged and in order."
                                   : "Every message came back, unchanged.";
}

bool summary_verdict(const struct result *result, char text[SUMMARY_VERDICT_SIZE]) {
    bool error_count = describe_errors(result, text);
    if (result->counts.connected == 0) {
        append(text, append(text, 0, error_count ? "No client connected: " : "No client connected."),
               error_count ? result->first_error[0] != '\0' ? result->first_error : "every handshake failed." : "");
        return false;
    }
    if (error_count)
        return false;
    if (summary_has_answers(result) && result->counts.received == 0) {
        append(text, 0, "No message came back while measuring.");
        return false;
    }
    if (summary_has_messages(result) && result->counts.sent == 0) {
        append(text, 0, "No message was sent while measuring.");
        return false;
    }
    append(text, 0, praise(result));
    return true;
}
