/* report_svg.c - see report_svg.h. A drawing has 1000 by 1000 units, whatever its shape on the screen; strokes do
 * not scale with it (vector-effect in the style sheet).
 *
 * SPDX-License-Identifier: MIT
 */
#include "commands/bench/report/report_svg.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "commands/bench/facts.h"

enum { UNITS = 1000 };

/* Writes text up to `end`, which must not be within a character. */
static void put_text(const char *text, const char *end, FILE *out) {
    while (text < end) {
        const char *begin = text;
        uint32_t character = facts_character(&text);
        if (character == 0xfffd)
            fputs("&#xfffd;", out);
        else if (character < 0x80 && strchr("<>&\"'", (int)character) != NULL)
            fprintf(out, "&#%u;", (unsigned)character);
        else
            fwrite(begin, 1, (size_t)(text - begin), out);
    }
}

void html_text(const char *text, FILE *out) {
    put_text(text, text + strlen(text), out);
}

void html_figure(const char *text, FILE *out) {
    for (const char *unit; (unit = strstr(text, " us")) != NULL; text = unit + 3) {
        put_text(text, unit, out);
        fputs(unit[3] >= 'a' && unit[3] <= 'z' ? " us" : " \xc2\xb5s", out);
    }
    html_text(text, out);
}

void html_cell(const char *text, FILE *out) {
    char part[FACT_SIZE];
    for (const char *comma; (comma = strchr(text, ',')) != NULL; text = comma + 1) {
        snprintf(part, sizeof part, "%.*s", (int)(comma - text + 1), text);
        html_figure(part, out);
        fputs("<wbr>", out);
    }
    html_figure(text, out);
}

static double across(const struct drawing *drawing, double x) {
    return axis_place(&drawing->x, x) * UNITS;
}

static double down(const struct drawing *drawing, double y) {
    return (1 - axis_place(&drawing->y, y)) * UNITS;
}

/* --- The frame --------------------------------------------------------------------------------------------- */

static void put_grid(const struct drawing *drawing) {
    FILE *out = drawing->out;
    fputs("<path class=\"grid\" d=\"", out);
    for (size_t i = 0; i < drawing->y.tick_count; i++)
        fprintf(out, "M0 %.1fH%d", down(drawing, drawing->y.ticks[i].value), UNITS);
    for (size_t i = 0; i < drawing->x.tick_count; i++)
        fprintf(out, "M%.1f 0V%d", across(drawing, drawing->x.ticks[i].value), UNITS);
    fputs("\"/>\n", out);
}

void drawing_begin(const struct drawing *drawing, const struct legend *legend, size_t legend_count) {
    FILE *out = drawing->out;
    fprintf(out, "<figure class=\"card\">\n<figcaption><h3>%s</h3>", drawing->title);
    for (size_t i = 0; i < legend_count; i++)
        fprintf(out, "<span class=\"key\"><i class=\"%s\"></i>%s</span>", legend[i].class_name, legend[i].label);
    fputs("</figcaption>\n<div class=\"plot\">\n", out);
    fprintf(out, "<svg viewBox=\"0 0 %d %d\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"", UNITS,
            UNITS);
    html_figure(drawing->description, out);
    fputs("\">\n", out);
    put_grid(drawing);
}

static void put_label(const struct drawing *drawing, const struct tick *tick, const char *side, double percent) {
    fprintf(drawing->out, "<b class=\"%s\" style=\"%s:%.2f%%\">", tick->minor ? "minor" : "major", side, percent);
    html_figure(tick->label, drawing->out);
    fputs("</b>", drawing->out);
}

