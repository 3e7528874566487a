/* facts.h - a result in words, for the table and the page alike. Pure functions.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BENCH_FACTS_H
#define WEIR_BENCH_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/bench/result.h"

/* A line of a list. Label and value come from us, but for the names of host, system and processor. */
enum { FACTS_MAX = 12, FACT_SIZE = 208 };
struct fact {
    const char *label;
    char value[FACT_SIZE];
};

/* What was run; where it ran. The URLs are not among them. Each returns how many there are. */
size_t facts_of_settings(const struct result *result, struct fact facts[FACTS_MAX]);
size_t facts_of_tester(const struct result *result, struct fact facts[FACTS_MAX]);

/* The counts of what went wrong that mean something in this scenario, 0 or not: "missing", "1,234". */
struct trouble {
    const char *label;
    uint64_t count;
};
size_t facts_of_trouble(const struct result *result, struct trouble troubles[FACTS_MAX]);

/* True if the scenario sends messages: neither `idle` nor `connect`. */
bool facts_has_messages(const struct result *result);

/* True if what was sent is awaited, so that there are latencies: without --expect none. */
bool facts_has_answers(const struct result *result);

/* Of the counts of a result, by FACTS_COUNT(received) and the like, how many there were in a second, on average of
 * those that lie wholly in the measured time. What came later, since the server was behind, is no part of it. Of a
 * run without such a second: the count by the measured time; 0 if nothing was measured. */
#define FACTS_COUNT(name) offsetof(struct counts, name)
double facts_per_second(const struct result *result, size_t count);

/* Handshakes per second: of the measured seconds, or of all if none was measured. */
double facts_handshake_rate(const struct result *result);

/* One sentence or two on what came out. True if all went well. */
enum { FACTS_VERDICT_SIZE = 512 };
bool facts_verdict(const struct result *result, char text[FACTS_VERDICT_SIZE]);

/* What to say if result_tester_was_limit(). */
extern const char facts_limit_warning[];

/* The next character of a terminated text that came from outside, which is advanced by it; U+FFFD for what is not
 * UTF-8 and for control characters. */
uint32_t facts_character(const char **text);

#endif
