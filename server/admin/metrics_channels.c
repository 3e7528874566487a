/* metrics_channels.c - metrics of all channels together, of what they remember, and of what is published to them.
 * Clients choose channel names, so no name is a label. The HTTP API gives the statistics of a single channel.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/admin/metrics.h"

static uint32_t limit_of(struct channels *channels) {
    mutex_lock(&channels->mutex);
    uint32_t limit = channels->limits.channels;
    mutex_unlock(&channels->mutex);
    return limit;
}

static uint32_t count_idle(struct channels *channels) {
    mutex_lock(&channels->mutex);
    uint32_t count = channels->idle_count;
    mutex_unlock(&channels->mutex);
    return count;
}

static void print_table(FILE *out, struct channels *channels) {
    uint32_t count;
    uint64_t subscriptions;
    channels_count(channels, &count, &subscriptions);
    metrics_gauge(out, "weir_channels", "Channels that there are: with subscribers, or idle.", count);
    metrics_gauge(out, "weir_channels_idle",
                  "Channels without subscribers, which have a history or keep their position.",
                  count_idle(channels));
    metrics_gauge(out, "weir_channels_max", "Channels that there may be.", limit_of(channels));
    metrics_gauge(out, "weir_subscriptions", "Subscriptions to all channels together.", (double)subscriptions);
}

static void print_events(FILE *out, const struct channel_counters *counters) {
    static const char *const sources[PUBLISHED_BY_COUNT] = {
        [PUBLISHED_BY_CLIENT] = "client", [PUBLISHED_BY_API] = "api", [PUBLISHED_BY_HANDLER] = "handler"};
    metrics_begin(out, "weir_publishes_total", "counter",
                  "Messages published to channels, by who did it; weir_broadcast_receivers has whom they reached.");
    for (unsigned i = 0; i < PUBLISHED_BY_COUNT; i++)
        metrics_labelled(out, "weir_publishes_total", "source", sources[i],
                         (double)thread_counter_sum(&counters->published[i]));
    metrics_begin(out, "weir_channels_evicted_total", "counter",
                  "Idle channels forgotten early: their client had made too many, or there were too many.");
    metrics_labelled(out, "weir_channels_evicted_total", "reason", "client",
                     (double)atomic_load(&counters->evicted_own));
    metrics_labelled(out, "weir_channels_evicted_total", "reason", "full",
                     (double)atomic_load(&counters->evicted_full));
    metrics_begin(out, "weir_recoveries_total", "counter",
                  "Subscriptions that asked for what they had missed, by whether they got all of it.");
    metrics_labelled(out, "weir_recoveries_total", "result", "complete", (double)atomic_load(&counters->recovered));
    metrics_labelled(out, "weir_recoveries_total", "result", "incomplete",
                     (double)atomic_load(&counters->not_recovered));
}

static void print_history(FILE *out, struct history_store *store) {
    const struct history_statistics statistics = history_store_statistics(store);
    metrics_gauge(out, "weir_history_messages", "Messages that channels remember.", (double)statistics.messages);
    metrics_gauge(out, "weir_history_bytes", "Memory of these, as history_memory counts it.",
                  (double)statistics.bytes);
    metrics_gauge(out, "weir_history_limit_bytes", "What history_memory allows.", (double)statistics.limit);
    metrics_counter(out, "weir_history_evicted_total", "Messages forgotten early, since history_memory was full.",
                    (double)statistics.evicted);
}

void metrics_channels(FILE *out, struct channels *channels) {
    print_table(out, channels);
    print_events(out, &channels->counters);
    print_history(out, &channels->store);
}
