/* parcel.c - see parcel.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/core/parcel.h"

#include "server/core/conn_private.h"

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
    *parcel = (struct parcel){.plain = plain};
    size_t size;
    const uint8_t *payload = message_payload(plain, &size);
    for (unsigned bits = WINDOW_BITS_MIN; bits <= WINDOW_BITS_MAX; bits++)
        if (atomic_load_explicit(&audience->by_bits[bits], memory_order_relaxed) > 0)
            parcel->deflated[bits] = conn_deflate(threshold, bits, plain->opcode, payload, size);
}

struct message *parcel_for(const struct parcel *parcel, const struct weir_conn *conn) {
    struct message *deflated = parcel->deflated[conn_send_bits(conn)];
    return deflated != NULL ? deflated : parcel->plain;
}

void parcel_release(struct parcel *parcel) {
    message_release(parcel->plain);
    for (unsigned bits = WINDOW_BITS_MIN; bits <= WINDOW_BITS_MAX; bits++)
        message_release(parcel->deflated[bits]);
}
