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
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <weir/weir.h>

static const char channel[] = "news:clock";

struct clock {
    weir_server *server;
    weir_timer *timer;
};

/* Publishing never waits for a subscriber, however many there are and however slowly they read. */
static void tick(void *argument) {
    const struct clock *clock = argument;
    char json[64];
    int size = snprintf(json, sizeof json, "{\"seconds\":%lld}", (long long)time(NULL));
    weir_publish_json(clock->server, channel, json, (size_t)size, NULL, NULL);
}

static int clock_start(weir_server *server, const weir_options *options, void **context, char *error,
                       size_t error_size) {
    struct clock *clock = malloc(sizeof *clock);
    uint64_t every_ms = weir_option_number(options, "every");
    if (clock != NULL) {
        clock->server = server;
        clock->timer = weir_timer_start(server, every_ms, every_ms, tick, clock);
    }
    if (clock == NULL || clock->timer == NULL) {
        free(clock);
        snprintf(error, error_size, "out of memory");
        return -1;
    }
    *context = clock;
    return 0;
}

/* Called when the server stops, and when a reload has removed the route. */
static void clock_stop(void *context) {
    struct clock *clock = context;
    weir_timer_cancel(clock->timer); /* waits for a tick that has begun */
    weir_timer_release(clock->timer);
    free(clock);
}

static void clock_open(weir_conn *conn, void *context) {
    (void)context;
    if (weir_conn_subscribe(conn, channel, NULL, NULL) != WEIR_OK)
        weir_conn_close(conn, 1013, "too many are listening");
}

static const struct weir_handler handler = {WEIR_HANDLER_INIT, .open = clock_open, .flags = WEIR_NEVER_BLOCKS};

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
