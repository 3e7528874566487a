/* report_compare.c - writes two runs side by side, as a table for a terminal of 80 columns.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <string.h>

#include "commands/bench/facts.h"
#include "commands/bench/report/report.h"

enum { LABEL_WIDTH = 26, FIGURE_WIDTH = 18 };

typedef char *compare_format(double value, char text[REPORT_FIGURE_SIZE]);

static void compare_put_row(FILE *out, const char *label, compare_format *format, double a, double b) {
    char figures[2][REPORT_FIGURE_SIZE], ratio[REPORT_FIGURE_SIZE] = "-";
    if (a > 0)
        report_number(b / a, ratio);
    fprintf(out, "  %-*s%*s%*s%12s\n", LABEL_WIDTH, label, FIGURE_WIDTH, format(a, figures[0]), FIGURE_WIDTH,
            format(b, figures[1]), ratio);
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
    if (facts_has_messages(a)) {
        compare_put_row(out, "sent per second", report_number, facts_per_second(a, FACTS_COUNT(sent)),
                        facts_per_second(b, FACTS_COUNT(sent)));
        compare_put_row(out, "received per second", report_number, facts_per_second(a, FACTS_COUNT(received)),
                        facts_per_second(b, FACTS_COUNT(received)));
        compare_put_row(out, "bytes received per second", report_bytes,
                        facts_per_second(a, FACTS_COUNT(received_bytes)),
                        facts_per_second(b, FACTS_COUNT(received_bytes)));
    } else
        compare_put_row(out, "handshakes per second", report_number, facts_handshake_rate(a),
                        facts_handshake_rate(b));
}

/* Returns the trouble with that label; NULL if the run has none. */
static const struct trouble *compare_find(const struct trouble *troubles, size_t count, const char *label) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(troubles[i].label, label) == 0)
            return &troubles[i];
    return NULL;
}

/* Prints each kind of trouble that matters in either run. */
static void compare_put_troubles(FILE *out, const struct result *a, const struct result *b) {
    struct trouble first[FACTS_MAX], second[FACTS_MAX];
    size_t first_count = facts_of_trouble(a, first), second_count = facts_of_trouble(b, second);
    for (size_t i = 0; i < first_count; i++) {
        const struct trouble *other = compare_find(second, second_count, first[i].label);
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
        char title[FACT_SIZE], verdict[FACTS_VERDICT_SIZE];
        facts_title(runs[i].result, title);
        facts_verdict(runs[i].result, verdict);
        fprintf(out, "%c: ", "AB"[i]);
        report_put_safely(runs[i].name, out);
        fprintf(out, "\n%s\n", title);
        report_put_sentence(verdict, out);
    }
    fprintf(out, "\n  %-*s%*s%*s%12s\n", LABEL_WIDTH, "", FIGURE_WIDTH, "A", FIGURE_WIDTH, "B", "B / A");
    compare_put_row(out, "connected", report_number, (double)a->counts.connected, (double)b->counts.connected);
    compare_put_rates(out, a, b);
    if (facts_has_answers(a))
        compare_put_durations(out, "latency", &a->latency, &b->latency);
    compare_put_durations(out, "handshake", &a->handshake, &b->handshake);
    compare_put_troubles(out, a, b);
}
