/* axis.c - see axis.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "commands/bench/report/axis.h"

#include <math.h>
#include <stdio.h>

#include "commands/bench/report/report.h"

double axis_place(const struct axis *axis, double value) {
    if (!(value > axis->low))
        return 0;
    if (value >= axis->high)
        return 1;
    if (axis->logarithmic)
        return log(value / axis->low) / log(axis->high / axis->low);
    return (value - axis->low) / (axis->high - axis->low);
}

/* Adds a tick and returns where its label goes; NULL if there is no room for it. */
static char *add_tick(struct axis *axis, double value, bool minor) {
    if (axis->tick_count == AXIS_TICKS_MAX)
        return NULL;
    struct tick *tick = &axis->ticks[axis->tick_count++];
    *tick = (struct tick){.value = value, .minor = minor};
    return tick->label;
}

/* --- Linear axes ------------------------------------------------------------------------------------------- */

/* Returns 1, 2 or 5 times a power of ten, so that at most five steps reach `highest`. */
static double round_step(double highest) {
    double power = pow(10, floor(log10(highest / 5))), times = highest / 5 / power;
    return (times <= 1 ? 1 : times <= 2 ? 2 : times <= 5 ? 5 : 10) * power;
}

static void make_linear(struct axis *axis, double highest, double least_step) {
    double step = highest > 0 ? round_step(highest) : least_step;
    if (step < least_step)
        step = least_step;
    *axis = (struct axis){.high = highest > 0 ? ceil(highest / step - 1e-9) * step : step};
    int count = (int)lround(axis->high / step);
    for (int i = 0; i <= count; i++)
        add_tick(axis, i * step, false);
}

/* Labels as "12,000", "250k", "1.5M": short enough to fit next to the drawing. */
void axis_of_counts(struct axis *axis, double highest) {
    static const char *const suffixes[] = {"", "k", "M", "G", "T"};
    make_linear(axis, highest, 1);
    size_t suffix = 0;
    double factor = 1;
    for (; axis->high / factor >= 1e5 && suffix + 1 < sizeof suffixes / sizeof *suffixes; suffix++)
        factor *= 1000;
    for (size_t i = 0; i < axis->tick_count; i++) {
        char digits[REPORT_FIGURE_SIZE];
        report_number(axis->ticks[i].value / factor, digits);
        snprintf(axis->ticks[i].label, AXIS_LABEL_SIZE, "%.24s%s", digits, i > 0 ? suffixes[suffix] : "");
    }
}

void axis_of_shares(struct axis *axis, double highest) {
    make_linear(axis, highest < 1 ? highest : 1, 0.001);
    for (size_t i = 0; i < axis->tick_count; i++)
        snprintf(axis->ticks[i].label, AXIS_LABEL_SIZE, "%.3g %%", axis->ticks[i].value * 100);
}

void axis_of_time(struct axis *axis, double seconds) {
    static const int steps[] = {1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 28800};
    double step = 86400;
    for (size_t i = sizeof steps / sizeof *steps; i-- > 0;)
        if (seconds / steps[i] <= 8)
            step = steps[i];
    while (seconds / step > 8)
        step *= 2;
    *axis = (struct axis){.high = seconds > 0 ? seconds : 1};
    bool hours = fmod(step, 3600) == 0, minutes = fmod(step, 60) == 0;
    double unit = hours ? 3600 : minutes ? 60 : 1;
    for (int i = 0; i * step <= axis->high; i++) {
        char *label = add_tick(axis, i * step, i % 2 == 1 && axis->high / step > 4);
        if (label != NULL)
            snprintf(label, AXIS_LABEL_SIZE, "%.0f %s", i * step / unit, hours ? "h" : minutes ? "min" : "s");
    }
}

/* --- Logarithmic axes -------------------------------------------------------------------------------------- */

/* Returns 1, 2 or 5 times a power of ten by its number: 0 gives 1, 1 gives 2, 2 gives 5, 3 gives 10 ... */
static double round_value(int number) {
    static const double times[] = {1, 2, 5};
    int power = number / 3;
    return times[number % 3] * pow(10, power);
}

void axis_of_durations(struct axis *axis, double lowest, double highest, bool upright) {
    int first = 0, last = 0;
    while (round_value(first + 1) <= lowest)
        first++;
    while (round_value(last) < highest)
        last++;
    if (last <= first)
        last = first + 1;
    *axis = (struct axis){.low = round_value(first), .high = round_value(last), .logarithmic = true};
    int step = last - first <= (upright ? 9 : 6) ? 1 : last - first <= 18 ? 3 : 6;
    for (int i = first; i <= last; i++) {
        char *label =
            i % step == 0 ? add_tick(axis, round_value(i), step == 1 && i % 3 != 0 && last - first > 3) : NULL;
        if (label != NULL)
            report_duration(round_value(i), label);
    }
}

void axis_of_percentiles(struct axis *axis, double count) {
    static const char *const labels[] = {"90 %",     "99 %",      "99.9 %",    "99.99 %",
                                         "99.999 %", "99.9999 %", "99.99999 %"};
    enum { LABELS = sizeof labels / sizeof *labels };
    double nines = log10(count > 10 ? count : 10);
    *axis = (struct axis){.high = nines < LABELS ? nines : LABELS};
    snprintf(add_tick(axis, log10(2), false), AXIS_LABEL_SIZE, "50 %%");
    for (int i = 1; i <= LABELS && i <= axis->high + 1e-9; i++)
        snprintf(add_tick(axis, i, i % 2 == 1 && axis->high > 3), AXIS_LABEL_SIZE, "%s", labels[i - 1]);
}
