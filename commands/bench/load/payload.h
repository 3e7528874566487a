/* payload.h - makes the messages of a load from their numbers, and recognises and checks them when they come
 * back. What a run needs is made once; all threads then only read it. No sockets.
 *
 * All messages share one text: ASCII that looks like JSON, of which each message has the beginning. Where the
 * size allows, a prefix over it distinguishes the messages. The prefix is printable, six bits to a character: the
 * sender (4 characters), the number of the message (5, modulo 2^30), and when it was due to be sent, in
 * nanoseconds (9; only in a broadcast). Alternatively the messages are the lines of a file, without a prefix.
 *
 * One mask (RFC 6455, 5.3) serves all frames, so the payload is masked once and not again for each message.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BENCH_LOAD_PAYLOAD_H
#define WEIR_BENCH_LOAD_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "commands/bench/settings.h"
#include "ws/decoder.h"

enum {
    PAYLOAD_PREFIX_SHORT = 9,
    PAYLOAD_PREFIX_LONG = 18,
    PAYLOAD_HEAD_MAX = FRAME_HEADER_MAX + PAYLOAD_PREFIX_LONG,
    PAYLOAD_SENDER_BITS = 24,
    PAYLOAD_NUMBER_BITS = 30
};

extern const uint8_t payload_mask[4];

/* Identifies a message. */
struct identity {
    uint32_t sender;
    uint64_t number; /* number of this sender's message; modulo 2^30 if it was read from a message */
    uint64_t time;   /* when the message was due to be sent */
};

struct payload {
    uint8_t *plain, *masked; /* the text that the messages share, or the lines of the file one after the other */
    size_t size_min, size_max;
    struct payload_line *lines; /* NULL without a file */
    size_t line_count;
    size_t prefix_size; /* 0, PAYLOAD_PREFIX_SHORT or PAYLOAD_PREFIX_LONG */
    uint8_t opcode;
};

/* Prepares the messages. False with one line in `error`. */
bool payload_create(struct payload *payload, const struct settings *settings, char *error, size_t error_size);
void payload_release(struct payload *payload);

/* Returns the size of a message in bytes. */
size_t payload_size(const struct payload *payload, const struct identity *identity);

/* Writes a complete message, not masked; `to` has room for payload_size() bytes. */
void payload_write(const struct payload *payload, const struct identity *identity, uint8_t *to);

/* Writes the beginning of a message's masked frame: header and prefix, at most PAYLOAD_HEAD_MAX bytes. Returns
 * its size; *tail is the rest of the frame. */
struct payload_tail {
    const uint8_t *bytes;
    size_t size;
};
size_t payload_frame_head(const struct payload *payload, const struct identity *identity, uint8_t *to,
                          struct payload_tail *tail);

/* Returns the size of a message's frame in bytes. */
size_t payload_frame_size(const struct payload *payload, const struct identity *identity);

/* Reads the identity of a message with a long prefix. False if it has none. */
bool payload_identify(const uint8_t *data, size_t size, struct identity *identity);

/* Returns NULL if `data` is that message, or else what is wrong with it. */
const char *payload_check(const struct payload *payload, const struct identity *identity, const uint8_t *data,
                          size_t size);

#endif
