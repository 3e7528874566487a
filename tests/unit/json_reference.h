/* json_reference.h - the result of jansson, another JSON parser, for a text. Its header and weir's use the same
 * names, so no file can include both.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_TESTS_UNIT_JSON_REFERENCE_H
#define WEIR_TESTS_UNIT_JSON_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>

bool reference_takes(const char *text, size_t size);

/* A string, decoded, in the heap; NULL if it has U+0000 or half a surrogate pair. */
char *reference_text(const char *string);

#endif
