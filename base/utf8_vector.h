/* utf8_vector.h - the fast part of validating long texts: many bytes at a time, where the processor supports it.
 * For utf8.c alone. No state, any thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BASE_UTF8_VECTOR_H
#define WEIR_BASE_UTF8_VECTOR_H

#include <stddef.h>
#include <stdint.h>

/* Returns how many bytes at the front are complete, valid characters; `bytes` must begin with a character. It may
 * stop early, by any number of bytes, never late. A caller that needs the reason continues from there. */
size_t utf8_vector_prefix(const uint8_t *bytes, size_t size);

#endif
