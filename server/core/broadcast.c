/* broadcast.c - see broadcast.h. A message is encoded and compressed before the registry's mutex is taken; under
 * it only references are handed out.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/core/broadcast.h"

#include "server/core/conn_private.h"
#include "server/core/encodings.h"
#include "server/core/turn.h"
#include "ws/close_code.h"

struct broadcast {
    struct encodings encodings;
    const struct weir_conn *except;
    struct task_list ready;
    long accepted;
};

static void broadcast_append(struct weir_conn *conn, void *arg) {
    struct broadcast *broadcast = arg;
    if (conn == broadcast->except)
        return;
    struct message *message = encodings_take(&broadcast->encodings, conn);
    if (conn_append(conn, message, &broadcast->ready) == WEIR_OK)
        broadcast->accepted++;
    else
        message_release(message);
}

long broadcast_to_route(struct route *route, const struct weir_conn *except, enum weir_opcode opcode,
                        const void *data, size_t size) {
    if (!conn_message_is_valid(opcode, data, size))
        return WEIR_INVALID;
    struct broadcast broadcast = {.except = except};
    struct message *plain = message_create((uint8_t)opcode, data, size);
    if (plain == NULL)
        return WEIR_NO_MEMORY;
    encodings_init(&broadcast.encodings, plain);
    encodings_compress(&broadcast.encodings, &route->receivers, core_settings(route->core)->compression_threshold);
    registry_each(&route->core->registry, route, broadcast_append, &broadcast);
    pool_submit_list(route->core->pool, &broadcast.ready);
    encodings_release(&broadcast.encodings);
    traffic_sent(&route->traffic, (uint64_t)broadcast.accepted, (uint64_t)broadcast.accepted * size);
    atomic_histogram_add(&route->core->counters.fan_out, atomic_histogram_numbers, (uint64_t)broadcast.accepted);
    return broadcast.accepted;
}

long weir_conn_broadcast(weir_conn *conn, enum weir_opcode opcode, const void *data, size_t size,
                         bool include_self) {
    if (!weir_conn_is_open(conn))
        return WEIR_CLOSED;
    long accepted = broadcast_to_route(conn->route, include_self ? NULL : conn, opcode, data, size);
    if (accepted == WEIR_NO_MEMORY)
        conn_close_here(conn, CLOSE_INTERNAL_ERROR, "out of memory");
    return accepted;
}
