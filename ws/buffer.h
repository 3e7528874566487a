/* buffer.h - memory for payloads that are assembled, with room before them for the header of a frame. So such a
 * payload can be sent on as it is.
 *
 * Large buffers come in fixed sizes, and some are kept for reuse when they are released. Fresh memory costs more
 * than a copy, because the kernel clears it page by page. All threads share what is kept, which is at most
 * BUFFERS_KEPT_MAX bytes. In sanitizer builds nothing is kept, so the sanitizer sees each buffer allocated and
 * freed.
 *
 * Any thread may call these, but only one at a time for each buffer. No locks.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_WS_BUFFER_H
#define WEIR_WS_BUFFER_H

#include <stddef.h>
#include <stdint.h>

enum {
    BUFFER_HEADROOM = 16, /* bytes before a buffer that belong to it */
    BUFFER_EXACT_MAX =
        32 << 10, /* up to this size a buffer has exactly the requested size; beyond it, at most twice that */
    BUFFERS_KEPT_MAX = 16 << 20
};

/* Returns a new buffer if `buffer` is NULL, otherwise the same one in another size, perhaps at another address.
 * Its first `used` bytes are kept; those in its headroom are not. Returns NULL if memory is exhausted: then the
 * old buffer is unchanged. */
uint8_t *buffer_resize(uint8_t *buffer, size_t used, size_t size);

/* The actual size of a buffer; 0 if it is NULL. */
size_t buffer_size(const uint8_t *buffer);

/* NULL is allowed. */
void buffer_release(uint8_t *buffer);

/* Returns the kept buffers to the system. Returns how many bytes that was. */
size_t buffers_trim(void);

#endif
