/* parcel.c - see parcel.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/core/parcel.h"

#include "server/core/conn_private.h"

enum { LOT_SIZE = 64 };

struct message *lot_take(struct lot *lot) {
    if (lot->spare == 0) {
        message_retain_all(lot->message, LOT_SIZE);
        lot->spare = LOT_SIZE;
    }
    lot->spare--;
    return lot->message;
}

void lot_release(struct lot *lot) {
    if (lot->message != NULL)
        message_release_all(lot->message, lot->spare + 1);
}

void audience_add(struct audience *audience, const struct weir_conn *conn) {
    atomic_fetch_add_explicit(&audience->by_bits[conn_send_bits(conn)], 1, memory_order_relaxed);
}

void audience_remove(struct audience *audience, const struct weir_conn *conn) {
    atomic_fetch_sub_explicit(&audience->by_bits[conn_send_bits(conn)], 1, memory_order_relaxed);
}

bool audience_is_empty(const struct audience *audience) {
    for (unsigned bits = 0; bits <= WINDOW_BITS_MAX; bits++)
        if (atomic_load_explicit(&audience->by_bits[bits], memory_order_relaxed) > 0)
            return false;
    return true;
}

void parcel_make(struct parcel *parcel, struct message *plain, const struct audience *audience, size_t threshold) {
    *parcel = (struct parcel){.plain.message = plain};
    const uint8_t *payload = message_payload(plain);
    size_t size = message_payload_size(plain);
    for (unsigned bits = WINDOW_BITS_MIN; bits <= WINDOW_BITS_MAX; bits++)
        if (atomic_load_explicit(&audience->by_bits[bits], memory_order_relaxed) > 0)
            parcel->deflated[bits].message = conn_deflate(threshold, bits, plain->opcode, payload, size);
}

struct message *parcel_take(struct parcel *parcel, const struct weir_conn *conn) {
    struct lot *deflated = &parcel->deflated[conn_send_bits(conn)];
    return lot_take(deflated->message != NULL ? deflated : &parcel->plain);
}

void parcel_release(struct parcel *parcel) {
    lot_release(&parcel->plain);
    for (unsigned bits = WINDOW_BITS_MIN; bits <= WINDOW_BITS_MAX; bits++)
        lot_release(&parcel->deflated[bits]);
}
