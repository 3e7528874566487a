/* report_svg.h - a drawing for the page: SVG for lines and areas, which stretches to the available space, and
 * HTML for its labels, which keep their size. No threads.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BENCH_REPORT_REPORT_SVG_H
#define WEIR_BENCH_REPORT_REPORT_SVG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "commands/bench/report/axis.h"

enum { DRAWING_MARKS_MAX = 4 };

struct drawing {
    FILE *out;
    const char *title, *description; /* the description is for readers who cannot see the drawing */
    struct axis x, y;
    struct {
        double x;
        const char *label;
    } marks[DRAWING_MARKS_MAX];
    size_t mark_count;
};

/* A legend entry for a line, an area or a band; the style sheet defines the classes. */
struct legend {
    const char *class_name, *label;
};

/* Writes terminated text as HTML: escapes markup, replaces control characters and bytes that are not UTF-8. */
void html_text(const char *text, FILE *out);

/* Writes one of our figures, with the micro sign that plain text avoids. */
void html_figure(const char *text, FILE *out);

/* Writes a figure in a form in which a very long number may be broken at its separators. */
void html_cell(const char *text, FILE *out);

/* Begins a drawing, whose axes must be set before. The shapes follow, then drawing_end(). */
void drawing_begin(const struct drawing *drawing, const struct legend *legend, size_t legend_count);
void drawing_end(const struct drawing *drawing);

/* Draws a line; NAN in `y` makes a gap. */
void drawing_line(const struct drawing *drawing, const char *class_name, const double *x, const double *y,
                  size_t count);
void drawing_area(const struct drawing *drawing, const char *class_name, const double *x, const double *y,
                  size_t count);

void drawing_bar(const struct drawing *drawing, double from, double to, double height);

/* Draws a band over the whole height. */
void drawing_band(const struct drawing *drawing, double from, double to);

/* Draws an upright line with a label near its top. */
void drawing_mark(struct drawing *drawing, double x, const char *label);

#endif
