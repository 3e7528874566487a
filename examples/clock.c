/* clock.c - tells everybody in the channel news:clock what time it is, from a timer; who connects here is in it.
 *
 *     [route /clock]
 *     handler = plugin:../build/examples/clock.so
 *     every = 1s
 *
 *     build/weir connect ws://127.0.0.1:9000/clock
 *
 * Clients of weir.v1 that are subscribed to news:clock, on whatever route, hear it too.
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
    pthread_mutex_t mutex; /* guards what follows: a reload may stop the route while the timer is calling */
    weir_timer *timer;
    bool stopping;
};

/* Winds it up for one more tick, and gives the handle of the last one back. False: no memory, and no tick. */
static bool wind_locked(struct clock *clock, void (*tick)(void *)) {
    weir_timer *timer = weir_after(clock->server, clock->every_ms, tick, clock);
    if (clock->timer != NULL)
        weir_timer_cancel(clock->timer);
    clock->timer = timer;
    return timer != NULL;
}

/* Publishing waits for nobody, however many are listening and however slow they are. */
static void tick(void *argument) {
    struct clock *clock = argument;
    char json[64];
    int size = snprintf(json, sizeof json, "{\"seconds\":%lld}", (long long)time(NULL));
    long listening = weir_publish_json(clock->server, channel, json, (size_t)size);
    if (listening == WEIR_GONE) /* the server is about to stop */
        return;
    pthread_mutex_lock(&clock->mutex);
    if (!clock->stopping)
        wind_locked(clock, tick);
    pthread_mutex_unlock(&clock->mutex);
}

/* The server stops, or a reload has taken the route away. */
static void clock_stop(void *context) {
    struct clock *clock = context;
    pthread_mutex_lock(&clock->mutex);
    clock->stopping = true;
    pthread_mutex_unlock(&clock->mutex);
    /* Not under the mutex: this waits for a tick that has begun, and the tick may be waiting for the mutex. */
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
    if (weir_subscribe(conn, channel) != WEIR_OK)
        weir_close(conn, 1013, "too many are listening");
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
