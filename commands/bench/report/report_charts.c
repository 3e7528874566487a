/* report_charts.c - charts of how durations are distributed (see report_charts.h); report_charts_time.c has the
 * others.
 *
 * SPDX-License-Identifier: MIT
 */
#include "commands/bench/report/report_charts.h"

#include <math.h>

#include "commands/bench/report/report.h"
#include "commands/bench/report/report_svg.h"

/* --- Percentiles ------------------------------------------------------------------------------------------- */

enum { CURVE_POINTS = 241, DESCRIPTION_SIZE = 320 };

static void describe(const struct histogram *histogram, const char *what, char text[DESCRIPTION_SIZE]) {
    char p50[REPORT_FIGURE_SIZE], p99[REPORT_FIGURE_SIZE], maximum[REPORT_FIGURE_SIZE];
    snprintf(text, DESCRIPTION_SIZE, "%s: p50 %s, p99 %s, highest %s.", what,
             report_duration((double)histogram_percentile(histogram, 50), p50),
             report_duration((double)histogram_percentile(histogram, 99), p99),
             report_duration((double)histogram->maximum, maximum));
}

static void chart_percentiles(const struct histogram *histogram, const char *what, FILE *out) {
    double x[CURVE_POINTS], y[CURVE_POINTS];
    char description[DESCRIPTION_SIZE], title[64];
    describe(histogram, what, description);
    snprintf(title, sizeof title, "%s by percentile", what);
    struct drawing drawing = {.out = out, .title = title, .description = description};
    axis_of_percentiles(&drawing.x, (double)histogram->count);
    axis_of_durations(&drawing.y, (double)histogram->minimum, (double)histogram->maximum, true);
    for (int i = 0; i < CURVE_POINTS; i++) {
        x[i] = drawing.x.high * i / (CURVE_POINTS - 1);
        y[i] = (double)histogram_percentile(histogram, 100 * (1 - pow(10, -x[i])));
    }
    y[0] = (double)histogram->minimum;
    y[CURVE_POINTS - 1] = (double)histogram->maximum;
    drawing_begin(&drawing, NULL, 0);
    drawing_area(&drawing, "first", x, y, CURVE_POINTS);
    drawing_line(&drawing, "first", x, y, CURVE_POINTS);
    drawing_end(&drawing);
}

/* --- Shares ------------------------------------------------------------------------------------------------ */

enum { BARS = 72 };

/* Buckets and bars have different bounds: a bucket's values are assumed to be spread evenly over it. */
static void share_out(const struct histogram *histogram, const struct axis *axis, double bars[BARS]) {
    for (size_t i = 0; i < HISTOGRAM_SIZE; i++) {
        if (histogram->buckets[i] == 0)
            continue;
        double from = axis_place(axis, (double)histogram_bucket_low(i)) * BARS;
        double to = axis_place(axis, (double)histogram_bucket_low(i + 1)) * BARS;
        double share = (double)histogram->buckets[i] / (double)histogram->count;
        if (to - from < 1e-9) { /* below or above the axis */
            bars[from < BARS ? (int)from : BARS - 1] += share;
            continue;
        }
        for (int bar = (int)from; bar < BARS && bar < to; bar++)
            bars[bar] += share * (fmin(to, bar + 1) - fmax(from, bar)) / (to - from);
    }
}

static void chart_shares(const struct histogram *histogram, const char *what, FILE *out) {
    double bars[BARS] = {0}, highest = 0;
    char description[DESCRIPTION_SIZE], title[64];
    describe(histogram, what, description);
    snprintf(title, sizeof title, "%s, share of all", what);
    struct drawing drawing = {.out = out, .title = title, .description = description};
    axis_of_durations(&drawing.x, (double)histogram->minimum / 1.15, (double)histogram->maximum * 1.15, false);
    share_out(histogram, &drawing.x, bars);
    for (int i = 0; i < BARS; i++)
        highest = fmax(highest, bars[i]);
    axis_of_shares(&drawing.y, highest * 1.1);
    drawing_begin(&drawing, NULL, 0);
    double ratio = pow(drawing.x.high / drawing.x.low, 1.0 / BARS);
    for (int i = 0; i < BARS; i++)
        if (bars[i] > 0)
            drawing_bar(&drawing, drawing.x.low * pow(ratio, i), drawing.x.low * pow(ratio, i + 1), bars[i]);
    drawing_mark(&drawing, (double)histogram_percentile(histogram, 50), "p50");
    drawing_mark(&drawing, (double)histogram_percentile(histogram, 99), "p99");
    drawing_end(&drawing);
}

void charts_of_durations(const struct histogram *histogram, const char *what, FILE *out) {
    if (histogram->maximum == 0) /* zeros have no place on a logarithmic axis */
        return;
    chart_percentiles(histogram, what, out);
    chart_shares(histogram, what, out);
}
