/* json_writer.h - builds a JSON text in the heap. One thread at a time.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BASE_JSON_WRITER_H
#define WEIR_BASE_JSON_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All zero is an empty writer. */
struct json_writer {
    uint8_t *bytes; /* not terminated; the owner must free it, or may take it */
    size_t size, capacity;
    bool failed; /* memory was exhausted: the text is incomplete */
};

/* --- Objects and arrays ---
 *
 * A comma is written before a key, and before an object or array that begins, unless it is the first in its place.
 * A value follows each key: json_key(writer, "offset"); json_write_number(writer, 7); */
void json_begin_object(struct json_writer *writer);
void json_end_object(struct json_writer *writer);
void json_begin_array(struct json_writer *writer);
void json_end_array(struct json_writer *writer);
void json_key(struct json_writer *writer, const char *name); /* a name that needs no escaping */
void json_separate(struct json_writer *writer);              /* before any other element of an array */

/* --- Values --- */
void json_write_string(struct json_writer *writer, const char *text);            /* valid UTF-8: is escaped */
void json_write_text(struct json_writer *writer, const void *text, size_t size); /* valid UTF-8: is escaped */
void json_write_plain(struct json_writer *writer, const char *text);             /* needs no escaping: in quotes */
void json_write_base64(struct json_writer *writer, const void *bytes, size_t size); /* in quotes (RFC 4648, 4) */
void json_write_number(struct json_writer *writer, uint64_t number);
void json_write_quoted_number(struct json_writer *writer, uint64_t number); /* "7": more than 2^53 is possible */
void json_write_seconds(struct json_writer *writer, double seconds); /* 1790000000.123, in any locale; null if it
                                                                        is not a time */
void json_write_bool(struct json_writer *writer, bool value);
void json_write(struct json_writer *writer, const void *bytes, size_t size); /* JSON, unchanged */
void json_write_literal(struct json_writer *writer, const char *text);       /* JSON, unchanged */

void json_writer_release(struct json_writer *writer);

#endif
