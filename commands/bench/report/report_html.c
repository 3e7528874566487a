/* report_html.c - writes results as one self-contained page: page.html, with the JSON of the runs in it.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

#include "commands/bench/report/report.h"

/* page.html, terminated; the Makefile makes it. */
extern const char report_page[];

static const char placeholder[] = "@DATA@";

/* Writes JSON as the text of a script element. Markup occurs only within strings, where JSON can escape it. */
static ssize_t html_write_json(void *cookie, const char *json, size_t size) {
    FILE *out = cookie;
    for (size_t i = 0; i < size; i++)
        if (strchr("<>&", json[i]) != NULL && json[i] != '\0')
            fprintf(out, "\\u%04x", (unsigned)json[i]);
        else
            putc(json[i], out);
    return ferror(out) ? 0 : (ssize_t)size;
}

void report_html_runs(const struct report_run *runs, size_t count, FILE *out) {
    const char *place = strstr(report_page, placeholder);
    FILE *json = fopencookie(out, "w", (cookie_io_functions_t){.write = html_write_json});
    if (place == NULL || json == NULL)
        return;
    fwrite(report_page, 1, (size_t)(place - report_page), out);
    report_json_runs(runs, count, json);
    fclose(json);
    fputs(place + sizeof placeholder - 1, out);
}

void report_html(const struct result *result, FILE *out) {
    const struct report_run run = {"", result};
    report_html_runs(&run, 1, out);
}
