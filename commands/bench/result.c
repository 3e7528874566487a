/* result.c - see result.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "commands/bench/result.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double larger(double one, double other) {
    return one > other ? one : other;
}

static void add_counts(struct counts *to, const struct counts *from) {
    to->sent += from->sent;
    to->received += from->received;
    to->sent_bytes += from->sent_bytes;
    to->received_bytes += from->received_bytes;
    to->connected += from->connected;
    to->failed += from->failed;
    to->dropped += from->dropped;
}

/* --- Intervals --------------------------------------------------------------------------------------------- */

/* Returns how many values an interval's percentiles are based on. */
static double weight_of(const struct interval *interval) {
    uint64_t values = interval->counts.received > 0 ? interval->counts.received : interval->counts.connected;
    return interval->maximum == 0 ? 0 : (double)values;
}

static void add_interval(struct interval *to, const struct interval *from) {
    double weight = weight_of(to), weight_from = weight_of(from);
    if (weight + weight_from > 0)
        to->p50 =
            (uint64_t)(((double)to->p50 * weight + (double)from->p50 * weight_from) / (weight + weight_from) + 0.5);
    if (from->p99 > to->p99)
        to->p99 = from->p99;
    if (from->maximum > to->maximum)
        to->maximum = from->maximum;
    add_counts(&to->counts, &from->counts);
    to->open += from->open;
    to->measuring = to->measuring && from->measuring;
}

/* Makes room for `count` intervals and moves the existing ones to index `first`. */
static bool widen(struct result *result, size_t first, size_t count) {
    struct interval *intervals = calloc(count, sizeof *intervals);
    if (intervals == NULL)
        return false;
    if (result->interval_count > 0)
        memcpy(intervals + first, result->intervals, result->interval_count * sizeof *intervals);
    free(result->intervals);
    result->intervals = intervals;
    result->interval_count = count;
    return true;
}

/* Adds intervals at the same time. Where only one of the two has an interval, that one is used unchanged. */
static bool add_intervals(struct result *to, const struct result *from) {
    if (from->interval_count == 0)
        return true;
    if (to->interval_count == 0)
        to->began = from->began;
    int64_t began = to->began < from->began ? to->began : from->began;
    size_t first = (size_t)(to->began - began), shift = (size_t)(from->began - began);
    size_t end = first + to->interval_count, from_end = shift + from->interval_count;
    if (!widen(to, first, end > from_end ? end : from_end))
        return false;
    to->began = began;
    for (size_t i = 0; i < from->interval_count; i++) {
        size_t place = shift + i;
        if (place >= first && place < end)
            add_interval(&to->intervals[place], &from->intervals[i]);
        else
            to->intervals[place] = from->intervals[i];
    }
    return true;
}

/* --- Settings and machines --------------------------------------------------------------------------------- */

/* True if `word` is in `list`, whose words are separated by `separator`. */
static bool has_word(const char *list, const char *word, const char *separator) {
    size_t size = strlen(word), gap = strlen(separator);
    for (const char *found = list; (found = strstr(found, word)) != NULL; found++) {
        bool begins = found == list || ((size_t)(found - list) >= gap && memcmp(found - gap, separator, gap) == 0);
        if (begins && (found[size] == '\0' || strncmp(found + size, separator, gap) == 0))
            return true;
    }
    return false;
}

/* Combines the URLs of both, each once. */
static bool add_urls(struct result *to, const char *urls) {
    size_t size = strlen(urls) + 1, have = to->url != NULL ? strlen(to->url) : 0;
    char *all = malloc(have + 1 + size), *words = strdup(urls), *rest = words;
    if (all == NULL || words == NULL) {
        free(all);
        free(words);
        return false;
    }
    memcpy(all, to->url != NULL ? to->url : "", have);
    all[have] = '\0';
    for (char *word; (word = strsep(&rest, " ")) != NULL;)
        if (*word != '\0' && !has_word(all, word, " ")) {
            char *end = all + strlen(all);
            memcpy(stpcpy(end, end == all ? "" : " "), word, strlen(word) + 1);
        }
    free(words);
    free(to->url);
    to->url = all;
    return true;
}

/* Adds the name of a machine, unless it is present or there is no room. Returns true if it was not present. */
static bool add_name(char *to, size_t size, const char *name) {
    size_t have = strlen(to);
    if (*name == '\0' || has_word(to, name, ", "))
        return false;
    const char *separator = have > 0 ? ", " : "";
    if (have + strlen(separator) + strlen(name) < size)
        snprintf(to + have, size - have, "%s%s", separator, name);
    return true;
}

