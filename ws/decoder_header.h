/* decoder_header.h - the first half of the decoder: from bytes to the header of a frame. For decoder.c alone.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_WS_DECODER_HEADER_H
#define WEIR_WS_DECODER_HEADER_H

#include "ws/decoder.h"

/* Takes a header, or a part of one, where a header begins or continues. Returns the number of bytes consumed. Once
 * the header is complete, the decoder is in_payload. On failure, `decoded` is an error event. */
size_t decoder_take_header(struct decoder *decoder, const struct decoder_limits *limits, const uint8_t *bytes,
                           size_t size, struct decoded *decoded);

/* The number of bytes that all frames of one message may have together. */
size_t decoder_payload_max(const struct decoder_limits *limits, bool compressed);

/* Ends the decoder with an error event. `why` must be a constant. */
void decoder_fail(struct decoder *decoder, struct decoded *decoded, uint16_t close_code, const char *why);

#endif
