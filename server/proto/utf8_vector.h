/* utf8_vector.h - the quick part of validating long texts: many bytes at a time, where the processor can. For
 * utf8.c alone. No state, any thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_PROTO_UTF8_VECTOR_H
#define WEIR_PROTO_UTF8_VECTOR_H

#include <stddef.h>
#include <stdint.h>

/* Bytes at the front that are whole, valid characters; `bytes` begins with a character. It may stop early, by any
 * number of bytes: who wants to know why goes on from there. Never late. */
size_t utf8_vector_prefix(const uint8_t *bytes, size_t size);

#endif