static void add_machine(struct result *to, const struct result *from) {
    if (!add_name(to->host, sizeof to->host, from->host))
        return;
    to->processors += from->processors;
    to->memory_bytes += from->memory_bytes;
    add_name(to->system, sizeof to->system, from->system);
    add_name(to->processor, sizeof to->processor, from->processor);
}

static void add_settings(struct result *to, const struct result *from) {
    if (to->scenario[0] == '\0' && from->scenario[0] != '\0') {
        memcpy(to->scenario, from->scenario, sizeof to->scenario);
        memcpy(to->expect, from->expect, sizeof to->expect);
        to->window = from->window;
        to->size_min = from->size_min;
        to->text = from->text;
        to->compress = from->compress;
    }
    to->clients += from->clients;
    to->rooms += from->rooms;
    to->publishers += from->publishers;
    to->threads += from->threads;
    to->processes += from->processes;
    to->rate += from->rate;
    to->ramp += from->ramp;
    to->duration = larger(to->duration, from->duration);
    to->warmup = larger(to->warmup, from->warmup);
    if (from->size_max > to->size_max)
        to->size_max = from->size_max;
    if (from->scenario[0] != '\0' && from->size_min < to->size_min)
        to->size_min = from->size_min;
}

/* --- Whole results ----------------------------------------------------------------------------------------- */

static void add_statistics(struct result *to, const struct result *from) {
    add_counts(&to->counts, &from->counts);
    to->missing += from->missing;
    to->out_of_order += from->out_of_order;
    to->unexpected += from->unexpected;
    to->wrong += from->wrong;
    to->late += from->late;
    for (size_t cause = 0; cause < WEIR_CLIENT_CAUSES; cause++)
        to->failures[cause] += from->failures[cause];
    if (to->first_error[0] == '\0')
        memcpy(to->first_error, from->first_error, sizeof to->first_error);
    to->seconds = larger(to->seconds, from->seconds);
    to->connect_seconds = larger(to->connect_seconds, from->connect_seconds);
    to->cpu_seconds += from->cpu_seconds;
    to->busiest = larger(to->busiest, from->busiest);
    to->resident_bytes += from->resident_bytes;
    histogram_add(&to->handshake, &from->handshake);
    histogram_add(&to->latency, &from->latency);
}

bool result_add(struct result *to, const struct result *from) {
    add_settings(to, from);
    add_machine(to, from);
    add_statistics(to, from);
    if (to->began == 0)
        to->began = from->began;
    return (from->url == NULL || add_urls(to, from->url)) && add_intervals(to, from);
}

void result_explain(struct result *result, const char *format, ...) {
    if (result->first_error[0] != '\0')
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(result->first_error, sizeof result->first_error, format, arguments);
    va_end(arguments);
}

const char *result_cause_name(unsigned cause) {
    static const char *const names[WEIR_CLIENT_CAUSES] = {
        [WEIR_CLIENT_NO_ERROR] = "closed by the server",
        [WEIR_CLIENT_BAD_ARGUMENT] = "malformed URL or header",
        [WEIR_CLIENT_NO_TLS] = "TLS is not built in",
        [WEIR_CLIENT_UNKNOWN_HOST] = "unknown host",
        [WEIR_CLIENT_REFUSED] = "connection refused",
        [WEIR_CLIENT_UNREACHABLE] = "unreachable",
        [WEIR_CLIENT_TIMED_OUT] = "timed out",
        [WEIR_CLIENT_HTTP] = "another HTTP status than 101",
        [WEIR_CLIENT_HANDSHAKE] = "not a WebSocket handshake",
        [WEIR_CLIENT_LOST] = "connection lost",
        [WEIR_CLIENT_PROTOCOL] = "protocol error",
        [WEIR_CLIENT_TOO_BIG] = "message too big",
        [WEIR_CLIENT_NO_MEMORY] = "out of memory",
    };
    return cause < WEIR_CLIENT_CAUSES && names[cause] != NULL ? names[cause] : "other";
}

bool result_tester_was_limit(const struct result *result) {
    return result->busiest > 0.95;
}

void result_release(struct result *result) {
    free(result->url);
    free(result->intervals);
    memset(result, 0, sizeof *result);
}
