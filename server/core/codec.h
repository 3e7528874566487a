/* codec.h - the zlib state of a thread, for streams that begin anew with each message. So a connection that takes
 * nothing over holds none, however many there are. Freed when the thread ends.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CORE_CODEC_H
#define WEIR_CORE_CODEC_H

#include "server/proto/deflate.h"

/* This thread's compressor with this window, which has just been reset. NULL if memory is out. */
struct deflater *codec_deflater(unsigned window_bits);

/* This thread's decompressor, for any window, which has just been reset. NULL if memory is out. */
struct inflater *codec_inflater(void);

#endif
