/* pubsub.c - lets clients speak weir.v1. Decides which channels the clients of a route may use, and whether they
 * may publish.
 *
 * SPDX-License-Identifier: MIT
 */
#include <weir/weir.h>

#include "server/channels/channel_name.h"
#include "server/handlers/builtin.h"

static bool is_open_to(const struct builtin_route *route, const char *channel) {
    for (char *const *pattern = route->allowed_channels; *pattern != NULL; pattern++)
        if (channel_pattern_matches(*pattern, channel))
            return true;
    return false;
}

static int may_subscribe(weir_conn *conn, const char *channel, void *context) {
    (void)conn;
    return is_open_to(context, channel) ? 0 : -1;
}

static int may_publish(weir_conn *conn, const char *channel, const void *json, size_t size, void *context) {
    (void)conn, (void)json, (void)size;
    const struct builtin_route *route = context;
    return route->may_publish && is_open_to(route, channel) ? 0 : -1;
}

const struct weir_handler handler_pubsub = {
    WEIR_HANDLER_INIT,      .message = weir_pubsub_message, .subscribe = may_subscribe,
    .publish = may_publish, .flags = WEIR_NEVER_BLOCKS,
};
