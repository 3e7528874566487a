/* buffer.h - memory for payloads that are put together, with room before them for the header of a frame, so that
 * such a payload can be sent on as it is.
 *
 * Large buffers come in sizes of their own, and some that are released are kept for the next who wants one: fresh
 * memory costs more than a copy, since the kernel clears it page by page. All are kept together, at most
 * BUFFERS_KEPT_MAX bytes, by whichever thread. A sanitizer sees every buffer come and go.
 *
 * Any thread; one at a time for each buffer. No locks.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_PROTO_BUFFER_H
#define WEIR_PROTO_BUFFER_H

#include <stddef.h>
#include <stdint.h>

enum {
    BUFFER_HEADROOM = 16, /* bytes before a buffer that belong to it */
    BUFFER_EXACT_MAX =
        32 << 10, /* up to this size a buffer is as large as was asked for, else at most twice that */
    BUFFERS_KEPT_MAX = 16 << 20
};

/* A new buffer if `buffer` is NULL, else the same in another size, maybe at another place: its first `used` bytes
 * stay, those in its headroom do not. NULL if memory is out; the old one is then as it was. */
uint8_t *buffer_resize(uint8_t *buffer, size_t used, size_t size);

/* How large it is in truth; 0 if it is NULL. */
size_t buffer_size(const uint8_t *buffer);

/* NULL is allowed. */
void buffer_release(uint8_t *buffer);

/* Gives back to the system what is kept. Returns how many bytes that was. */
size_t buffers_trim(void);

#endif
