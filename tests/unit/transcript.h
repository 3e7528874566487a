/* transcript.h - the events of a decoder as text: "text Hello; ping; close 1000 bye; ". For the decoder's
 * tests, which compare it whatever the split of the bytes.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_TESTS_UNIT_TRANSCRIPT_H
#define WEIR_TESTS_UNIT_TRANSCRIPT_H

#include "ws/decoder.h"

/* Bytes as a peer would send them. */
struct wire {
    uint8_t *bytes;
    size_t size;
};

/* Appends a frame: `first` is FIN, RSV and opcode; masked with a key that changes from frame to frame. */
void wire_frame(struct wire *wire, uint8_t first, const void *payload, size_t size);
void wire_frame_unmasked(struct wire *wire, uint8_t first, const void *payload, size_t size);
void wire_bytes(struct wire *wire, const void *bytes, size_t size);

/* Text to send, in the heap: mixed letters of a to z and a zero at the end. */
char *wire_letters(size_t size);

void wire_release(struct wire *wire);

struct transcript {
    struct decoder decoder;
    struct decoder_limits limits;
    char *text;
    size_t size;
    size_t fed;           /* bytes so far */
    size_t last_event_at; /* what `fed` was when the last event came */
};

/* Feeds an exact copy of the bytes until DECODER_MORE; checks what must always hold. */
void transcript_feed(struct transcript *transcript, const uint8_t *bytes, size_t size);

/* The same in reads of at most `chunk` bytes, directly into the message where the decoder offers that. Returns how
 * many of the reads were direct. */
unsigned transcript_read(struct transcript *transcript, const uint8_t *bytes, size_t size, size_t chunk);

/* Appends an event. Payloads of more than 40 bytes are told by their size and a hash. */
void transcript_event(struct transcript *transcript, const char *name, unsigned close_code, const void *data,
                      size_t size);
void transcript_release(struct transcript *transcript);

#endif
