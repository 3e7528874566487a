/* report_compare.c - writes two runs side by side, as a table for a terminal of 80 columns.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <string.h>

#include "commands/bench/report/report.h"
#include "commands/bench/summary.h"

enum { LABEL_WIDTH = 26, FIGURE_WIDTH = 18 };

typedef char *compare_format(double value, char text[REPORT_FIGURE_SIZE]);

static void compare_put_row(FILE *out, const char *label, compare_format *format, double a, double b) {
    char statistics[2][REPORT_FIGURE_SIZE], ratio[REPORT_FIGURE_SIZE] = "-";
    if (a > 0)
        report_number(b / a, ratio);
    fprintf(out, "  %-*s%*s%*s%12s\n", LABEL_WIDTH, label, FIGURE_WIDTH, format(a, statistics[0]), FIGURE_WIDTH,
            format(b, statistics[1]), ratio);
}

static void compare_put_durations(FILE *out, const char *what, const struct histogram *a,
                                  const struct histogram *b) {
    static const double percents[] = {50, 90, 99, 99.9};
    char label[32];
    if (a->count == 0 && b->count == 0)
        return;
    snprintf(label, sizeof label, "%s mean", what);
    compare_put_row(out, label, report_duration, histogram_mean(a), histogram_mean(b));
    for (size_t i = 0; i < sizeof percents / sizeof *percents; i++) {
        snprintf(label, sizeof label, "%s p%g", what, percents[i]);
        compare_put_row(out, label, report_duration, (double)histogram_percentile(a, percents[i]),
                        (double)histogram_percentile(b, percents[i]));
    }
    snprintf(label, sizeof label, "%s max", what);
    compare_put_row(out, label, report_duration, (double)a->maximum, (double)b->maximum);
}

static void compare_put_rates(FILE *out, const struct result *a, const struct result *b) {
    if (summary_has_messages(a)) {
        compare_put_row(out, "sent per second", report_number, summary_per_second(a, SUMMARY_COUNT(sent)),
                        summary_per_second(b, SUMMARY_COUNT(sent)));
        compare_put_row(out, "received per second", report_number, summary_per_second(a, SUMMARY_COUNT(received)),
                        summary_per_second(b, SUMMARY_COUNT(received)));
        compare_put_row(out, "bytes received per second", report_bytes,
                        summary_per_second(a, SUMMARY_COUNT(received_bytes)),
                        summary_per_second(b, SUMMARY_COUNT(received_bytes)));
    } else
        compare_put_row(out, "handshakes per second", report_number, summary_handshake_rate(a),
                        summary_handshake_rate(b));
}

/* Returns the error count with that label; NULL if the run has none. */
static const struct error_count *compare_find(const struct error_count *error_counts, size_t count,
                                              const char *label) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(error_counts[i].label, label) == 0)
            return &error_counts[i];
    return NULL;
}

/* Prints each kind of error that matters in either run. */
static void compare_put_errors(FILE *out, const struct result *a, const struct result *b) {
    struct error_count first[SUMMARY_MAX], second[SUMMARY_MAX];
    size_t first_count = summary_errors(a, first), second_count = summary_errors(b, second);
    for (size_t i = 0; i < first_count; i++) {
        const struct error_count *other = compare_find(second, second_count, first[i].label);
        compare_put_row(out, first[i].label, report_number, (double)first[i].count,
                        other != NULL ? (double)other->count : 0);
    }
    for (size_t i = 0; i < second_count; i++)
        if (compare_find(first, first_count, second[i].label) == NULL)
            compare_put_row(out, second[i].label, report_number, 0, (double)second[i].count);
}

void report_comparison_text(const struct report_run runs[2], FILE *out) {
    const struct result *a = runs[0].result, *b = runs[1].result;
    for (int i = 0; i < 2; i++) {
        char title[SUMMARY_LINE_SIZE], verdict[SUMMARY_VERDICT_SIZE];
        summary_title(runs[i].result, title);
        summary_verdict(runs[i].result, verdict);
        fprintf(out, "%c: ", "AB"[i]);
        report_put_safely(runs[i].name, out);
        fprintf(out, "\n%s\n", title);
        report_put_sentence(verdict, out);
    }
    fprintf(out, "\n  %-*s%*s%*s%12s\n", LABEL_WIDTH, "", FIGURE_WIDTH, "A", FIGURE_WIDTH, "B", "B / A");
    compare_put_row(out, "connected", report_number, (double)a->counts.connected, (double)b->counts.connected);
    compare_put_rates(out, a, b);
    if (summary_has_answers(a))
        compare_put_durations(out, "latency", &a->latency, &b->latency);
    compare_put_durations(out, "handshake", &a->handshake, &b->handshake);
    compare_put_errors(out, a, b);
}