void drawing_end(const struct drawing *drawing) {
    FILE *out = drawing->out;
    fputs("</svg>\n<div class=\"y\" aria-hidden=\"true\">", out);
    for (size_t i = 0; i < drawing->y.tick_count; i++)
        put_label(drawing, &drawing->y.ticks[i], "top", down(drawing, drawing->y.ticks[i].value) * 100 / UNITS);
    fputs("</div>\n<div class=\"x\" aria-hidden=\"true\">", out);
    for (size_t i = 0; i < drawing->x.tick_count; i++)
        put_label(drawing, &drawing->x.ticks[i], "left", across(drawing, drawing->x.ticks[i].value) * 100 / UNITS);
    fputs("</div>\n<div class=\"marks\" aria-hidden=\"true\">", out);
    for (size_t i = 0; i < drawing->mark_count; i++) {
        double place = across(drawing, drawing->marks[i].x) / UNITS;
        bool leftward = place > 0.85 || (place > 0.15 && i % 2 == 0);
        fprintf(out, "<b class=\"%s\" style=\"left:%.2f%%;top:%zupx\">%s</b>", leftward ? "leftward" : "rightward",
                place * 100, 16 * i, drawing->marks[i].label);
    }
    fputs("</div>\n</div>\n</figure>\n", out);
}

/* --- Shapes ------------------------------------------------------------------------------------------------ */

/* Returns the index after the last point of the run that starts at `first` and has no gap. */
static size_t end_of_run(const double *y, size_t first, size_t count) {
    while (first < count && !isnan(y[first]))
        first++;
    return first;
}

static void put_points(const struct drawing *drawing, const double *x, const double *y, size_t from, size_t to) {
    for (size_t i = from; i < to; i++)
        fprintf(drawing->out, "%c%.1f %.1f", i == from ? 'M' : 'L', across(drawing, x[i]), down(drawing, y[i]));
}

/* Draws each point between two gaps as a line without length, which round ends turn into a dot. */
static void put_dots(const struct drawing *drawing, const char *class_name, const double *x, const double *y,
                     size_t count) {
    for (size_t i = 0; i < count; i++) {
        size_t end = end_of_run(y, i, count);
        if (end == i + 1)
            fprintf(drawing->out, "<path class=\"%s dot\" d=\"M%.1f %.1fh0.01\"/>\n", class_name,
                    across(drawing, x[i]), down(drawing, y[i]));
        i = end;
    }
}

void drawing_line(const struct drawing *drawing, const char *class_name, const double *x, const double *y,
                  size_t count) {
    fprintf(drawing->out, "<path class=\"%s\" d=\"", class_name);
    for (size_t i = 0; i < count; i++) {
        size_t end = end_of_run(y, i, count);
        if (end > i + 1)
            put_points(drawing, x, y, i, end);
        i = end;
    }
    fputs("\"/>\n", drawing->out);
    put_dots(drawing, class_name, x, y, count);
}

void drawing_area(const struct drawing *drawing, const char *class_name, const double *x, const double *y,
                  size_t count) {
    fprintf(drawing->out, "<path class=\"%s area\" d=\"", class_name);
    for (size_t i = 0; i < count; i++) {
        size_t end = end_of_run(y, i, count);
        put_points(drawing, x, y, i, end);
        if (end > i)
            fprintf(drawing->out, "V%dH%.1fZ", UNITS, across(drawing, x[i]));
        i = end;
    }
    fputs("\"/>\n", drawing->out);
}

void drawing_bar(const struct drawing *drawing, double from, double to, double height) {
    double left = across(drawing, from), top = down(drawing, height);
    fprintf(drawing->out, "<rect class=\"bar\" x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%.1f\"/>\n", left, top,
            across(drawing, to) - left, UNITS - top);
}

void drawing_band(const struct drawing *drawing, double from, double to) {
    double left = across(drawing, from);
    fprintf(drawing->out, "<rect class=\"band\" x=\"%.2f\" y=\"0\" width=\"%.2f\" height=\"%d\"/>\n", left,
            across(drawing, to) - left, UNITS);
}

void drawing_mark(struct drawing *drawing, double x, const char *label) {
    fprintf(drawing->out, "<path class=\"mark\" d=\"M%.1f 0V%d\"/>\n", across(drawing, x), UNITS);
    if (drawing->mark_count == DRAWING_MARKS_MAX)
        return;
    drawing->marks[drawing->mark_count].x = x;
    drawing->marks[drawing->mark_count++].label = label;
}
