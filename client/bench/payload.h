/* payload.h - the messages of a load: made from their numbers, recognised and checked when they are back. What a
 * run needs is made once and then only read, by all threads. No sockets.
 *
 * All messages are alike: text with the look of JSON, ASCII, of which each has the beginning; over it lies a prefix
 * that tells one message from another where the size allows. The prefix is printable, six bits to a character: who
 * sent it (4 characters), which of its messages it is (5, modulo 2^30), and when it was to be sent, in nanoseconds
 * (9; only in a broadcast). Or the messages are the lines of a file, without a prefix.
 *
 * One mask (RFC 6455, 5.3) serves all frames, so the payload is masked once and not again for each message.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BENCH_PAYLOAD_H
#define WEIR_BENCH_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/bench/settings.h"
#include "server/proto/decoder.h"

enum {
    PAYLOAD_PREFIX_SHORT = 9,
    PAYLOAD_PREFIX_LONG = 18,
    PAYLOAD_HEAD_MAX = FRAME_HEADER_MAX + PAYLOAD_PREFIX_LONG,
    PAYLOAD_SENDER_BITS = 24,
    PAYLOAD_NUMBER_BITS = 30
};

extern const uint8_t payload_mask[4];

/* Which message. */
struct identity {
    uint32_t sender;
    uint64_t number; /* of this sender's; modulo 2^30 where it was read from a message */
    uint64_t time;   /* when it was to be sent */
};

struct payload {
    uint8_t *plain, *masked; /* what the messages have in common; or the lines of the file, one after the other */
    size_t size_min, size_max;
    struct payload_line *lines; /* NULL without a file */
    size_t line_count;
    size_t prefix_size; /* 0, short or long */
    uint8_t opcode;
};

/* False with one line in `error`. */
bool payload_create(struct payload *payload, const struct settings *settings, char *error, size_t error_size);
void payload_release(struct payload *payload);

/* Bytes of this message. */
size_t payload_size(const struct payload *payload, const struct identity *identity);

/* The whole of a message, not masked, `to` has payload_size() bytes. */
void payload_write(const struct payload *payload, const struct identity *identity, uint8_t *to);

/* The beginning of its masked frame: header and prefix, at most PAYLOAD_HEAD_MAX bytes. Returns their size; *tail
 * is the rest of the frame. */
struct payload_tail {
    const uint8_t *bytes;
    size_t size;
};
size_t payload_frame_head(const struct payload *payload, const struct identity *identity, uint8_t *to,
                          struct payload_tail *tail);

/* Bytes of its frame. */
size_t payload_frame_size(const struct payload *payload, const struct identity *identity);

/* Who sent it, which it is, when; of payloads with a long prefix. False if it has none. */
bool payload_identify(const uint8_t *data, size_t size, struct identity *identity);

/* NULL if `data` is that message, else what is wrong with it. */
const char *payload_check(const struct payload *payload, const struct identity *identity, const uint8_t *data,
                          size_t size);

#endif
