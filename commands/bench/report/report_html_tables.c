/* report_html_tables.c - writes every figure of a result in tables of the page, narrow enough for a small screen.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <string.h>

#include "commands/bench/facts.h"
#include "commands/bench/report/report.h"
#include "commands/bench/report/report_charts.h"
#include "commands/bench/report/report_svg.h"

static void begin_table(const char *caption, const char *class_name, FILE *out) {
    fprintf(out, "<div class=\"card\"><table class=\"%s\"><caption>%s</caption>\n", class_name, caption);
}

static void end_table(FILE *out) {
    fputs("</tbody></table></div>\n", out);
}

static void put_columns(const char *one, const char *other, FILE *out) {
    fputs("<thead><tr><td></td>", out);
    fprintf(out, "<th scope=\"col\">%s</th>", one);
    if (other != NULL)
        fprintf(out, "<th scope=\"col\">%s</th>", other);
    fputs("</tr></thead>\n<tbody>\n", out);
}

/* Writes a row; `other` may be NULL for a row with one cell. */
static void put_row(const char *label, const char *one, const char *other, FILE *out) {
    fprintf(out, "<tr><th scope=\"row\">%s</th><td>", label);
    html_cell(one, out);
    if (other != NULL) {
        fputs("</td><td>", out);
        html_cell(other, out);
    }
    fputs("</td></tr>\n", out);
}

static void put_messages(const struct result *result, FILE *out) {
    char sent[REPORT_FIGURE_SIZE + 2], received[REPORT_FIGURE_SIZE + 2], figure[REPORT_FIGURE_SIZE];
    const struct counts *counts = &result->counts;
    begin_table("Messages", "figures", out);
    put_columns("sent", "received", out);
    put_row("messages", report_number((double)counts->sent, sent),
            report_number((double)counts->received, received), out);
    put_row("per second", report_number(facts_per_second(result, FACTS_COUNT(sent)), sent),
            report_number(facts_per_second(result, FACTS_COUNT(received)), received), out);
    put_row("payload", report_bytes((double)counts->sent_bytes, sent),
            report_bytes((double)counts->received_bytes, received), out);
    snprintf(sent, sizeof sent, "%s/s", report_bytes(facts_per_second(result, FACTS_COUNT(sent_bytes)), figure));
    snprintf(received, sizeof received, "%s/s",
             report_bytes(facts_per_second(result, FACTS_COUNT(received_bytes)), figure));
    put_row("per second", sent, received, out);
    end_table(out);
}

static void put_percentile(const struct histogram *histogram, double percent, char text[REPORT_FIGURE_SIZE]) {
    if (histogram->count == 0)
        snprintf(text, REPORT_FIGURE_SIZE, "none");
    else if (percent < 0)
        report_duration(histogram_mean(histogram), text);
    else if (percent <= 0)
        report_duration((double)histogram->minimum, text);
    else if (percent >= 100)
        report_duration((double)histogram->maximum, text);
    else
        report_duration((double)histogram_percentile(histogram, percent), text);
}

static void put_durations(const struct result *result, FILE *out) {
    static const struct {
        const char *label;
        double percent;
    } rows[] = {{"min", 0},  {"mean", -1},    {"p50", 50},       {"p90", 90},
                {"p99", 99}, {"p99.9", 99.9}, {"p99.99", 99.99}, {"max", 100}};
    char latency[REPORT_FIGURE_SIZE], handshake[REPORT_FIGURE_SIZE];
    bool messages = facts_has_answers(result);
    begin_table("Durations", "figures", out);
    put_columns(messages ? "latency" : "handshake", messages ? "handshake" : NULL, out);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        put_percentile(&result->latency, rows[i].percent, latency);
        put_percentile(&result->handshake, rows[i].percent, handshake);
        put_row(rows[i].label, messages ? latency : handshake, messages ? handshake : NULL, out);
    }
    end_table(out);
}

static void put_connections(const struct result *result, FILE *out) {
    struct trouble troubles[FACTS_MAX];
    size_t count = facts_of_trouble(result, troubles);
    char figure[REPORT_FIGURE_SIZE];
    begin_table("Connections and losses", "figures", out);
    fputs("<tbody>\n", out);
    put_row("connected", report_number((double)result->counts.connected, figure), NULL, out);
    if (result->counts.connected > 0 && strcmp(result->scenario, "connect") != 0)
        put_row("the last one after", report_duration(result->connect_seconds * 1e9, figure), NULL, out);
    for (size_t i = 0; i < count; i++)
        put_row(troubles[i].label, report_number((double)troubles[i].count, figure), NULL, out);
    end_table(out);
}

static void put_causes(const struct result *result, FILE *out) {
    uint64_t sum = 0;
    for (unsigned cause = 0; cause < WEIR_CLIENT_CAUSES; cause++)
        sum += result->failures[cause];
    if (sum == 0)
        return;
    char figure[REPORT_FIGURE_SIZE];
    begin_table("Failed and dropped, by cause", "figures", out);
    fputs("<tbody>\n", out);
    for (unsigned cause = 0; cause < WEIR_CLIENT_CAUSES; cause++)
        if (result->failures[cause] > 0)
            put_row(result_cause_name(cause), report_number((double)result->failures[cause], figure), NULL, out);
    end_table(out);
}

static void put_facts(const char *caption, const struct fact *facts, size_t count, FILE *out) {
    begin_table(caption, "words", out);
    fputs("<tbody>\n", out);
    for (size_t i = 0; i < count; i++)
        put_row(facts[i].label, facts[i].value, NULL, out);
    end_table(out);
}

void report_html_tables(const struct result *result, FILE *out) {
    struct fact facts[FACTS_MAX];
    if (facts_has_messages(result))
        put_messages(result, out);
    put_durations(result, out);
    put_connections(result, out);
    put_causes(result, out);
    put_facts("Settings", facts, facts_of_settings(result, facts), out);
    put_facts("Tester", facts, facts_of_tester(result, facts), out);
}
