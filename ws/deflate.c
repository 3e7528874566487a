/* deflate.c - see deflate.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "ws/deflate.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "ws/buffer.h"
#include "ws/extension.h"

enum {
    LEVEL = 1,        /* for JSON of 8 KiB: twice as fast as zlib's default, and a tenth larger */
    MEMORY_LEVEL = 5, /* 16 KiB of tables per stream instead of 128 KiB, and no slower */
    OUTPUT_MIN = 256,
    TAIL_SIZE = 4
};

/* The end of each message after a flush, which is not sent: an empty stored block without its header. */
static const uint8_t tail[TAIL_SIZE] = {0x00, 0x00, 0xFF, 0xFF};

/* --- Compression (7.2.1) ----------------------------------------------------------------------------------- */

struct deflater {
    z_stream stream;
};

/* zlib has no window of 256 bytes. With Z_RLE, matches reach back by only one byte, whatever the window. */
struct deflater *deflater_create(unsigned window_bits) {
    struct deflater *deflater = calloc(1, sizeof *deflater);
    if (deflater == NULL)
        return NULL;
    int bits = window_bits == WINDOW_BITS_MIN ? WINDOW_BITS_MIN + 1 : (int)window_bits;
    int strategy = window_bits == WINDOW_BITS_MIN ? Z_RLE : Z_DEFAULT_STRATEGY;
    if (deflateInit2(&deflater->stream, LEVEL, Z_DEFLATED, -bits, MEMORY_LEVEL, strategy) == Z_OK)
        return deflater;
    free(deflater);
    return NULL;
}

void deflater_destroy(struct deflater *deflater) {
    if (deflater == NULL)
        return;
    deflateEnd(&deflater->stream);
    free(deflater);
}

void deflater_reset(struct deflater *deflater) {
    deflateReset(&deflater->stream);
}

/* zlib's bound is for a stream that ends. A flush adds its empty block and the bits before it. */
size_t deflater_bound(struct deflater *deflater, size_t size) {
    return deflateBound(&deflater->stream, size) + 2 * sizeof tail;
}

size_t deflater_run(struct deflater *deflater, const void *data, size_t size, uint8_t *out, size_t capacity) {
    z_stream *stream = &deflater->stream;
    stream->next_in = (Bytef *)(uintptr_t)data; /* zlib does not write to it, but does not declare it const */
    stream->avail_in = (uInt)size;
    stream->next_out = out;
    stream->avail_out = capacity > UINT_MAX ? UINT_MAX : (uInt)capacity;
    /* Output is complete only if there is room left: otherwise more may be pending. */
    if (deflate(stream, Z_SYNC_FLUSH) == Z_OK && stream->avail_in == 0 && stream->avail_out > 0)
        return (size_t)(stream->next_out - out) - TAIL_SIZE;
    deflateReset(stream);
    return 0;
}

/* --- Decompression (7.2.2) --------------------------------------------------------------------------------- */

struct inflater {
    z_stream stream;
    bool whole; /* the input so far ends at the end of a block, on a byte boundary, or with the stream */
};

struct inflater *inflater_create(unsigned window_bits) {
    struct inflater *inflater = calloc(1, sizeof *inflater);
    if (inflater == NULL)
        return NULL;
    if (inflateInit2(&inflater->stream, -(int)window_bits) == Z_OK)
        return inflater;
    free(inflater);
    return NULL;
}

void inflater_destroy(struct inflater *inflater) {
    if (inflater == NULL)
        return;
    inflateEnd(&inflater->stream);
    free(inflater);
}

void inflater_reset(struct inflater *inflater) {
    inflateReset(&inflater->stream);
}

/* The inflated part of a message. One byte beyond `max` shows that there is more. */
struct output {
    uint8_t *bytes;
    size_t size, capacity, max;
};

static enum inflate_result grow(struct output *output) {
    if (output->size > output->max)
        return INFLATE_TOO_BIG;
    size_t capacity = output->capacity > output->max / 2 ? output->max + 1 : 2 * output->capacity;
    uint8_t *bytes = buffer_resize(output->bytes, output->size, capacity);
    if (bytes == NULL)
        return INFLATE_NO_MEMORY;
    output->bytes = bytes;
    output->capacity = capacity;
    return INFLATE_DONE;
}

