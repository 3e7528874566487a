/* metrics.c - see metrics.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/admin/metrics.h"

#include <locale.h>
#include <stdlib.h>

#include <weir/weir.h>

#include "base/utf8.h"
#include "server/core/memory.h"
#include "server/log/log.h"

#define MICROSECONDS 1e-6

/* --- The format -------------------------------------------------------------------------------------------- */

void metrics_begin(FILE *out, const char *name, const char *type, const char *help) {
    fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void metrics_gauge(FILE *out, const char *name, const char *help, double value) {
    metrics_begin(out, name, "gauge", help);
    fprintf(out, "%s %.17g\n", name, value);
}

void metrics_counter(FILE *out, const char *name, const char *help, double value) {
    metrics_begin(out, name, "counter", help);
    fprintf(out, "%s %.17g\n", name, value);
}

/* Writes a label's value: escapes backslash, quote and line feed, and replaces bytes that are not UTF-8. One such
 * byte would make the whole scrape fail. */
static void print_escaped(FILE *out, const char *text) {
    for (size_t size; *text != '\0'; text += size == 0 ? 1 : size) {
        size = utf8_character(text);
        if (*text == '\\' || *text == '"')
            fputc('\\', out);
        if (*text == '\n')
            fputs("\\n", out);
        else if (size == 0)
            fputc('?', out);
        else
            fwrite(text, 1, size, out);
    }
}

void metrics_labelled(FILE *out, const char *name, const char *label, const char *text, double value) {
    fprintf(out, "%s{%s=\"", name, label);
    print_escaped(out, text);
    fprintf(out, "\"} %.17g\n", value);
}

/* Writes a histogram. Bounds and sum are multiplied by `unit`. `label` is left out if it is NULL. */
static void histogram(FILE *out, const char *name, const char *label, const char *text,
                      const struct atomic_histogram *values, histogram_bounds bounds, double unit) {
    uint64_t count = 0;
    for (unsigned i = 0;; i++) {
        count += atomic_load_explicit(&values->counts[i], memory_order_relaxed);
        fprintf(out, "%s_bucket{", name);
        if (label != NULL) {
            fprintf(out, "%s=\"", label);
            print_escaped(out, text);
            fputs("\",", out);
        }
        if (bounds[i] == 0)
            break;
        fprintf(out, "le=\"%.6g\"} %llu\n", (double)bounds[i] * unit, (unsigned long long)count);
    }
    fprintf(out, "le=\"+Inf\"} %llu\n", (unsigned long long)count);
    for (int sum = 1; sum >= 0; sum--) {
        fprintf(out, "%s_%s", name, sum ? "sum" : "count");
        if (label != NULL) {
            fprintf(out, "{%s=\"", label);
            print_escaped(out, text);
            fputs("\"}", out);
        }
        fprintf(out, " %.17g\n", sum ? (double)atomic_load(&values->sum) * unit : (double)count);
    }
}

/* --- Connections ------------------------------------------------------------------------------------------- */

static const char *const refusal_names[REFUSALS] = {[REFUSED_HANDSHAKE] = "handshake",
                                                    [REFUSED_ROUTE] = "route",
                                                    [REFUSED_ORIGIN] = "origin",
                                                    [REFUSED_SUBPROTOCOL] = "negotiation",
                                                    [REFUSED_HANDLER] = "handler",
                                                    [REFUSED_CONNECTIONS] = "max_connections",
                                                    [REFUSED_ADDRESS] = "connections_per_ip",
                                                    [REFUSED_RATE] = "upgrades_per_ip",
                                                    [REFUSED_STOPPING] = "stopping",
                                                    [REFUSED_GONE] = "gone",
                                                    [REFUSED_RESOURCES] = "resources"};

/* Writes all codes from the beginning: a counter that appears with its first event hides that event from
 * rate(). */
static void print_closed(FILE *out, const struct counters *counters) {
    static const char *const names[] = {"3xxx", "4xxx", "other"};
    metrics_begin(out, "weir_connections_closed_total", "counter",
                  "Connections that ended, by the close code that their handler was told.");
    for (unsigned i = 0; i < CLOSE_CLASSES; i++) {
        char code[8];
        snprintf(code, sizeof code, "%u", 1000 + i);
        metrics_labelled(out, "weir_connections_closed_total", "code", i < 16 ? code : names[i - 16],
                         (double)atomic_load(&counters->closed[i]));
    }
}

static void print_connections(FILE *out, struct core *core) {
    const struct counters *counters = &core->counters;
    metrics_gauge(out, "weir_connections", "Connections that are open.", registry_count(&core->registry));
    metrics_gauge(out, "weir_connections_max", "Connections that there may be.", registry_limit(&core->registry));
    metrics_counter(out, "weir_connections_accepted_total", "Handshakes that became connections.",
                    (double)atomic_load(&counters->accepted));
    metrics_begin(out, "weir_connections_refused_total", "counter", "Handshakes that were refused, by reason.");
    for (unsigned i = 0; i < REFUSALS; i++)
        metrics_labelled(out, "weir_connections_refused_total", "reason", refusal_names[i],
                         (double)atomic_load(&counters->refused[i]));
    print_closed(out, counters);
    metrics_begin(out, "weir_handshake_duration_seconds", "histogram", "From a request to its 101.");
    histogram(out, "weir_handshake_duration_seconds", NULL, NULL, &counters->handshakes,
              atomic_histogram_microseconds, MICROSECONDS);
    metrics_counter(out, "weir_requests_unfinished_total",
                    "Requests that were cut off since they were not finished.",
                    (double)atomic_load(&counters->half_open_closed));
}

/* --- Routes ------------------------------------------------------------------------------------------------ */

enum figure { OPEN, RECEIVED, RECEIVED_BYTES, SENT, SENT_BYTES, RUNNING, WAITING };

static double traffic_sum(const struct traffic *traffic, enum figure figure) {
    uint64_t sum = 0;
    for (unsigned i = 0; i < STRIPES; i++)
        sum += atomic_load_explicit(figure == RECEIVED         ? &traffic->stripes[i].received
                                    : figure == RECEIVED_BYTES ? &traffic->stripes[i].received_bytes
                                    : figure == SENT           ? &traffic->stripes[i].sent
                                                               : &traffic->stripes[i].sent_bytes,
                                    memory_order_relaxed);
    return (double)sum;
}

static double route_figure(struct route *route, enum figure figure) {
    unsigned running;
    size_t waiting;
    if (figure == OPEN)
        return atomic_load(&route->open);
    if (figure != RUNNING && figure != WAITING)
        return traffic_sum(&route->traffic, figure);
    pool_concurrency_statistics(route->core->pool, &route->concurrency, &running, &waiting);
    return figure == RUNNING ? running : (double)waiting;
}

static void print_routes(FILE *out, const struct route_entries *entries) {
    static const struct {
        const char *name, *type, *help;
        enum figure figure;
    } statistics[] = {
        {"weir_route_connections", "gauge", "Connections that are open, by route.", OPEN},
        {"weir_messages_received_total", "counter", "Messages from clients.", RECEIVED},
        {"weir_message_bytes_received_total", "counter", "Payload of messages from clients, inflated.",
         RECEIVED_BYTES},
        {"weir_messages_sent_total", "counter", "Messages accepted for clients, each receiver counted.", SENT},
        {"weir_message_bytes_sent_total", "counter",
         "Payload of messages accepted for clients, before compression.", SENT_BYTES},
        {"weir_handlers_running", "gauge", "Handlers that run or block, by route.", RUNNING},
        {"weir_handlers_waiting", "gauge", "Connections whose handlers wait for others of their route.", WAITING},
    };
    for (size_t i = 0; i < sizeof statistics / sizeof *statistics; i++) {
        metrics_begin(out, statistics[i].name, statistics[i].type, statistics[i].help);
        for (size_t j = 0; j < entries->count; j++) {
            struct route *route = entries->items[j].route;
            metrics_labelled(out, statistics[i].name, "route", route->pattern,
                             route_figure(route, statistics[i].figure));
        }
    }
    metrics_begin(out, "weir_handler_duration_seconds", "histogram", "Callbacks of handlers that may block.");
    for (size_t i = 0; i < entries->count; i++) {
        const struct route *route = entries->items[i].route;
        if (!route_never_blocks(route))
            histogram(out, "weir_handler_duration_seconds", "route", route->pattern, &route->handling,
                      atomic_histogram_microseconds, MICROSECONDS);
    }
}

/* --- The rest ---------------------------------------------------------------------------------------------- */

static void print_pool(FILE *out, struct pool *pool) {
    struct pool_statistics statistics;
    pool_statistics(pool, &statistics);
    metrics_gauge(out, "weir_workers", "Handlers that may run at once.", statistics.workers);
    metrics_gauge(out, "weir_workers_busy", "Handlers that run, or block.", statistics.busy);
    metrics_begin(out, "weir_queue_tasks", "gauge", "Tasks that wait for a thread.");
    metrics_labelled(out, "weir_queue_tasks", "queue", "io", (double)statistics.io);
    metrics_labelled(out, "weir_queue_tasks", "queue", "handler", (double)statistics.handler);
    metrics_begin(out, "weir_queue_wait_seconds", "histogram", "How long tasks wait; a sample of them.");
    histogram(out, "weir_queue_wait_seconds", "queue", "io", statistics.io_waits, atomic_histogram_microseconds,
              MICROSECONDS);
    histogram(out, "weir_queue_wait_seconds", "queue", "handler", statistics.handler_waits,
              atomic_histogram_microseconds, MICROSECONDS);
    metrics_counter(out, "weir_tasks_total", "Tasks that threads have taken.", (double)statistics.tasks);
    metrics_counter(out, "weir_polls_total", "Times that a thread has polled.", (double)statistics.polls);
    metrics_counter(out, "weir_wakeups_total", "Times that a thread was woken to take over.",
                    (double)statistics.wakeups);
}

static void print_sending(FILE *out, const struct core *core) {
    const struct counters *counters = &core->counters;
    metrics_begin(out, "weir_slow_consumers_total", "counter", "What was done about clients that do not read.");
    metrics_labelled(out, "weir_slow_consumers_total", "action", "disconnected",
                     (double)atomic_load(&counters->slow_disconnected));
    metrics_labelled(out, "weir_slow_consumers_total", "action", "timed_out",
                     (double)atomic_load(&counters->send_timed_out));
    metrics_labelled(out, "weir_slow_consumers_total", "action", "memory_limit",
                     (double)atomic_load(&counters->memory_limited));
    metrics_counter(out, "weir_messages_dropped_total", "Messages that slow clients have lost.",
                    (double)thread_counter_sum(&counters->dropped));
    metrics_counter(out, "weir_connections_rate_limited_total", "Clients that were closed for sending too fast.",
                    (double)atomic_load(&counters->rate_limited));
    metrics_gauge(out, "weir_message_memory_bytes",
                  "Messages, long paths, subscriptions and channels in memory, as memory_limit counts them.",
                  (double)memory_used());
    metrics_gauge(out, "weir_message_memory_limit_bytes", "What memory_limit allows; 0: no limit.",
                  (double)atomic_load(&core->memory_limit.limit));
    metrics_begin(out, "weir_broadcast_receivers", "histogram",
                  "Clients that one broadcast, or one publish to a channel, has reached.");
    histogram(out, "weir_broadcast_receivers", NULL, NULL, &counters->fan_out, atomic_histogram_numbers, 1);
    metrics_counter(out, "weir_pings_sent_total", "Pings.", (double)atomic_load(&counters->pings));
    metrics_begin(out, "weir_round_trip_seconds", "histogram", "From a ping to its pong.");
    histogram(out, "weir_round_trip_seconds", NULL, NULL, &counters->round_trips, atomic_histogram_microseconds,
              MICROSECONDS);
}

static void print_server(FILE *out, const struct counters *counters) {
    metrics_begin(out, "weir_build_info", "gauge", "Which weir this is.");
    metrics_labelled(out, "weir_build_info", "version", WEIR_VERSION, 1);
    metrics_counter(out, "weir_messages_handled_total", "Messages that a handler was called with.",
                    (double)thread_counter_sum(&counters->handled));
    metrics_begin(out, "weir_reloads_total", "counter", "Times that the configuration was read again.");
    metrics_labelled(out, "weir_reloads_total", "result", "done", (double)atomic_load(&counters->reloads));
    metrics_labelled(out, "weir_reloads_total", "result", "refused",
                     (double)atomic_load(&counters->failed_reloads));
    metrics_gauge(out, "weir_config_last_reload_successful", "0: the file was wrong, the one before is in force.",
                  atomic_load(&counters->reload_failed) ? 0 : 1);
    metrics_counter(out, "weir_log_lines_dropped_total", "Log lines dropped because the buffer was full.",
                    (double)log_lost());
}

char *metrics_text(struct core *core, const struct route_entries *entries) {
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL)
        return NULL;
    locale_t plain = newlocale(LC_ALL_MASK, "C", NULL), before = uselocale(plain); /* a point in numbers */
    print_server(out, &core->counters);
    print_connections(out, core);
    print_routes(out, entries);
    print_sending(out, core);
    if (core->channels != NULL)
        metrics_channels(out, core->channels);
    print_pool(out, core->pool);
    metrics_process(out);
    uselocale(before);
    freelocale(plain);
    bool failed = ferror(out) != 0;
    if (fclose(out) == 0 && !failed)
        return text;
    free(text);
    return NULL;
}
