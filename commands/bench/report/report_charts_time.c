/* report_charts_time.c - charts of each second of a run (see report_charts.h). In a long run a point covers
 * several seconds.
 *
 * SPDX-License-Identifier: MIT
 */
#include <math.h>
#include <string.h>

#include "commands/bench/facts.h"
#include "commands/bench/report/report.h"
#include "commands/bench/report/report_charts.h"
#include "commands/bench/report/report_svg.h"

enum { POINTS_MAX = 480 };

struct series {
    size_t count;    /* number of points */
    size_t seconds;  /* seconds that a point covers, except the last one */
    double duration; /* seconds of all points */
    double x[POINTS_MAX];
    double sent[POINTS_MAX], received[POINTS_MAX], connected[POINTS_MAX], failed[POINTS_MAX]; /* per second */
    double p50[POINTS_MAX], p99[POINTS_MAX], maximum[POINTS_MAX]; /* NAN: nothing was received */
    double open[POINTS_MAX];
};

/* --- From seconds to points -------------------------------------------------------------------------------- */

static double mean_of(const struct interval *intervals, size_t count, size_t offset) {
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t value;
        memcpy(&value, (const char *)&intervals[i] + offset, sizeof value);
        sum += (double)value;
    }
    return sum / (double)count;
}

static void set_durations(struct series *series, size_t point, const struct interval *intervals, size_t count) {
    double sum = 0, p99 = 0, maximum = 0;
    size_t measured = 0;
    for (size_t i = 0; i < count; i++) {
        if (intervals[i].maximum == 0)
            continue;
        sum += (double)intervals[i].p50;
        p99 = fmax(p99, (double)intervals[i].p99);
        maximum = fmax(maximum, (double)intervals[i].maximum);
        measured++;
    }
    series->p50[point] = measured > 0 ? sum / (double)measured : NAN;
    series->p99[point] = measured > 0 ? p99 : NAN;
    series->maximum[point] = measured > 0 ? maximum : NAN;
}

/* Returns how many of the intervals are drawn. The run ends within the last interval, which is therefore not a
 * complete second. The time that closing takes after the last message says nothing about the load. */
static size_t drawn(const struct result *result) {
    size_t count = result->interval_count, measured = 0;
    for (size_t i = 0; i < count; i++)
        measured = result->intervals[i].measuring ? i + 1 : measured;
    if (count > measured && count > 1)
        count--;
    while (measured > 0 && count > measured && result->intervals[count - 1].counts.received == 0)
        count--;
    return count;
}

static void make_series(struct series *series, const struct result *result) {
    size_t total = drawn(result);
    series->seconds = (total + POINTS_MAX - 1) / POINTS_MAX;
    series->duration = (double)total;
    series->count = 0;
    for (size_t first = 0; first < total; first += series->seconds) {
        size_t count = first + series->seconds <= total ? series->seconds : total - first, point = series->count++;
        const struct interval *intervals = result->intervals + first;
        series->x[point] = (double)first + (double)count / 2;
        series->sent[point] = mean_of(intervals, count, offsetof(struct interval, counts.sent));
        series->received[point] = mean_of(intervals, count, offsetof(struct interval, counts.received));
        series->connected[point] = mean_of(intervals, count, offsetof(struct interval, counts.connected));
        series->failed[point] = mean_of(intervals, count, offsetof(struct interval, counts.failed));
        series->open[point] = mean_of(intervals, count, offsetof(struct interval, open));
        set_durations(series, point, intervals, count);
    }
}

static double highest_of(const double *values, size_t count) {
    double highest = 0;
    for (size_t i = 0; i < count; i++)
        if (values[i] > highest)
            highest = values[i];
    return highest;
}

static double lowest_of(const double *values, size_t count) {
    double lowest = INFINITY;
    for (size_t i = 0; i < count; i++)
        if (values[i] < lowest)
            lowest = values[i];
    return lowest;
}

/* --- Drawings ---------------------------------------------------------------------------------------------- */

static const struct legend unmeasured = {"band", "not measured"};

