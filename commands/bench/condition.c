/* condition.c - see condition.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "commands/bench/condition.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/bench/result.h"
#include "commands/bench/summary.h"

/* --- The statistics ------------------------------------------------------------------------------------------- */

enum unit { COUNT, DURATION, SHARE };

enum source { NUMBER, LATENCY, HANDSHAKE };

/* How to compute a figure: a percentile of a histogram (MEAN and MAXIMUM are special values), or a function. */
enum { MEAN = -1, MAXIMUM = 101 };
struct figure {
    const char *name;
    enum unit unit;
    enum source source;
    double percent;
    double (*number)(const struct result *result);
    const char *help;
};

static double rate(const struct result *result) {
    return summary_per_second(result, SUMMARY_COUNT(received));
}
static double sent_rate(const struct result *result) {
    return summary_per_second(result, SUMMARY_COUNT(sent));
}
static double connected(const struct result *result) {
    return (double)result->counts.connected;
}
static double failed(const struct result *result) {
    return (double)result->counts.failed;
}
static double dropped(const struct result *result) {
    return (double)result->counts.dropped;
}
static double missing(const struct result *result) {
    return (double)result->missing;
}
static double wrong(const struct result *result) {
    return (double)result->wrong;
}
static double out_of_order(const struct result *result) {
    return (double)result->out_of_order;
}
static double unexpected(const struct result *result) {
    return (double)result->unexpected;
}
static double late(const struct result *result) {
    return (double)result->late;
}
static double cpu(const struct result *result) {
    return result->busiest;
}

/* clang-format off */
static const struct figure statistics[] = {
    {"rate",            COUNT,    NUMBER,    0,       rate,         "messages received per second"},
    {"sent-rate",       COUNT,    NUMBER,    0,       sent_rate,    "messages sent per second"},
    {"p50",             DURATION, LATENCY,   50,      NULL,         "latency that half of the messages keep to"},
    {"p90",             DURATION, LATENCY,   90,      NULL,         "latency that 90 % keep to"},
    {"p99",             DURATION, LATENCY,   99,      NULL,         "latency that 99 % keep to"},
    {"p99.9",           DURATION, LATENCY,   99.9,    NULL,         "latency that 99.9 % keep to"},
    {"max",             DURATION, LATENCY,   MAXIMUM, NULL,         "highest latency"},
    {"mean",            DURATION, LATENCY,   MEAN,    NULL,         "mean latency"},
    {"handshake-p50",   DURATION, HANDSHAKE, 50,      NULL,         "the same of opening handshakes"},
    {"handshake-p90",   DURATION, HANDSHAKE, 90,      NULL,         ""},
    {"handshake-p99",   DURATION, HANDSHAKE, 99,      NULL,         ""},
    {"handshake-p99.9", DURATION, HANDSHAKE, 99.9,    NULL,         ""},
    {"handshake-max",   DURATION, HANDSHAKE, MAXIMUM, NULL,         ""},
    {"handshake-mean",  DURATION, HANDSHAKE, MEAN,    NULL,         ""},
    {"connected",       COUNT,    NUMBER,    0,       connected,    "handshakes done"},
    {"failed",          COUNT,    NUMBER,    0,       failed,       "handshakes failed"},
    {"dropped",         COUNT,    NUMBER,    0,       dropped,      "connections that ended too early"},
    {"missing",         COUNT,    NUMBER,    0,       missing,      "messages that never came"},
    {"wrong",           COUNT,    NUMBER,    0,       wrong,        "messages that came back changed"},
    {"out-of-order",    COUNT,    NUMBER,    0,       out_of_order, "messages that overtook others (broadcast)"},
    {"unexpected",      COUNT,    NUMBER,    0,       unexpected,   "messages that came to another room (broadcast)"},
    {"late",            COUNT,    NUMBER,    0,       late,         "messages that could not be sent when it was time"},
    {"cpu",             SHARE,    NUMBER,    0,       cpu,          "time that the tester's busiest thread ran, 0% to 100%"},
};
/* clang-format on */

enum { FIGURES = sizeof statistics / sizeof *statistics };

void condition_list(char *text, size_t size) {
    size_t used = 0;
    if (size > 0)
        *text = '\0';
    for (size_t i = 0; i < FIGURES && used < size; i++) {
        int written = snprintf(text + used, size - used, statistics[i].help[0] != '\0' ? "  %-16s %s\n" : "  %s\n",
                               statistics[i].name, statistics[i].help);
        used += (size_t)(written > 0 ? written : 0);
    }
}

/* --- Parsing ----------------------------------------------------------------------------------------------- */

static const char blanks[] = " \t";

