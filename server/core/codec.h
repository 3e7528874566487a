/* codec.h - the zlib state of a thread, for streams that start afresh with each message. So connections without
 * context takeover hold none, however many there are. It is freed when the thread ends.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CORE_CODEC_H
#define WEIR_CORE_CODEC_H

#include "ws/deflate.h"

/* Returns this thread's compressor for this window, freshly reset, or NULL if memory is exhausted. */
struct deflater *codec_deflater(unsigned window_bits);

/* Returns this thread's decompressor, which takes any window, freshly reset; NULL if memory is exhausted. */
struct inflater *codec_inflater(void);

#endif