static bool has_unmeasured(const struct result *result) {
    bool measured = false, unmeasured_too = false;
    for (size_t i = 0; i < drawn(result); i++) {
        measured = measured || result->intervals[i].measuring;
        unmeasured_too = unmeasured_too || !result->intervals[i].measuring;
    }
    return measured && unmeasured_too;
}

/* Shades the seconds that are not measured. */
static void put_bands(const struct drawing *drawing, const struct result *result) {
    size_t total = drawn(result);
    for (size_t i = 0; i < total; i++) {
        size_t first = i;
        while (i < total && !result->intervals[i].measuring)
            i++;
        if (i > first)
            drawing_band(drawing, (double)first, (double)i);
    }
}

static void begin(const struct drawing *drawing, const struct result *result, struct legend *legend, size_t count) {
    bool shaded = has_unmeasured(result);
    if (shaded)
        legend[count++] = unmeasured;
    drawing_begin(drawing, legend, count);
    if (shaded)
        put_bands(drawing, result);
}

/* Draws one or two lines of counts; `second` may be NULL. */
static void chart_counts(const struct result *result, const struct series *series, const char *title,
                         const double *first, const char *first_label, const double *second,
                         const char *second_label, FILE *out) {
    double highest = highest_of(first, series->count);
    if (second != NULL)
        highest = fmax(highest, highest_of(second, series->count));
    char description[160], figure[REPORT_FIGURE_SIZE];
    snprintf(description, sizeof description, "%s over %.0f seconds, at most %s.", title, series->duration,
             report_number(highest, figure));
    struct drawing drawing = {.out = out, .title = title, .description = description};
    axis_of_time(&drawing.x, series->duration);
    axis_of_counts(&drawing.y, highest);
    struct legend legend[3] = {{"first", first_label}, {"second dashed", second_label}};
    begin(&drawing, result, legend, second != NULL ? 2 : 1);
    drawing_area(&drawing, "first", series->x, first, series->count);
    if (second != NULL)
        drawing_line(&drawing, "second dashed", series->x, second, series->count);
    drawing_line(&drawing, "first", series->x, first, series->count);
    drawing_end(&drawing);
}

static void chart_durations(const struct result *result, const struct series *series, const char *title,
                            FILE *out) {
    double highest = highest_of(series->maximum, series->count);
    if (highest <= 0)
        return;
    char description[160], figure[REPORT_FIGURE_SIZE];
    snprintf(description, sizeof description, "%s over %.0f seconds, at most %s.", title, series->duration,
             report_duration(highest, figure));
    struct drawing drawing = {.out = out, .title = title, .description = description};
    axis_of_time(&drawing.x, series->duration);
    axis_of_durations(&drawing.y, lowest_of(series->p50, series->count), highest, true);
    struct legend legend[4] = {{"third", "max"}, {"second", "p99"}, {"first", "p50"}};
    begin(&drawing, result, legend, 3);
    drawing_line(&drawing, "third", series->x, series->maximum, series->count);
    drawing_line(&drawing, "second", series->x, series->p99, series->count);
    drawing_line(&drawing, "first", series->x, series->p50, series->count);
    drawing_end(&drawing);
}

void charts_over_time(const struct result *result, FILE *out) {
    static const double *const none = NULL;
    if (result->interval_count == 0)
        return;
    struct series series;
    make_series(&series, result);
    bool messages = facts_has_messages(result), open_loop = strcmp(result->scenario, "rate") == 0;
    bool failed = highest_of(series.failed, series.count) > 0;
    if (messages && !facts_has_answers(result))
        chart_counts(result, &series, "Messages per second", series.sent, "sent", none, NULL, out);
    else if (messages)
        chart_counts(result, &series, "Messages per second", series.received, "received",
                     open_loop ? series.sent : none, "sent", out);
    else
        chart_counts(result, &series, "Handshakes per second", series.connected, "done",
                     failed ? series.failed : none, "failed", out);
    chart_durations(result, &series, messages ? "Latency over time" : "Handshakes over time", out);
    chart_counts(result, &series, "Connections open", series.open, "open", none, NULL, out);
    if (series.seconds > 1)
        fprintf(out,
                "<p class=\"note\">Each point stands for %zu seconds: the mean of counts and of p50, the highest "
                "p99 and max.</p>\n",
                series.seconds);
}
