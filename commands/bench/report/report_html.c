/* report_html.c - writes a result as one self-contained page: no network, no script.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <weir/weir.h>

#include "commands/bench/facts.h"
#include "commands/bench/report/report.h"
#include "commands/bench/report/report_charts.h"
#include "commands/bench/report/report_style.h"
#include "commands/bench/report/report_svg.h"

/* --- The head ---------------------------------------------------------------------------------------------- */

static void put_title(const struct result *result, FILE *out) {
    static const struct {
        const char *scenario, *title;
    } titles[] = {{"echo", "Echo"},
                  {"rate", "Echo at a fixed rate"},
                  {"broadcast", "Broadcast"},
                  {"idle", "Idle connections"},
                  {"connect", "Opening handshakes"}};
    char figure[REPORT_FIGURE_SIZE];
    const char *title = result->scenario;
    bool echo = strcmp(result->expect, "any") != 0 && strcmp(result->expect, "none") != 0;
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
        if (strcmp(titles[i].scenario, result->scenario) == 0)
            title = titles[i].title;
    html_text(echo ? title : facts_has_answers(result) ? "Messages and answers" : "Messages sent", out);
    fprintf(out, ", %s client%s", report_number(result->clients, figure), result->clients == 1 ? "" : "s");
}

static void put_when(const struct result *result, FILE *out) {
    time_t began = (time_t)result->began;
    struct tm parts;
    char text[64];
    if (result->began > 0 && gmtime_r(&began, &parts) != NULL &&
        strftime(text, sizeof text, "%-d %B %Y, %H:%M:%S UTC", &parts) > 0)
        fprintf(out, "<p class=\"when\">%s</p>\n", text);
}

static void put_verdict(const struct result *result, FILE *out) {
    char text[FACTS_VERDICT_SIZE];
    bool good = facts_verdict(result, text);
    fprintf(out, "<p class=\"verdict %s\"><strong>%s</strong>", good ? "good" : "bad",
            good ? "All well" : "Not all well");
    html_text(text, out);
    if (result->first_error[0] != '\0' && result->counts.connected > 0) {
        fputs("<small>The first error: ", out);
        html_text(result->first_error, out);
        fputs("</small>", out);
    }
    fputs("</p>\n", out);
    if (result_tester_was_limit(result))
        fprintf(out, "<p class=\"verdict warn\"><strong>Careful</strong>%s</p>\n", facts_limit_warning);
}

/* --- Tiles ------------------------------------------------------------------------------------------------- */

static void put_tile(const char *label, const char *figure, const char *below, bool bad, FILE *out) {
    fprintf(out, "<div class=\"tile\"><span>%s</span><b%s>", label, bad ? " class=\"bad\"" : "");
    html_cell(figure, out);
    fputs("</b><small>", out);
    html_cell(below, out);
    fputs("</small></div>\n", out);
}

static void put_duration_tile(const char *label, const struct histogram *histogram, double percent,
                              const char *below, FILE *out) {
    char figure[REPORT_FIGURE_SIZE];
    if (histogram->count > 0)
        put_tile(label, report_duration((double)histogram_percentile(histogram, percent), figure), below, false,
                 out);
    else
        put_tile(label, "none", "nothing was measured", false, out);
}

static void put_rate_tile(const struct result *result, FILE *out) {
    char figure[REPORT_FIGURE_SIZE], below[64], more[REPORT_FIGURE_SIZE];
    if (facts_has_messages(result)) {
        bool answers = facts_has_answers(result);
        size_t count = answers ? FACTS_COUNT(received) : FACTS_COUNT(sent),
               bytes = answers ? FACTS_COUNT(received_bytes) : FACTS_COUNT(sent_bytes);
        snprintf(below, sizeof below, "%s, %s/s", answers ? "received" : "sent",
                 report_bytes(facts_per_second(result, bytes), more));
        report_number(facts_per_second(result, count), figure);
        put_tile("Messages per second", figure, below, false, out);
    } else if (strcmp(result->scenario, "connect") == 0)
        put_tile("Handshakes per second", report_number(facts_handshake_rate(result), figure), "done", false, out);
    else {
        snprintf(below, sizeof below, "of %s clients", report_number(result->clients, more));
        put_tile("Connected", report_number((double)result->counts.connected, figure), below, false, out);
    }
}

static void put_trouble_tile(const struct result *result, FILE *out) {
    struct trouble troubles[FACTS_MAX];
    size_t count = facts_of_trouble(result, troubles);
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += troubles[i].count;
    char figure[REPORT_FIGURE_SIZE];
    put_tile("Gone wrong", report_number((double)sum, figure),
             facts_has_messages(result) ? "connections and messages" : "connections", sum > 0, out);
}

static void put_tiles(const struct result *result, FILE *out) {
    bool messages = facts_has_answers(result);
    const struct histogram *histogram = messages ? &result->latency : &result->handshake;
    fputs("<div class=\"tiles\">\n", out);
    put_rate_tile(result, out);
    put_duration_tile(messages ? "Latency, p50" : "Handshake, p50", histogram, 50, "half are faster", out);
    put_duration_tile(messages ? "Latency, p99" : "Handshake, p99", histogram, 99, "99 of 100 are faster", out);
    put_trouble_tile(result, out);
    fputs("</div>\n", out);
}

/* --- The page ---------------------------------------------------------------------------------------------- */

void report_html(const struct result *result, FILE *out) {
    bool messages = facts_has_answers(result);
    const struct histogram *histogram = messages ? &result->latency : &result->handshake;
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>weir bench: ",
          out);
    put_title(result, out);
    fprintf(out, "</title>\n<style>\n%s</style>\n</head>\n<body>\n<main>\n<header>\n<h1>", report_style);
    put_title(result, out);
    fputs("</h1>\n<p class=\"url\">", out);
    html_text(result->url != NULL ? result->url : "", out);
    fputs("</p>\n", out);
    put_when(result, out);
    put_verdict(result, out);
    fputs("</header>\n", out);
    put_tiles(result, out);
    if (histogram->count > 0 || result->interval_count > 0) {
        fputs("<h2>Charts</h2>\n<div class=\"charts\">\n", out);
        charts_of_durations(histogram, messages ? "Latency" : "Handshake", out);
        charts_over_time(result, out);
        fputs("</div>\n", out);
    }
    fputs("<h2>Figures</h2>\n<div class=\"tables\">\n", out);
    report_html_tables(result, out);
    fprintf(out, "</div>\n<footer>Made by weir bench %s.</footer>\n</main>\n</body>\n</html>\n", WEIR_VERSION);
}