/* Inflates as long as there is room or input. A block may be marked as the last one and still be followed by more
 * (7.2.3.4), with the same window. */
static int inflate_some(z_stream *stream, struct output *output) {
    size_t room = output->capacity - output->size;
    stream->next_out = output->bytes + output->size;
    stream->avail_out = room > UINT_MAX ? UINT_MAX : (uInt)room;
    int result = inflate(stream, Z_SYNC_FLUSH);
    output->size = (size_t)(stream->next_out - output->bytes);
    if (result == Z_STREAM_END && stream->avail_in > 0)
        return inflateResetKeep(stream);
    return result;
}

/* zlib reports this in data_type. */
static bool is_at_boundary(const z_stream *stream) {
    enum { BITS_LEFT = 0x3F, BLOCK_ENDED = 0x80 };
    return (stream->data_type & (BITS_LEFT | BLOCK_ENDED)) == BLOCK_ENDED;
}

/* Inflates all of `size` bytes, and produces everything that they stand for. */
static enum inflate_result inflate_all(struct inflater *inflater, const uint8_t *data, size_t size,
                                       struct output *output) {
    z_stream *stream = &inflater->stream;
    stream->next_in = (Bytef *)(uintptr_t)data;
    stream->avail_in = (uInt)size;
    for (;;) {
        if (output->size == output->capacity) {
            enum inflate_result grown = grow(output);
            if (grown != INFLATE_DONE)
                return grown;
        }
        int result = inflate_some(stream, output);
        if (result != Z_OK && result != Z_BUF_ERROR && result != Z_STREAM_END)
            return result == Z_MEM_ERROR ? INFLATE_NO_MEMORY : INFLATE_INVALID;
        if (stream->avail_in == 0 && output->size < output->capacity) {
            inflater->whole = result == Z_STREAM_END || is_at_boundary(stream);
            return result == Z_STREAM_END && inflateResetKeep(stream) != Z_OK ? INFLATE_INVALID : INFLATE_DONE;
        }
    }
}

static enum inflate_result inflate_message(struct inflater *inflater, const uint8_t *data, size_t size,
                                           struct output *output) {
    enum inflate_result result = inflate_all(inflater, data, size, output);
    if (result == INFLATE_DONE)
        result = inflate_all(inflater, tail, TAIL_SIZE, output);
    if (result == INFLATE_DONE && output->size > output->max)
        return INFLATE_TOO_BIG;
    return result == INFLATE_DONE && !inflater->whole ? INFLATE_INVALID : result;
}

/* Makes sure that the buffer handed out is not much larger than its content. */
static void fit(struct output *output) {
    if (output->size == 0) {
        buffer_release(output->bytes);
        output->bytes = NULL;
    } else if (output->size < output->capacity / 2) {
        uint8_t *bytes = buffer_resize(output->bytes, output->size, output->size);
        if (bytes != NULL)
            output->bytes = bytes;
    }
}

enum inflate_result inflater_run(struct inflater *inflater, const uint8_t *data, size_t size, size_t max,
                                 uint8_t **message, size_t *message_size) {
    *message = NULL;
    *message_size = 0;
    if (size == 0)
        return INFLATE_DONE; /* zlib produces this for the second of two empty messages in a row, and so peers send
                                it */
    size_t guess = size > max / 4 ? max + 1 : 4 * size;
    struct output output = {.capacity = guess < OUTPUT_MIN ? OUTPUT_MIN : guess, .max = max};
    output.bytes = buffer_resize(NULL, 0, output.capacity);
    if (output.bytes == NULL)
        return INFLATE_NO_MEMORY;
    enum inflate_result result = inflate_message(inflater, data, size, &output);
    if (result != INFLATE_DONE) {
        buffer_release(output.bytes);
        return result;
    }
    fit(&output);
    *message = output.bytes;
    *message_size = output.size;
    return INFLATE_DONE;
}
