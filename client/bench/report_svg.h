/* report_svg.h - a drawing for the page: SVG for lines and areas, which stretches to the room there is, and HTML
 * for its labels, which keep their size. No threads.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BENCH_REPORT_SVG_H
#define WEIR_BENCH_REPORT_SVG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "client/bench/axis.h"

enum { DRAWING_MARKS_MAX = 4 };

struct drawing {
    FILE *out;
    const char *title, *description; /* the second one is for those who cannot see it */
    struct axis x, y;
    struct {
        double x;
        const char *label;
    } marks[DRAWING_MARKS_MAX];
    size_t mark_count;
};

/* What a line, an area or a band is, as the legend says it; the style sheet knows the classes. */
struct legend {
    const char *class_name, *label;
};

/* Terminated text as HTML: markup escaped, what is not UTF-8 or a control character replaced. */
void html_text(const char *text, FILE *out);

/* A figure of ours, with the micro sign that plain text does without. */
void html_figure(const char *text, FILE *out);

/* The same where a very long number may be broken at its separators. */
void html_cell(const char *text, FILE *out);

/* The axes have to be set before. In between come the shapes. */
void drawing_begin(const struct drawing *drawing, const struct legend *legend, size_t legend_count);
void drawing_end(const struct drawing *drawing);

/* NAN in `y` makes a gap. */
void drawing_line(const struct drawing *drawing, const char *class_name, const double *x, const double *y,
                  size_t count);
void drawing_area(const struct drawing *drawing, const char *class_name, const double *x, const double *y,
                  size_t count);

void drawing_bar(const struct drawing *drawing, double from, double to, double height);

/* Over the whole height. */
void drawing_band(const struct drawing *drawing, double from, double to);

/* An upright line with a label near its top. */
void drawing_mark(struct drawing *drawing, double x, const char *label);

#endif