static bool read_figure(const char **text, struct condition *condition, char *error, size_t error_size) {
    size_t size = strcspn(*text, "<> \t=");
    for (unsigned i = 0; i < FIGURES; i++)
        if (strlen(statistics[i].name) == size && memcmp(statistics[i].name, *text, size) == 0) {
            condition->figure = i;
            *text += size;
            return true;
        }
    size_t used = (size_t)snprintf(error, error_size, "\"%s\": no figure \"%.*s\"; there are", condition->text,
                                   (int)size, *text);
    for (unsigned i = 0; i < FIGURES && used < error_size; i++)
        used += (size_t)snprintf(error + used, error_size - used, "%s %s", i > 0 ? "," : "", statistics[i].name);
    return false;
}

static bool read_comparison(const char **text, struct condition *condition) {
    char comparison = **text;
    if (comparison != '<' && comparison != '>')
        return false;
    ++*text;
    if (**text == '=') {
        comparison = comparison == '<' ? 'l' : 'g';
        ++*text;
    }
    condition->comparison = comparison;
    return true;
}

/* Reads digits, with an optional decimal part: no sign, no exponent, no "inf". */
static bool read_number(const char **text, double *number) {
    static const char digits[] = "0123456789";
    size_t size = strspn(*text, digits);
    if (size == 0)
        return false;
    if ((*text)[size] == '.') {
        size_t decimals = strspn(*text + size + 1, digits);
        if (decimals == 0)
            return false;
        size += 1 + decimals;
    }
    *number = strtod(*text, NULL);
    *text += size;
    return isfinite(*number);
}

/* Returns the divisor that converts a number with the unit that follows it to seconds, a share or a count; 0 if
 * there is no such unit. A division gives the double that is closest to the written value. */
static double read_unit(const char **text, enum unit unit) {
    static const struct {
        const char *name;
        enum unit unit;
        double divisor;
    } units[] = {{"ns", DURATION, 1e9}, {"us", DURATION, 1e6}, {"ms", DURATION, 1e3}, {"s", DURATION, 1},
                 {"%", SHARE, 100},     {"", SHARE, 1},        {"", COUNT, 1}};
    size_t size = strcspn(*text, blanks);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (units[i].unit == unit && strlen(units[i].name) == size && memcmp(units[i].name, *text, size) == 0) {
            *text += size;
            return units[i].divisor;
        }
    return 0;
}

static void skip_blanks(const char **text) {
    *text += strspn(*text, blanks);
}

static bool read_limit(const char **text, struct condition *condition) {
    double number = 0;
    if (!read_number(text, &number))
        return false;
    skip_blanks(text);
    double divisor = read_unit(text, statistics[condition->figure].unit);
    skip_blanks(text);
    if (divisor <= 0 || **text != '\0')
        return false;
    condition->limit = number / divisor;
    return true;
}

bool condition_parse(const char *text, struct condition *condition, char *error, size_t error_size) {
    static const char *const shapes[] = {[COUNT] = "a number, like 1000",
                                         [DURATION] = "a duration with its unit, like 50ms (us, ms, s)",
                                         [SHARE] = "a share, like 95% or 0.95"};
    *condition = (struct condition){.text = text};
    skip_blanks(&text);
    if (!read_figure(&text, condition, error, error_size))
        return false;
    const char *name = statistics[condition->figure].name;
    skip_blanks(&text);
    if (!read_comparison(&text, condition)) {
        snprintf(error, error_size, "\"%s\": after \"%s\" one of < <= > >= has to come, and a limit",
                 condition->text, name);
        return false;
    }
    skip_blanks(&text);
    if (!read_limit(&text, condition)) {
        snprintf(error, error_size, "\"%s\": \"%s\" is compared with %s", condition->text, name,
                 shapes[statistics[condition->figure].unit]);
        return false;
    }
    return true;
}

/* --- Evaluation -------------------------------------------------------------------------------------------- */

/* Returns NAN if there are no durations to compute the figure from. */
static double value_of(const struct figure *figure, const struct result *result) {
    if (figure->source == NUMBER)
        return figure->number(result);
    const struct histogram *histogram = figure->source == LATENCY ? &result->latency : &result->handshake;
    if (histogram->count == 0)
        return NAN;
    if (figure->percent > 100)
        return (double)histogram->maximum / 1e9;
    if (figure->percent < 0)
        return histogram_mean(histogram) / 1e9;
    return (double)histogram_percentile(histogram, figure->percent) / 1e9;
}

bool condition_crossed(const struct condition *condition, const struct result *result, double *value) {
    *value = value_of(&statistics[condition->figure], result);
    if (isnan(*value))
        return true;
    switch (condition->comparison) {
    case '<':
        return *value < condition->limit;
    case 'l':
        return *value <= condition->limit;
    case '>':
        return *value > condition->limit;
    default:
        return *value >= condition->limit;
    }
}

bool condition_is_duration(const struct condition *condition) {
    return statistics[condition->figure].unit == DURATION;
}
