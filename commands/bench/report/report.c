/* report.c - outputs a finished result: the table, the files, the conditions.
 *
 * SPDX-License-Identifier: MIT
 */
#include "commands/bench/report/report.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "commands/bench/condition.h"
#include "commands/commands.h"

static bool is_stdout(const char *path) {
    return path != NULL && strcmp(path, "-") == 0;
}

/* Returns the stream of a report: stdout if `path` is "-". NULL with errno. */
static FILE *report_open(const char *path) {
    errno = 0;
    return is_stdout(path) ? stdout : fopen(path, "we");
}

/* Closes a report's stream, which may be NULL. False after printing what went wrong. */
static bool report_close(FILE *out, const char *path) {
    bool written = out != NULL && fflush(out) == 0 && !ferror(out);
    if (out != NULL && out != stdout && fclose(out) != 0)
        written = false;
    if (!written)
        fprintf(stderr, "weir bench: cannot write %s: %s\n", is_stdout(path) ? "to stdout" : path,
                errno != 0 ? strerror(errno) : "it is incomplete");
    return written;
}

/* Writes a report to a file, or not at all if `path` is NULL. False after printing the error. */
static bool write_report(const struct result *result, const char *path,
                         void (*report)(const struct result *result, FILE *out)) {
    if (path == NULL)
        return true;
    FILE *out = report_open(path);
    if (out != NULL)
        report(result, out);
    return report_close(out, path);
}

int report_comparison(const struct report_run runs[2], const char *html_path) {
    FILE *people = is_stdout(html_path) ? stderr : stdout;
    report_comparison_text(runs, people);
    bool written = fflush(people) == 0 && !ferror(people);
    if (html_path != NULL) {
        FILE *out = report_open(html_path);
        if (out != NULL)
            report_html_runs(runs, 2, out);
        written = report_close(out, html_path) && written;
    }
    return written ? STATUS_OK : STATUS_FAILURE;
}

static void explain_crossed(const struct condition *condition, double value) {
    char figure[REPORT_FIGURE_SIZE];
    if (isnan(value))
        fprintf(stderr, "weir bench: %s: nothing was measured\n", condition->text);
    else if (condition_is_duration(condition))
        fprintf(stderr, "weir bench: %s: it is %s\n", condition->text, report_duration(value * 1e9, figure));
    else
        fprintf(stderr, "weir bench: %s: it is %s\n", condition->text, report_number(value, figure));
}

int report_all(const struct result *result, const struct settings *settings) {
    bool piped = is_stdout(settings->json_path) || is_stdout(settings->html_path);
    FILE *people = piped ? stderr : stdout;
    report_text(result, people);
    bool written = fflush(people) == 0 && !ferror(people);
    written = write_report(result, settings->json_path, report_json) && written;
    written = write_report(result, settings->html_path, report_html) && written;
    bool crossed = false;
    for (unsigned i = 0; i < settings->condition_count; i++) {
        double value;
        if (condition_crossed(&settings->conditions[i], result, &value)) {
            explain_crossed(&settings->conditions[i], value);
            crossed = true;
        }
    }
    return !written ? STATUS_FAILURE : crossed ? STATUS_CROSSED : STATUS_OK;
}
