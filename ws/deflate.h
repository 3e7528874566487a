/* deflate.h - DEFLATE for messages (RFC 7692, 7.2): whole payloads in, whole payloads out. The only user of zlib.
 *
 * Each struct holds one direction of one stream; only one thread at a time may use it. Between two messages the
 * stream either continues (context takeover) or is reset by the caller.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_WS_DEFLATE_H
#define WEIR_WS_DEFLATE_H

#include <stddef.h>
#include <stdint.h>

struct deflater;
struct inflater;

/* Creates a compressor whose window is at most 2^window_bits bytes, 8 to 15. Returns NULL if memory is
 * exhausted. */
struct deflater *deflater_create(unsigned window_bits);
void deflater_destroy(struct deflater *deflater); /* NULL is allowed */
void deflater_reset(struct deflater *deflater);

/* Returns an output size that is enough for a payload of `size` bytes, however badly it compresses. */
size_t deflater_bound(struct deflater *deflater, size_t size);

/* Compresses a payload of 1 to UINT32_MAX bytes for a frame with RSV1: without the four bytes that every message
 * would end with (7.2.1). Returns the size, or 0 if it does not fit; then the stream has been reset. */
size_t deflater_run(struct deflater *deflater, const void *data, size_t size, uint8_t *out, size_t capacity);

/* Creates a decompressor for streams whose window is at most 2^window_bits bytes, 8 to 15. Returns NULL if memory
 * is exhausted. */
struct inflater *inflater_create(unsigned window_bits);
void inflater_destroy(struct inflater *inflater); /* NULL is allowed */
void inflater_reset(struct inflater *inflater);

enum inflate_result {
    INFLATE_DONE,
    INFLATE_TOO_BIG, /* the result would have more than `max` bytes; no more were ever held */
    INFLATE_INVALID, /* not a DEFLATE stream, one that refers back beyond its window, or one that stops within a
                        block */
    INFLATE_NO_MEMORY
};

/* Decompresses the payload of a message, joined from its frames (7.2.2). With INFLATE_DONE, *message is a buffer
 * (buffer.h) that belongs to the caller, or NULL if the message is empty. After any other result the stream is
 * unusable until it is reset. */
enum inflate_result inflater_run(struct inflater *inflater, const uint8_t *data, size_t size, size_t max,
                                 uint8_t **message, size_t *message_size);

#endif
