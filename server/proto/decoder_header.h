/* decoder_header.h - the decoder's first half: from bytes to the header of a frame. For decoder.c alone.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_PROTO_DECODER_HEADER_H
#define WEIR_PROTO_DECODER_HEADER_H

#include "server/proto/decoder.h"

/* Takes a header, or what there is of it, at a place where one begins or goes on. Returns the bytes consumed; the
 * decoder is in_payload once the header is whole. On a failure `decoded` says so. */
size_t decoder_take_header(struct decoder *decoder, const struct decoder_limits *limits, const uint8_t *bytes,
                           size_t size, struct decoded *decoded);

/* Bytes that the frames of one message may have together. */
size_t decoder_payload_max(const struct decoder_limits *limits, bool compressed);

/* Ends the decoder with an error event; `why` is a constant. */
void decoder_fail(struct decoder *decoder, struct decoded *decoded, uint16_t close_code, const char *why);

#endif
