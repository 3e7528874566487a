/* broadcast.c - see broadcast.h. Any thread. A message is encoded and compressed before the registry's mutex is
 * taken; under it only references are handed out.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/core/broadcast.h"

#include "server/core/conn_private.h"
#include "server/proto/close_code.h"

struct broadcast {
    struct message *plain;
    struct message *deflated[WINDOW_BITS_MAX + 1]; /* by the window that it keeps to; NULL: plain will do */
    const struct weir_conn *except;
    struct task_list ready;
    long accepted;
};

/* Once for each window that somebody on the route has asked for; nearly always that is one. Who comes with another
 * one just now gets it plain. */
static int encode(struct broadcast *broadcast, struct route *route, uint8_t opcode, const void *data, size_t size) {
    broadcast->plain = message_create(opcode, data, size);
    if (broadcast->plain == NULL)
        return -1;
    for (unsigned bits = WINDOW_BITS_MIN; bits <= WINDOW_BITS_MAX; bits++)
        if (atomic_load(&route->audience[bits]) > 0)
            broadcast->deflated[bits] =
                conn_deflate(core_terms(route->core)->compression_threshold, bits, opcode, data, size);
    return 0;
}

static void release(struct broadcast *broadcast) {
    message_release(broadcast->plain);
    for (unsigned bits = WINDOW_BITS_MIN; bits <= WINDOW_BITS_MAX; bits++)
        message_release(broadcast->deflated[bits]);
}

static void append(struct weir_conn *conn, void *arg) {
    struct broadcast *broadcast = arg;
    if (conn == broadcast->except)
        return;
    struct message *deflated = broadcast->deflated[conn_send_bits(conn)];
    struct message *message = deflated != NULL ? deflated : broadcast->plain;
    if (conn_append(conn, message, &broadcast->ready) == WEIR_OK)
        broadcast->accepted++;
}

long broadcast_to_route(struct route *route, const struct weir_conn *except, enum weir_opcode opcode,
                        const void *data, size_t size) {
    if (!core_is_message(opcode))
        return WEIR_INVALID;
    struct broadcast broadcast = {.except = except};
    if (encode(&broadcast, route, (uint8_t)opcode, data, size) != 0)
        return WEIR_NO_MEMORY;
    registry_each(&route->core->registry, route, append, &broadcast);
    pool_submit_list(route->core->pool, &broadcast.ready);
    release(&broadcast);
    traffic_sent(&route->traffic, (uint64_t)broadcast.accepted, (uint64_t)broadcast.accepted * size);
    buckets_add(&route->core->counters.fan_out, buckets_numbers, (uint64_t)broadcast.accepted);
    return broadcast.accepted;
}

long weir_broadcast(weir_conn *conn, enum weir_opcode opcode, const void *data, size_t size, bool include_self) {
    if (!weir_conn_is_open(conn))
        return WEIR_GONE;
    long accepted = broadcast_to_route(conn->route, include_self ? NULL : conn, opcode, data, size);
    if (accepted == WEIR_NO_MEMORY)
        conn_close_here(conn, CLOSE_INTERNAL_ERROR, "out of memory");
    return accepted;
}
