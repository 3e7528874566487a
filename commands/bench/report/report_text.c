/* report_text.c - writes a result as a table for a terminal of 80 columns.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <string.h>

#include "commands/bench/report/report.h"
#include "commands/bench/summary.h"

enum { LABEL_WIDTH = 14, WIDTH = 79 };

void report_put_safely(const char *text, FILE *out) {
    while (*text != '\0') {
        const char *begin = text;
        if (summary_character(&text) == 0xfffd)
            fputc('?', out);
        else
            fwrite(begin, 1, (size_t)(text - begin), out);
    }
}

static void put_label(const char *label, FILE *out) {
    fprintf(out, "  %-*s", LABEL_WIDTH, label);
}

static void put_fact(const char *label, const char *value, FILE *out) {
    put_label(label, out);
    report_put_safely(value, out);
    fputc('\n', out);
}

static void put_facts(const struct summary_line *lines, size_t count, FILE *out) {
    for (size_t i = 0; i < count; i++)
        put_fact(lines[i].label, lines[i].value, out);
}

void report_put_sentence(const char *text, FILE *out) {
    for (size_t column = 0; *text != '\0';) {
        size_t size = strcspn(text, " ");
        char word[SUMMARY_VERDICT_SIZE];
        snprintf(word, sizeof word, "%.*s", (int)size, text);
        if (column > 0)
            fputc(column + 1 + size > WIDTH ? '\n' : ' ', out);
        column = column > 0 && column + 1 + size <= WIDTH ? column + 1 + size : size;
        report_put_safely(word, out);
        text += size + (text[size] != '\0');
    }
    fputc('\n', out);
}

/* Prints "  by cause      2 timed out, 1 connection refused", broken at the end of a line. */
static void put_causes(const struct result *result, FILE *out) {
    char figure[REPORT_FIGURE_SIZE];
    size_t column = 0;
    for (unsigned cause = 0; cause < WEIR_CLIENT_CAUSES; cause++) {
        if (result->failures[cause] == 0)
            continue;
        const char *name = result_cause_name(cause);
        report_number((double)result->failures[cause], figure);
        size_t size = strlen(figure) + 1 + strlen(name);
        if (column > 0)
            fputc(',', out);
        if (column > 0 && column + 2 + size < WIDTH) {
            column += 2;
            fputc(' ', out);
        } else {
            fputs(column > 0 ? "\n" : "", out);
            put_label(column > 0 ? "" : "by cause", out);
            column = 2 + LABEL_WIDTH;
        }
        column += size;
        fprintf(out, "%s %s", figure, name);
    }
    if (column > 0)
        fputc('\n', out);
}

static void put_connections(const struct result *result, FILE *out) {
    char figure[REPORT_FIGURE_SIZE], duration[REPORT_FIGURE_SIZE];
    put_label("connected", out);
    fprintf(out, "%12s", report_number((double)result->counts.connected, figure));
    if (strcmp(result->scenario, "connect") == 0)
        fprintf(out, "  %s/s", report_number(summary_handshake_rate(result), figure));
    else if (result->counts.connected > 0)
        fprintf(out, "  within %s", report_duration(result->connect_seconds * 1e9, duration));
    fputc('\n', out);
}

static void put_errors(const struct result *result, FILE *out) {
    struct error_count error_counts[SUMMARY_MAX];
    size_t count = summary_errors(result, error_counts);
    char figure[REPORT_FIGURE_SIZE];
    for (size_t i = 0; i < count; i++) {
        put_label(error_counts[i].label, out);
        fprintf(out, "%12s\n", report_number((double)error_counts[i].count, figure));
    }
    put_causes(result, out);
    if (result->first_error[0] != '\0')
        put_fact("first error", result->first_error, out);
}

static void put_traffic(const char *label, uint64_t messages, double rate, uint64_t bytes, double bytes_rate,
                        FILE *out) {
    char statistics[4][REPORT_FIGURE_SIZE];
    put_label(label, out);
    fprintf(out, "%15s%15s%14s%14s/s\n", report_number((double)messages, statistics[0]),
            report_number(rate, statistics[1]), report_bytes((double)bytes, statistics[2]),
            report_bytes(bytes_rate, statistics[3]));
}

static void put_messages(const struct result *result, FILE *out) {
    put_label("", out);
    fprintf(out, "%15s%15s%14s%16s\n", "messages", "per second", "payload", "per second");
    put_traffic("sent", result->counts.sent, summary_per_second(result, SUMMARY_COUNT(sent)),
                result->counts.sent_bytes, summary_per_second(result, SUMMARY_COUNT(sent_bytes)), out);
    put_traffic("received", result->counts.received, summary_per_second(result, SUMMARY_COUNT(received)),
                result->counts.received_bytes, summary_per_second(result, SUMMARY_COUNT(received_bytes)), out);
    fputc('\n', out);
}

static void put_latency(const char *label, const struct histogram *histogram, FILE *out) {
    static const double percents[] = {50, 90, 99, 99.9};
    char figure[REPORT_FIGURE_SIZE];
    put_label(label, out);
    if (histogram->count == 0) {
        fputs(" nothing was measured\n", out);
        return;
    }
    fprintf(out, "%9s", report_duration((double)histogram->minimum, figure));
    fprintf(out, "%9s", report_duration(histogram_mean(histogram), figure));
    for (size_t i = 0; i < sizeof percents / sizeof *percents; i++)
        fprintf(out, "%9s", report_duration((double)histogram_percentile(histogram, percents[i]), figure));
    fprintf(out, "%9s\n", report_duration((double)histogram->maximum, figure));
}

static void put_latencies(const struct result *result, FILE *out) {
    put_label("", out);
    fprintf(out, "%9s%9s%9s%9s%9s%9s%9s\n", "min", "mean", "p50", "p90", "p99", "p99.9", "max");
    if (summary_has_answers(result))
        put_latency("latency", &result->latency, out);
    put_latency("handshake", &result->handshake, out);
    fputc('\n', out);
}

void report_text(const struct result *result, FILE *out) {
    struct summary_line lines[SUMMARY_MAX];
    char verdict[SUMMARY_VERDICT_SIZE];
    put_fact("scenario", result->scenario, out);
    put_fact("url", result->url != NULL ? result->url : "", out);
    put_facts(lines, summary_settings(result, lines), out);
    fputc('\n', out);
    put_connections(result, out);
    put_errors(result, out);
    fputc('\n', out);
    if (summary_has_messages(result))
        put_messages(result, out);
    put_latencies(result, out);
    put_facts(lines, summary_tester(result, lines), out);
    fputc('\n', out);
    summary_verdict(result, verdict);
    report_put_sentence(verdict, out);
    if (result_tester_was_limit(result))
        report_put_sentence(summary_limit_warning, out);
}
