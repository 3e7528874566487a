/* light.c - switches a lamp on or off, as the path says. The message is the lamp's address, and the lamp is slow.
 *
 *     [route /light/{status}]
 *     handler = plugin:../build/examples/light.so
 *     delay = 2s
 *
 * The handler blocks for `delay` while it handles a message, as a driver or a database call would. That is
 * allowed: it holds one of the server's `workers` permits meanwhile, and other clients are served.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <weir/weir.h>

/* A route's options, set by light_start(). The callbacks of that route get this as their context. It needs no
 * lock, because nothing changes it after light_start(). */
struct light {
    struct timespec delay;
};

static int light_start(weir_server *server, const weir_options *options, void **context, char *error,
                       size_t error_size) {
    (void)server;
    struct light *light = calloc(1, sizeof *light);
    if (light == NULL) {
        snprintf(error, error_size, "out of memory");
        return -1;
    }
    uint64_t milliseconds = weir_option_number(options, "delay");
    light->delay.tv_sec = (time_t)(milliseconds / 1000);
    light->delay.tv_nsec = (long)(milliseconds % 1000) * 1000000;
    *context = light;
    return 0;
}

static void light_stop(void *context) {
    free(context);
}

/* Simulates switching the lamp at `address` (`size` bytes, no terminator). */
static void switch_lamp(const struct light *light, const void *address, size_t size) {
    (void)address, (void)size;
    struct timespec left = light->delay;
    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        ;
}

static void light_message(weir_conn *conn, enum weir_opcode opcode, const void *data, size_t size, void *context) {
    (void)opcode;
    const char *status = weir_conn_param(conn, "status");
    const char *answer = "invalid params";
    if (status != NULL && strcmp(status, "on") == 0)
        answer = "the light has turned on";
    else if (status != NULL && strcmp(status, "off") == 0)
        answer = "the light has turned off";
    switch_lamp(context, data, size);
    /* The client may have left meanwhile. The handle is still valid until we return, and this does nothing. */
    weir_conn_send(conn, WEIR_TEXT, answer, strlen(answer));
}

static const struct weir_handler handler = {WEIR_HANDLER_INIT, .message = light_message};

static const struct weir_option options[] = {
    {"delay", WEIR_OPTION_DURATION, "2s", "how long a lamp takes to switch"},
    {NULL, 0, NULL, NULL},
};

const struct weir_plugin weir_plugin = {
    .abi = WEIR_PLUGIN_ABI,
    .name = "light",
    .handler = &handler,
    .options = options,
    .start = light_start,
    .stop = light_stop,
};
