/* report.h - a result as a table for people, as JSON, as a page; and back from JSON. No threads.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BENCH_REPORT_H
#define WEIR_BENCH_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "client/bench/result.h"
#include "client/bench/settings.h"

/* Each writes all of the result; the caller looks at ferror(). */
void report_text(const struct result *result, FILE *out);
void report_json(const struct result *result, FILE *out);
void report_html(const struct result *result, FILE *out);

/* Reads what report_json() wrote. False with one line in `error`: which file, what is wrong with it. */
bool report_load(const char *path, struct result *result, char *error, size_t error_size);

/* All that is to be done with a result once it is there: the table to stdout (to stderr if JSON or the page go
 * there), the files that the settings name, the conditions. Says on stderr what cannot be written and which
 * conditions came true. Returns STATUS_OK, STATUS_FAILURE (something could not be written) or STATUS_CROSSED. */
int report_all(const struct result *result, const struct settings *settings);

/* Durations in the unit that suits them: "412 us", "3.1 ms", "2.5 s"; numbers with a separator: "1,234,567"; bytes:
 * "12.3 MB". Each returns `text`. */
enum { REPORT_FIGURE_SIZE = 32 };
char *report_duration(double nanoseconds, char text[REPORT_FIGURE_SIZE]);
char *report_number(double number, char text[REPORT_FIGURE_SIZE]);
char *report_bytes(double bytes, char text[REPORT_FIGURE_SIZE]);

#endif
