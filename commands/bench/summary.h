/* summary.h - describes a result in words, for both the table and the page. Pure functions.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BENCH_SUMMARY_H
#define WEIR_BENCH_SUMMARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "commands/bench/result.h"

/* A line of a list. Labels and values are our own text, except for the names of host, system and processor. */
enum { SUMMARY_MAX = 12, SUMMARY_LINE_SIZE = 208 };
struct summary_line {
    const char *label;
    char value[SUMMARY_LINE_SIZE];
};

/* List what was run, without the URLs, and where it ran. Each returns the number of lines. */
size_t summary_settings(const struct result *result, struct summary_line lines[SUMMARY_MAX]);
size_t summary_tester(const struct result *result, struct summary_line lines[SUMMARY_MAX]);

/* Writes what was run, as "Echo, 1,000 clients". */
void summary_title(const struct result *result, char title[SUMMARY_LINE_SIZE]);

/* The counts of failures that are meaningful in this scenario, even if 0: "missing", "1,234". */
struct error_count {
    const char *label;
    uint64_t count;
};
size_t summary_errors(const struct result *result, struct error_count error_counts[SUMMARY_MAX]);

/* True if the scenario sends messages: neither `idle` nor `connect`. */
bool summary_has_messages(const struct result *result);

/* True unless --expect none: answers to the messages are expected, so there are latencies. */
bool summary_has_answers(const struct result *result);

/* Returns one of a result's counts, such as SUMMARY_COUNT(received), per second: the average of the seconds that
 * lie completely within the measured time. What came later, because the server lagged, is not included. Without
 * such a second, divides the count by the measured time; 0 if nothing was measured. */
#define SUMMARY_COUNT(name) offsetof(struct counts, name)
double summary_per_second(const struct result *result, size_t count);

/* Returns the handshakes per second: of the measured seconds, or of all if none was measured. */
double summary_handshake_rate(const struct result *result);

/* Writes one or two sentences about the outcome. Returns true if the run succeeded. */
enum { SUMMARY_VERDICT_SIZE = 512 };
bool summary_verdict(const struct result *result, char text[SUMMARY_VERDICT_SIZE]);

/* The warning to show if result_tester_was_limit(). */
extern const char summary_limit_warning[];

/* Returns the next character of a terminated, untrusted text and advances *text past it; U+FFFD for control
 * characters and bytes that are not UTF-8. */
uint32_t summary_character(const char **text);

#endif
