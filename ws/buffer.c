/* buffer.c - see buffer.h. Kept buffers are in cells, which threads swap with NULL atomically.
 *
 * SPDX-License-Identifier: MIT
 */
#include "ws/buffer.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The size of large buffers doubles from one kind to the next. */
enum { KINDS = 7, LARGE_MIN = 64 << 10, LARGE_MAX = LARGE_MIN << (KINDS - 1), CELLS = 64 };

#ifndef __has_feature /* clang shows sanitizers this way, GCC through macros */
#define __has_feature(feature) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || __has_feature(address_sanitizer) ||           \
    __has_feature(thread_sanitizer)
enum { KEPT_MAX = 0 };
#else
enum { KEPT_MAX = BUFFERS_KEPT_MAX };
#endif

/* Lies in memory directly before the buffer. */
struct block {
    size_t size; /* of the buffer */
    uint8_t headroom[BUFFER_HEADROOM] __attribute__((aligned(16)));
    uint8_t buffer[];
};

static _Atomic(struct block *) kept[KINDS][CELLS];
static _Atomic size_t kept_bytes;

_Static_assert((int)BUFFER_EXACT_MAX == LARGE_MIN / 2,
               "the smallest large one is at most twice what was asked for");

static struct block *block_of(uint8_t *buffer) {
    return (struct block *)(void *)(buffer - offsetof(struct block, buffer));
}

size_t buffer_size(const uint8_t *buffer) {
    return buffer == NULL ? 0 : block_of((uint8_t *)(uintptr_t)buffer)->size;
}

static size_t size_of_kind(unsigned kind) {
    return (size_t)LARGE_MIN << kind;
}

/* Returns KINDS if no kind has this size. */
static unsigned kind_of(size_t size) {
    unsigned kind = 0;
    while (kind < KINDS && size_of_kind(kind) != size)
        kind++;
    return kind;
}

/* The size to allocate for a buffer of this size. Beyond BUFFER_EXACT_MAX it is rounded up to that of a kind. */
static size_t rounded(size_t size) {
    if (size <= BUFFER_EXACT_MAX || size > LARGE_MAX)
        return size;
    size_t large = LARGE_MIN;
    while (large < size)
        large *= 2;
    return large;
}

static struct block *take_kept(unsigned kind) {
    for (unsigned i = 0; i < CELLS; i++) {
        if (atomic_load_explicit(&kept[kind][i], memory_order_relaxed) == NULL)
            continue;
        struct block *block = atomic_exchange(&kept[kind][i], NULL);
        if (block == NULL)
            continue;
        atomic_fetch_sub(&kept_bytes, block->size);
        return block;
    }
    return NULL;
}

static bool keep(struct block *block, unsigned kind) {
    if (atomic_fetch_add(&kept_bytes, block->size) + block->size <= KEPT_MAX)
        for (unsigned i = 0; i < CELLS; i++) {
            struct block *none = NULL;
            if (atomic_load_explicit(&kept[kind][i], memory_order_relaxed) == NULL &&
                atomic_compare_exchange_strong(&kept[kind][i], &none, block))
                return true;
        }
    atomic_fetch_sub(&kept_bytes, block->size);
    return false;
}

static struct block *allocate(size_t size) {
    unsigned kind = kind_of(size);
    struct block *block = kind == KINDS ? NULL : take_kept(kind);
    if (block != NULL)
        return block;
    block = malloc(sizeof *block + size);
    if (block != NULL)
        block->size = size;
    return block;
}

static uint8_t *move(uint8_t *buffer, size_t used, size_t size) {
    struct block *block = allocate(size);
    if (block == NULL)
        return NULL;
    memcpy(block->buffer, buffer, used);
    buffer_release(buffer);
    return block->buffer;
}

static struct block *reallocate(struct block *block, size_t size) {
    struct block *moved = realloc(block, sizeof *block + size);
    if (moved != NULL)
        moved->size = size;
    return moved;
}

uint8_t *buffer_resize(uint8_t *buffer, size_t used, size_t size) {
    size = rounded(size);
    if (buffer == NULL) {
        struct block *block = allocate(size);
        return block == NULL ? NULL : block->buffer;
    }
    struct block *block = block_of(buffer);
    if (block->size == size)
        return buffer;
    if (kind_of(size) < KINDS || kind_of(block->size) < KINDS)
        return move(buffer, used, size);
    block = reallocate(block, size);
    return block == NULL ? NULL : block->buffer;
}

void buffer_release(uint8_t *buffer) {
    if (buffer == NULL)
        return;
    struct block *block = block_of(buffer);
    unsigned kind = kind_of(block->size);
    if (kind == KINDS || !keep(block, kind))
        free(block);
}

size_t buffers_trim(void) {
    size_t freed = 0;
    for (unsigned kind = 0; kind < KINDS; kind++)
        for (struct block *block; (block = take_kept(kind)) != NULL; free(block))
            freed += block->size;
    return freed;
}
