/* report_json_fields.h - converts members of a C struct to members of a JSON object and back, using one table. No
 * files.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BENCH_REPORT_REPORT_JSON_FIELDS_H
#define WEIR_BENCH_REPORT_REPORT_JSON_FIELDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum field_type {
    FIELD_TEXT,    /* char[size] */
    FIELD_HEAP,    /* char * in the heap; NULL is written as "" */
    FIELD_SMALL,   /* unsigned */
    FIELD_COUNT,   /* uint64_t */
    FIELD_TIME,    /* int64_t, not negative, before the year 10000 */
    FIELD_REAL,    /* double, finite and not negative */
    FIELD_SECONDS, /* uint64_t of nanoseconds, in JSON as seconds: exact up to 52 days */
    FIELD_TRUTH    /* bool */
};

struct field {
    const char *key;
    enum field_type type;
    size_t offset, size; /* `size` is for FIELD_TEXT */
};

/* State of a load. The first error is written to `error`, as "NAME: PLACE.KEY: what is wrong". */
struct loading {
    const char *name; /* the name of the file */
    char *error;
    size_t error_size;
};

/* Records an error. Always returns false. */
bool loading_fail(struct loading *loading, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Adds the fields of `members` to an object; bytes of a text that are not UTF-8 become U+FFFD. If memory runs
 * out, some fields are missing. */
void fields_write(json_t *object, const struct field *fields, size_t count, const void *members);

/* Returns a text as JSON, in the same way; NULL if memory runs out. */
json_t *fields_text(const char *text);

/* Reads all fields. `place` names the object in errors; "" is the outermost. */
bool fields_read(struct loading *loading, const json_t *object, const char *place, const struct field *fields,
                 size_t count, void *members);

/* Returns a member that must have the given type. NULL, with the load failed, if it does not. */
json_t *loading_member(struct loading *loading, const json_t *object, const char *place, const char *key,
                       json_type type);

#endif
