/* server_calls.c - what handlers and programs ask of a running server. Any thread may call these functions.
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include <weir/channel.h>
#include <weir/conn.h>

#include "server/core/broadcast.h"
#include "server/core/conn.h"
#include "server/core/user_timer.h"
#include "server/server_private.h"

/* --- Messages ---------------------------------------------------------------------------------------------- */

long weir_server_broadcast(weir_server *server, const char *pattern, enum weir_opcode opcode, const void *data,
                           size_t size) {
    if (!atomic_load(&server->running))
        return WEIR_CLOSED;
    struct route_entries *entries = route_entries_current(&server->dispatch.current_routes);
    struct route *route = route_entries_find(entries, pattern);
    long accepted = route == NULL ? WEIR_INVALID : broadcast_to_route(route, NULL, opcode, data, size);
    route_entries_release(entries);
    return accepted;
}

enum weir_status weir_publish(weir_server *server, const char *channel, enum weir_opcode opcode, const void *data,
                              size_t size, weir_publish_callback *done, void *context) {
    if (!atomic_load(&server->running))
        return WEIR_CLOSED;
    return channels_publish_message(&server->run->channels, channel, opcode, data, size, done, context);
}

enum weir_status weir_publish_json(weir_server *server, const char *channel, const void *json, size_t size,
                                   weir_publish_callback *done, void *context) {
    if (!atomic_load(&server->running))
        return WEIR_CLOSED;
    return channels_publish_json(&server->run->channels, channel, json, size, done, context);
}

/* --- Timers ------------------------------------------------------------------------------------------------ */

weir_timer *weir_timer_start(weir_server *server, uint64_t delay_ms, uint64_t interval_ms,
                             void (*callback)(void *arg), void *arg) {
    if (!atomic_load(&server->running))
        return NULL;
    return user_timer_start(&server->run->core, delay_ms, interval_ms, callback, arg);
}

/* --- Connections ------------------------------------------------------------------------------------------- */

weir_conn *weir_server_find(weir_server *server, uint64_t id) {
    return atomic_load(&server->running) ? registry_find(&server->run->core.registry, id) : NULL;
}

enum { PORTION = 256 };

/* Some connections with a reference each, so that they can be visited without the registry's mutex. */
struct portion {
    const char *pattern; /* NULL: of every route */
    weir_conn *conns[PORTION];
    unsigned count;
};

static void take_into_portion(struct weir_conn *conn, void *arg) {
    struct portion *portion = arg;
    if (portion->pattern == NULL || strcmp(conn->route->pattern, portion->pattern) == 0)
        portion->conns[portion->count++] = weir_conn_retain(conn);
}

/* Returns false if `visit` has ended the visits. */
static bool visit_portion(const struct portion *portion, bool (*visit)(weir_conn *conn, void *context),
                          void *context, size_t *visited) {
    bool goes_on = true;
    for (unsigned i = 0; i < portion->count; i++) {
        if (goes_on) {
            ++*visited;
            goes_on = visit(portion->conns[i], context);
        }
        weir_conn_release(portion->conns[i]);
    }
    return goes_on;
}

size_t weir_server_each(weir_server *server, const char *pattern, bool (*visit)(weir_conn *conn, void *context),
                        void *context) {
    struct portion portion = {.pattern = pattern};
    size_t visited = 0;
    uint32_t position = 0;
    unsigned seen;
    if (!atomic_load(&server->running))
        return 0;
    do {
        portion.count = 0;
        seen = registry_each_from(&server->run->core.registry, &position, PORTION, take_into_portion, &portion);
    } while (visit_portion(&portion, visit, context, &visited) && seen == PORTION);
    return visited;
}
