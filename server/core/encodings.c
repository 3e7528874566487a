/* encodings.c - see encodings.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/core/encodings.h"

#include "server/core/conn_private.h"

enum { REFERENCE_BATCH_SIZE = 64 };

struct message *reference_batch_take(struct reference_batch *batch) {
    if (batch->spare == 0) {
        message_retain_all(batch->message, REFERENCE_BATCH_SIZE);
        batch->spare = REFERENCE_BATCH_SIZE;
    }
    batch->spare--;
    return batch->message;
}

void reference_batch_release(struct reference_batch *batch) {
    if (batch->message != NULL)
        message_release_all(batch->message, batch->spare + 1);
}

void receivers_add(struct receivers *receivers, const struct weir_conn *conn) {
    atomic_fetch_add_explicit(&receivers->by_bits[conn_send_bits(conn)], 1, memory_order_relaxed);
}

void receivers_remove(struct receivers *receivers, const struct weir_conn *conn) {
    atomic_fetch_sub_explicit(&receivers->by_bits[conn_send_bits(conn)], 1, memory_order_relaxed);
}

bool receivers_is_empty(const struct receivers *receivers) {
    for (unsigned bits = 0; bits <= WINDOW_BITS_MAX; bits++)
        if (atomic_load_explicit(&receivers->by_bits[bits], memory_order_relaxed) > 0)
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
static unsigned windows_for(size_t size) {
    unsigned bits = WINDOW_BITS_MIN + 1;
    while (bits < WINDOW_BITS_MAX && size > (size_t)1 << bits)
        bits++;
    return bits;
}

static struct windows windows_count(const struct receivers *receivers, size_t size) {
    struct windows windows = {.enough = windows_for(size)};
    for (unsigned bits = WINDOW_BITS_MIN; bits <= WINDOW_BITS_MAX; bits++)
        windows.receivers[bits < windows.enough ? bits : windows.enough] +=
            atomic_load_explicit(&receivers->by_bits[bits], memory_order_relaxed);
    return windows;
}

/* Searches from `bits` on. Returns more than WINDOW_BITS_MAX if there is none. */
static unsigned windows_smallest_from(const struct windows *windows, unsigned bits) {
    while (bits <= WINDOW_BITS_MAX && windows->receivers[bits] == 0)
        bits++;
    return bits;
}

static unsigned windows_most_wanted_from(const struct windows *windows, unsigned bits) {
    unsigned best = bits;
    for (; bits <= WINDOW_BITS_MAX; bits++)
        if (windows->receivers[bits] > windows->receivers[best])
            best = bits;
    return best <= WINDOW_BITS_MAX && windows->receivers[best] > 0 ? best : WINDOW_BITS_MAX + 1;
}

/* Chooses up to ENCODINGS_WINDOWS_MAX windows, the smallest first. In 256 bytes little repeats, so only receivers
 * that cannot take more get that window. Returns how many it chose. */
static unsigned windows_choose(const struct windows *windows, unsigned chosen[ENCODINGS_WINDOWS_MAX]) {
    unsigned count = 0;
    if (windows->receivers[WINDOW_BITS_MIN] > 0)
        chosen[count++] = WINDOW_BITS_MIN;
    unsigned smallest = windows_smallest_from(windows, WINDOW_BITS_MIN + 1);
    if (smallest <= WINDOW_BITS_MAX)
        chosen[count++] = smallest;
    unsigned most = windows_most_wanted_from(windows, smallest + 1);
    if (most <= WINDOW_BITS_MAX)
        chosen[count++] = most;
    return count;
}

/* --- Encodings --------------------------------------------------------------------------------------------- */

void encodings_init(struct encodings *encodings, struct message *plain) {
    *encodings = (struct encodings){.batches[0].message = plain};
}

bool encodings_is_compressible(const struct receivers *receivers, size_t threshold, size_t size) {
    if (!conn_is_compressible(threshold, size))
        return false;
    for (unsigned bits = WINDOW_BITS_MIN; bits <= WINDOW_BITS_MAX; bits++)
        if (atomic_load_explicit(&receivers->by_bits[bits], memory_order_relaxed) > 0)
            return true;
    return false;
}

void encodings_compress(struct encodings *encodings, const struct receivers *receivers, size_t threshold) {
    const struct message *plain = encodings_plain(encodings);
    const uint8_t *payload = message_payload(plain);
    size_t size = message_payload_size(plain);
    const struct windows windows = windows_count(receivers, size);
    unsigned chosen[ENCODINGS_WINDOWS_MAX], count = windows_choose(&windows, chosen);
    for (unsigned i = 0; i < count; i++) {
        unsigned window_bits = chosen[i] == windows.enough ? WINDOW_BITS_MAX : chosen[i];
        struct message *deflated = conn_deflate(threshold, window_bits, plain->opcode, payload, size);
        encodings->batches[1 + i].message = deflated;
        for (unsigned bits = chosen[i]; bits <= WINDOW_BITS_MAX && deflated != NULL; bits++)
            encodings->choice[bits] = (uint8_t)(1 + i);
    }
}

struct message *encodings_take(struct encodings *encodings, const struct weir_conn *conn) {
    return reference_batch_take(&encodings->batches[encodings->choice[conn_send_bits(conn)]]);
}

struct message *encodings_take_plain(struct encodings *encodings) {
    return reference_batch_take(&encodings->batches[0]);
}

void encodings_release(struct encodings *encodings) {
    for (unsigned i = 0; i <= ENCODINGS_WINDOWS_MAX; i++)
        reference_batch_release(&encodings->batches[i]);
}
