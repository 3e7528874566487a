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

/* --- Windows ----------------------------------------------------------------------------------------------- */

/* The number of receivers for each window. Receivers whose window is larger than the payload are counted under
 * `enough`, the smallest such window: they can read what is compressed with any window. */
struct windows {
    uint32_t receivers[WINDOW_BITS_MAX + 1];
    unsigned enough;
};

/* Returns the smallest window that covers a whole payload. */
static unsigned window_of(size_t size) {
    unsigned bits = WINDOW_BITS_MIN + 1;
    while (bits < WINDOW_BITS_MAX && size > (size_t)1 << bits)
        bits++;
    return bits;
}

static struct windows count_windows(const struct audience *audience, size_t size) {
    struct windows windows = {.enough = window_of(size)};
    for (unsigned bits = WINDOW_BITS_MIN; bits <= WINDOW_BITS_MAX; bits++)
        windows.receivers[bits < windows.enough ? bits : windows.enough] +=
            atomic_load_explicit(&audience->by_bits[bits], memory_order_relaxed);
    return windows;
}

/* Searches from `bits` on. Returns more than WINDOW_BITS_MAX if there is none. */
static unsigned smallest_from(const struct windows *windows, unsigned bits) {
    while (bits <= WINDOW_BITS_MAX && windows->receivers[bits] == 0)
        bits++;
    return bits;
}

static unsigned most_wanted_from(const struct windows *windows, unsigned bits) {
    unsigned best = bits;
    for (; bits <= WINDOW_BITS_MAX; bits++)
        if (windows->receivers[bits] > windows->receivers[best])
            best = bits;
    return best <= WINDOW_BITS_MAX && windows->receivers[best] > 0 ? best : WINDOW_BITS_MAX + 1;
}

/* Chooses up to PARCEL_WINDOWS_MAX windows, the smallest first. In 256 bytes little repeats, so only receivers
 * that cannot take more get that window. Returns how many it chose. */
static unsigned choose(const struct windows *windows, unsigned chosen[PARCEL_WINDOWS_MAX]) {
    unsigned count = 0;
    if (windows->receivers[WINDOW_BITS_MIN] > 0)
        chosen[count++] = WINDOW_BITS_MIN;
    unsigned smallest = smallest_from(windows, WINDOW_BITS_MIN + 1);
    if (smallest <= WINDOW_BITS_MAX)
        chosen[count++] = smallest;
    unsigned most = most_wanted_from(windows, smallest + 1);
    if (most <= WINDOW_BITS_MAX)
        chosen[count++] = most;
    return count;
}

/* --- Parcels ----------------------------------------------------------------------------------------------- */

void parcel_init(struct parcel *parcel, struct message *plain) {
    *parcel = (struct parcel){.lots[0].message = plain};
}

bool parcel_is_compressible(const struct audience *audience, size_t threshold, size_t size) {
    if (!conn_is_compressible(threshold, size))
        return false;
    for (unsigned bits = WINDOW_BITS_MIN; bits <= WINDOW_BITS_MAX; bits++)
        if (atomic_load_explicit(&audience->by_bits[bits], memory_order_relaxed) > 0)
            return true;
    return false;
}

void parcel_compress(struct parcel *parcel, const struct audience *audience, size_t threshold) {
    const struct message *plain = parcel_plain(parcel);
    const uint8_t *payload = message_payload(plain);
    size_t size = message_payload_size(plain);
    const struct windows windows = count_windows(audience, size);
    unsigned chosen[PARCEL_WINDOWS_MAX], count = choose(&windows, chosen);
    for (unsigned i = 0; i < count; i++) {
        unsigned window_bits = chosen[i] == windows.enough ? WINDOW_BITS_MAX : chosen[i];
        struct message *deflated = conn_deflate(threshold, window_bits, plain->opcode, payload, size);
        parcel->lots[1 + i].message = deflated;
        for (unsigned bits = chosen[i]; bits <= WINDOW_BITS_MAX && deflated != NULL; bits++)
            parcel->choice[bits] = (uint8_t)(1 + i);
    }
}

struct message *parcel_take(struct parcel *parcel, const struct weir_conn *conn) {
    return lot_take(&parcel->lots[parcel->choice[conn_send_bits(conn)]]);
}

struct message *parcel_take_plain(struct parcel *parcel) {
    return lot_take(&parcel->lots[0]);
}

void parcel_release(struct parcel *parcel) {
    for (unsigned i = 0; i <= PARCEL_WINDOWS_MAX; i++)
        lot_release(&parcel->lots[i]);
}
