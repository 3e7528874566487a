/* clock.c - publishes the time to the channel news:clock from a timer. Each client that connects to this route is
 * subscribed to that channel.
 *
 *     [route /clock]
 *     handler = plugin:../build/examples/clock.so
 *     every = 1s
 *
 *     build/weir connect ws://127.0.0.1:9000/clock
 *
 * Clients of weir.v1 that are subscribed to news:clock on any other route also get it.
 *
 * SPDX-License-Identifier: MIT
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <weir/weir.h>

static const char channel[] = "news:clock";

struct clock {
    weir_server *server;
    uint64_t every_ms;
    pthread_mutex_t mutex; /* guards the members below: a reload may stop the route while tick() is running */
    weir_timer *timer;
    bool stopping;
};

/* Starts a timer for the next tick, and gives the previous timer's handle back. Returns false, and no tick
 * follows, if memory is out or the server does not run. */
static bool wind_locked(struct clock *clock, void (*tick)(void *)) {
    weir_timer *timer = weir_timer_start(clock->server, clock->every_ms, tick, clock);
    if (clock->timer != NULL)
        weir_timer_cancel(clock->timer);
    clock->timer = timer;
    return timer != NULL;
}

/* Publishing never waits for a subscriber, however many there are and however slowly they read. */
static void tick(void *argument) {
    struct clock *clock = argument;
    char json[64];
    int size = snprintf(json, sizeof json, "{\"seconds\":%lld}", (long long)time(NULL));
    long listening = weir_publish_json(clock->server, channel, json, (size_t)size);
    if (listening == WEIR_CLOSED) /* the server is stopping */
        return;
    pthread_mutex_lock(&clock->mutex);
    if (!clock->stopping)
        wind_locked(clock, tick);
    pthread_mutex_unlock(&clock->mutex);
}

/* Called when the server stops, when a reload has removed the route, and by clock_start() if it fails. */
static void clock_stop(void *context) {
    struct clock *clock = context;
    pthread_mutex_lock(&clock->mutex);
    clock->stopping = true;
    pthread_mutex_unlock(&clock->mutex);
    /* Without the mutex: this waits for a tick that has begun, and that tick may be waiting for the mutex. */
    if (clock->timer != NULL)
        weir_timer_cancel(clock->timer);
    pthread_mutex_destroy(&clock->mutex);
    free(clock);
}

static int clock_start(weir_server *server, const weir_options *options, void **context, char *error,
                       size_t error_size) {
    struct clock *clock = calloc(1, sizeof *clock);
    if (clock == NULL) {
        snprintf(error, error_size, "out of memory");
        return -1;
    }
    clock->server = server;
    clock->every_ms = weir_option_number(options, "every");
    pthread_mutex_init(&clock->mutex, NULL);
    pthread_mutex_lock(&clock->mutex);
    bool winds = wind_locked(clock, tick);
    pthread_mutex_unlock(&clock->mutex);
    if (!winds) {
        clock_stop(clock);
        snprintf(error, error_size, "out of memory");
        return -1;
    }
    *context = clock;
    return 0;
}

static void clock_open(weir_conn *conn, void *context) {
    (void)context;
    if (weir_conn_subscribe(conn, channel) != WEIR_OK)
        weir_conn_close(conn, 1013, "too many are listening");
}

static const struct weir_handler handler = {.open = clock_open, .flags = WEIR_NEVER_BLOCKS};

static const struct weir_option options[] = {
    {"every", WEIR_OPTION_DURATION, "1s", "how often it tells the time"},
    {NULL, 0, NULL, NULL},
};

const struct weir_plugin weir_plugin = {
    .abi = WEIR_PLUGIN_ABI,
    .name = "clock",
    .handler = &handler,
    .options = options,
    .start = clock_start,
    .stop = clock_stop,
};
