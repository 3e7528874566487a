/* payload.c - see payload.h; payload_file.c reads the lines of a file.
 *
 * SPDX-License-Identifier: MIT
 */
#include "commands/bench/load/payload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/bench/load/payload_file.h"
#include "ws/frame.h"

/* Any key costs the server the same, except zeros. */
const uint8_t payload_mask[4] = {0x37, 0xfa, 0x21, 0x3d};

enum { FIRST_CHARACTER = '0', SIX_BITS = 0x3f };

#define FIRST_CHARACTERS UINT64_C(0x3030303030303030)

#define NUMBER_MASK      ((UINT64_C(1) << PAYLOAD_NUMBER_BITS) - 1)

/* --- The common text --------------------------------------------------------------------------------------- */

/* Writes records such as programs exchange; they compress to about a third. */
static void write_text(uint8_t *to, size_t size) {
    static const char *const words[] = {"pressure", "humidity", "temperature", "voltage"};
    uint64_t random = 88172645463325252u;
    char record[128];
    for (size_t at = 0; at < size;) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        int made = snprintf(record, sizeof record, "{\"id\":%u,\"sensor\":\"%s\",\"value\":%u.%02u,\"valid\":%s},",
                            (unsigned)(random & 0xffff), words[random >> 16 & 3], (unsigned)(random >> 20 & 0xfff),
                            (unsigned)((random >> 32) % 100), (random >> 40 & 7) != 0 ? "true" : "false");
        size_t take = (size_t)made < size - at ? (size_t)made : size - at;
        memcpy(to + at, record, take);
        at += take;
    }
}

static bool make_text(struct payload *payload, char *error, size_t error_size) {
    payload->plain = malloc(payload->size_max + 1);
    payload->masked = malloc(payload->size_max + 1);
    if (payload->plain == NULL || payload->masked == NULL) {
        snprintf(error, error_size, "out of memory for messages of %zu bytes", payload->size_max);
        return false;
    }
    write_text(payload->plain, payload->size_max);
    memcpy(payload->masked, payload->plain, payload->size_max);
    frame_mask(payload->masked, payload->size_max, payload_mask);
    return true;
}

bool payload_create(struct payload *payload, const struct settings *settings, char *error, size_t error_size) {
    *payload = (struct payload){.size_min = settings->size_min,
                                .size_max = settings->size_max,
                                .opcode = settings->text ? OPCODE_TEXT : OPCODE_BINARY};
    if (settings->scenario == SCENARIO_BROADCAST)
        payload->prefix_size = PAYLOAD_PREFIX_LONG;
    else if (settings->message_file == NULL && settings->size_min >= PAYLOAD_PREFIX_SHORT)
        payload->prefix_size = PAYLOAD_PREFIX_SHORT;
    bool made = settings->message_file != NULL ? payload_file_read(payload, settings, error, error_size)
                                               : make_text(payload, error, error_size);
    if (!made)
        payload_release(payload);
    return made;
}

void payload_release(struct payload *payload) {
    free(payload->plain);
    free(payload->masked);
    free(payload->lines);
    *payload = (struct payload){0};
}

/* --- From number to message -------------------------------------------------------------------------------- */

/* Returns a size that looks random but is the same for sender and receiver. */
static size_t size_in_range(const struct payload *payload, const struct identity *identity) {
    uint64_t mixed = ((uint64_t)identity->sender << PAYLOAD_NUMBER_BITS | (identity->number & NUMBER_MASK)) + 1;
    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebu;
    return payload->size_min + (size_t)(mixed >> 16) % (payload->size_max - payload->size_min + 1);
}

static struct payload_line body_of(const struct payload *payload, const struct identity *identity) {
    if (payload->lines != NULL)
        return payload->lines[identity->number % payload->line_count];
    if (payload->size_min == payload->size_max)
        return (struct payload_line){0, payload->size_min};
    return (struct payload_line){0, size_in_range(payload, identity)};
}

/* Spreads bits over bytes, six to a byte, eight bytes at once: halves, quarters, eighths. */
static uint64_t spread(uint64_t bits) {
    bits = (bits & 0xffffff) | (bits & 0xffffff000000) << 8;
    bits = (bits & 0x00000fff00000fff) | (bits & 0x00fff00000fff000) << 4;
    bits = (bits & 0x003f003f003f003f) | (bits & 0x0fc00fc00fc00fc0) << 2;
    return bits + FIRST_CHARACTERS;
}

