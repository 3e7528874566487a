/* report.h - writes a result as a table for people, as JSON and as an HTML page; reads it from JSON. No threads.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BENCH_REPORT_REPORT_H
#define WEIR_BENCH_REPORT_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "commands/bench/result.h"
#include "commands/bench/settings.h"

/* Each writes all of the result; the caller checks ferror(). */
void report_text(const struct result *result, FILE *out);
void report_json(const struct result *result, FILE *out);
void report_html(const struct result *result, FILE *out);

/* Several runs on one page, each with the name of its file. */
struct report_run {
    const char *name;
    const struct result *result;
};
void report_html_runs(const struct report_run *runs, size_t count, FILE *out);

/* Prints two runs and their ratio, and writes a page of both to `html_path` (NULL: none; "-": stdout, and the table
 * to stderr). Prints on stderr what cannot be written. Returns STATUS_OK or STATUS_FAILURE. */
int report_comparison(const struct report_run runs[2], const char *html_path);
void report_comparison_text(const struct report_run runs[2], FILE *out);

/* Writes the runs as the page reads them: {"version": TEXT, "runs": [{"name": TEXT, "result": RESULT}]}. */
void report_json_runs(const struct report_run *runs, size_t count, FILE *out);

/* Reads the output of report_json(). False with one line in `error` that names the file and what is wrong with
 * it. */
bool report_load(const char *path, struct result *result, char *error, size_t error_size);

/* Outputs a result: the table to stdout (or to stderr if JSON or the page goes to stdout), the files that the
 * settings name, the conditions. Prints on stderr what cannot be written and which conditions are met. Returns
 * STATUS_OK, STATUS_FAILURE (something could not be written) or STATUS_CROSSED. */
int report_all(const struct result *result, const struct settings *settings);

/* Prints untrusted text; characters that a terminal might interpret become question marks. */
void report_put_safely(const char *text, FILE *out);

/* Prints an untrusted sentence, broken between words at the end of a line. */
void report_put_sentence(const char *text, FILE *out);

/* Write durations in a suitable unit: "412 us", "3.1 ms", "2.5 s"; numbers with separators: "1,234,567"; bytes:
 * "12.3 MB". Each returns `text`. */
enum { REPORT_FIGURE_SIZE = 32 };
char *report_duration(double nanoseconds, char text[REPORT_FIGURE_SIZE]);
char *report_number(double number, char text[REPORT_FIGURE_SIZE]);
char *report_bytes(double bytes, char text[REPORT_FIGURE_SIZE]);

#endif
