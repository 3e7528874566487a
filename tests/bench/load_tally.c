/* load_tally.c - see load_tally.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/bench/load_tally.h"

#include <stdarg.h>
#include <stdio.h>

void tally_explain(struct tally *tally, const char *format, ...) {
    if (tally->first_error[0] != '\0')
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(tally->first_error, sizeof tally->first_error, format, arguments);
    va_end(arguments);
}

static double larger(double a, double b) {
    return a > b ? a : b;
}

void tally_add(struct tally *to, const struct tally *from) {
    to->connected += from->connected;
    to->failed += from->failed;
    to->messages += from->messages;
    to->lost += from->lost;
    to->errors += from->errors;
    to->seconds = larger(to->seconds, from->seconds);
    to->connect_seconds = larger(to->connect_seconds, from->connect_seconds);
    to->cpu_seconds += from->cpu_seconds;
    if (from->first_error[0] != '\0')
        tally_explain(to, "%s", from->first_error);
    histogram_add(&to->latency, &from->latency);
}

static double microseconds(const struct tally *tally, double percent) {
    return (double)histogram_percentile(&tally->latency, percent) / 1e3;
}

static double per_second(uint64_t count, double seconds) {
    return seconds > 0 ? (double)count / seconds : 0;
}

static double connect_rate(const struct tally *tally, const struct options *options) {
    return options->scenario == SCENARIO_CONNECT ? per_second(tally->messages, tally->seconds)
                                                 : per_second(tally->connected, tally->connect_seconds);
}

static void print_line(const struct tally *tally, const struct options *options, FILE *out) {
    static const char *const units[] = {"messages", "deliveries", "messages", "handshakes"};
    fprintf(out,
            "%s: %u clients, %.0f %s/s for %.2f s; us: p50 %.1f p90 %.1f p99 %.1f p99.9 %.1f max %.1f; "
            "connected %llu at %.0f/s, failed %llu, lost %llu, errors %llu; own CPU %.2f s\n",
            options->scenario_name, options->clients, per_second(tally->messages, tally->seconds),
            units[options->scenario], tally->seconds, microseconds(tally, 50), microseconds(tally, 90),
            microseconds(tally, 99), microseconds(tally, 99.9), (double)tally->latency.maximum / 1e3,
            (unsigned long long)tally->connected, connect_rate(tally, options), (unsigned long long)tally->failed,
            (unsigned long long)tally->lost, (unsigned long long)tally->errors, tally->cpu_seconds);
    if (tally->first_error[0] != '\0')
        fprintf(stderr, "load: the first error: %s\n", tally->first_error);
}

static void print_json(const struct tally *tally, const struct options *options) {
    printf("{\"scenario\":\"%s\",\"clients\":%u,\"connected\":%llu,\"failed\":%llu,\"messages\":%llu,"
           "\"seconds\":%.6f,\"rate\":%.1f,\"p50_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f,\"max_us\":%.1f,"
           "\"connect_rate\":%.1f,\"lost\":%llu,\"errors\":%llu,\"cpu_seconds\":%.3f}\n",
           options->scenario_name, options->clients, (unsigned long long)tally->connected,
           (unsigned long long)tally->failed, (unsigned long long)tally->messages, tally->seconds,
           per_second(tally->messages, tally->seconds), microseconds(tally, 50), microseconds(tally, 99),
           microseconds(tally, 99.9), (double)tally->latency.maximum / 1e3, connect_rate(tally, options),
           (unsigned long long)tally->lost, (unsigned long long)tally->errors, tally->cpu_seconds);
}

void tally_print(const struct tally *tally, const struct options *options) {
    print_line(tally, options, options->json ? stderr : stdout);
    if (options->json)
        print_json(tally, options);
}