/* Reverses spread(). False if a byte has more than six bits. */
static bool payload_pack_bits(uint64_t bytes, uint64_t *bits) {
    bytes -= FIRST_CHARACTERS;
    if ((bytes & 0xc0c0c0c0c0c0c0c0) != 0)
        return false;
    bytes = (bytes & 0x003f003f003f003f) | (bytes & 0x3f003f003f003f00) >> 2;
    bytes = (bytes & 0x00000fff00000fff) | (bytes & 0x0fff00000fff0000) >> 4;
    *bits = (bytes & 0xffffff) | (bytes & 0xffffff00000000) >> 8;
    return true;
}

/* Writes 54 bits as nine characters: `low` has 48 of them, `high` six. */
static void write_nine(uint8_t *to, uint64_t low, uint64_t high) {
    low = spread(low);
    memcpy(to, &low, sizeof low);
    to[sizeof low] = (uint8_t)(FIRST_CHARACTER + (high & SIX_BITS));
}

static void write_prefix(uint8_t *to, size_t prefix_size, const struct identity *identity) {
    if (prefix_size == 0)
        return;
    write_nine(to, identity->sender | identity->number << PAYLOAD_SENDER_BITS, identity->number >> 24);
    if (prefix_size == PAYLOAD_PREFIX_LONG)
        write_nine(to + PAYLOAD_PREFIX_SHORT, identity->time, identity->time >> 48);
}

size_t payload_size(const struct payload *payload, const struct identity *identity) {
    return body_of(payload, identity).size;
}

void payload_write(const struct payload *payload, const struct identity *identity, uint8_t *to) {
    struct payload_line body = body_of(payload, identity);
    memcpy(to, payload->plain + body.at, body.size);
    write_prefix(to, payload->prefix_size, identity);
}

size_t payload_frame_size(const struct payload *payload, const struct identity *identity) {
    size_t size = payload_size(payload, identity);
    return frame_header_size(size) + sizeof payload_mask + size;
}

size_t payload_frame_head(const struct payload *payload, const struct identity *identity, uint8_t *to,
                          struct payload_tail *tail) {
    struct payload_line body = body_of(payload, identity);
    size_t prefix = payload->prefix_size;
    size_t header = frame_header_masked(to, payload->opcode, body.size, payload_mask);
    write_prefix(to + header, prefix, identity);
    frame_mask(to + header, prefix, payload_mask);
    *tail = (struct payload_tail){payload->masked + body.at + prefix, body.size - prefix};
    return header + prefix;
}

/* --- From message to number ---------------------------------------------------------------------------------- */

static bool read_nine(const uint8_t *from, uint64_t *low, uint64_t *high) {
    uint64_t bytes;
    memcpy(&bytes, from, sizeof bytes);
    *high = (unsigned)from[sizeof bytes] - FIRST_CHARACTER;
    return payload_pack_bits(bytes, low) && *high <= SIX_BITS;
}

bool payload_identify(const uint8_t *data, size_t size, struct identity *identity) {
    uint64_t low, high, time_low, time_high;
    if (size < PAYLOAD_PREFIX_LONG || !read_nine(data, &low, &high) ||
        !read_nine(data + PAYLOAD_PREFIX_SHORT, &time_low, &time_high))
        return false;
    identity->sender = (uint32_t)low & ((1u << PAYLOAD_SENDER_BITS) - 1);
    identity->number = low >> PAYLOAD_SENDER_BITS | high << 24;
    identity->time = time_low | time_high << 48;
    return true;
}

const char *payload_check(const struct payload *payload, const struct identity *identity, const uint8_t *data,
                          size_t size) {
    struct payload_line body = body_of(payload, identity);
    uint8_t prefix[PAYLOAD_PREFIX_LONG];
    size_t prefix_size = payload->prefix_size;
    if (size != body.size)
        return "its size differs";
    write_prefix(prefix, prefix_size, identity);
    if (prefix_size > 0 && memcmp(data, prefix, prefix_size) != 0)
        return "it is not the next one";
    if (size > prefix_size &&
        memcmp(data + prefix_size, payload->plain + body.at + prefix_size, size - prefix_size) != 0)
        return "its contents differ";
    return NULL;
}
