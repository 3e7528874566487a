/* report_json_fields.c - see report_json_fields.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "commands/bench/report/report_json_fields.h"

#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "commands/bench/summary.h"

bool loading_fail(struct loading *loading, const char *format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    for (char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
    snprintf(loading->error, loading->error_size, "%s: %s", loading->name, text);
    return false;
}

/* --- Writing ----------------------------------------------------------------------------------------------- */

json_t *fields_text(const char *text) {
    static const char replacement[] = "\xef\xbf\xbd";
    if (utf8_valid((const uint8_t *)text, strlen(text)))
        return json_string(text);
    char *valid = malloc(strlen(text) * (sizeof replacement - 1) + 1), *end = valid;
    if (valid == NULL)
        return NULL;
    while (*text != '\0') {
        const char *begin = text;
        summary_character(&text);
        if (utf8_valid((const uint8_t *)begin, (size_t)(text - begin)))
            end = mempcpy(end, begin, (size_t)(text - begin));
        else
            end = mempcpy(end, replacement, sizeof replacement - 1);
    }
    json_t *value = json_stringn(valid, (size_t)(end - valid));
    free(valid);
    return value;
}

static json_t *write_integer(uint64_t number) {
    return json_integer(number < INT64_MAX ? (json_int_t)number : INT64_MAX);
}

static json_t *write_member(enum field_type type, const void *member) {
    switch (type) {
    case FIELD_TEXT:
        return fields_text(member);
    case FIELD_HEAP:
        return fields_text(*(char *const *)member != NULL ? *(char *const *)member : "");
    case FIELD_SMALL:
        return json_integer(*(const unsigned *)member);
    case FIELD_COUNT:
        return write_integer(*(const uint64_t *)member);
    case FIELD_TIME:
        return json_integer(*(const int64_t *)member);
    case FIELD_REAL:
        return json_real(isfinite(*(const double *)member) ? *(const double *)member : 0);
    case FIELD_SECONDS:
        return json_real((double)*(const uint64_t *)member / 1e9);
    default:
        return json_boolean(*(const bool *)member);
    }
}

void fields_write(json_t *object, const struct field *fields, size_t count, const void *members) {
    for (size_t i = 0; i < count; i++) {
        const char *member = (const char *)members + fields[i].offset;
        json_object_set_new(object, fields[i].key, write_member(fields[i].type, member));
    }
}

/* --- Reading ----------------------------------------------------------------------------------------------- */

static const char *name_of(json_type type) {
    static const char *const names[] = {
        [JSON_OBJECT] = "an object",   [JSON_ARRAY] = "an array", [JSON_STRING] = "a string",
        [JSON_INTEGER] = "an integer", [JSON_REAL] = "a number",  [JSON_TRUE] = "true or false",
    };
    return names[type];
}

static bool is_of(const json_t *value, json_type type) {
    if (type == JSON_REAL)
        return json_is_number(value);
    return type == JSON_TRUE ? json_is_boolean(value) : json_typeof(value) == type;
}

json_t *loading_member(struct loading *loading, const json_t *object, const char *place, const char *key,
                       json_type type) {
    json_t *value = json_object_get(object, key);
    const char *dot = *place != '\0' ? "." : "";
    if (value == NULL)
        loading_fail(loading, "%s%s%s is missing", place, dot, key);
    else if (!is_of(value, type)) {
        loading_fail(loading, "%s%s%s is not %s", place, dot, key, name_of(type));
        return NULL;
    }
    return value;
}

static json_type json_type_of(enum field_type type) {
    switch (type) {
    case FIELD_TEXT:
    case FIELD_HEAP:
        return JSON_STRING;
    case FIELD_SMALL:
    case FIELD_COUNT:
    case FIELD_TIME:
        return JSON_INTEGER;
    case FIELD_TRUTH:
        return JSON_TRUE;
    default:
        return JSON_REAL;
    }
}

/* Stores a value if it has the right JSON type. Returns NULL, or else what is wrong with it. */
static const char *store(const struct field *field, const json_t *value, void *member) {
    const char *text = json_string_value(value);
    json_int_t integer = json_integer_value(value);
    double real = json_number_value(value);
    if (integer < 0 || real < 0)
        return "negative";
    switch (field->type) {
    case FIELD_TEXT:
        if (json_string_length(value) >= field->size)
            return "too long";
        memcpy(member, text, json_string_length(value) + 1);
        return NULL;
    case FIELD_HEAP:
        return (*(char **)member = strdup(text)) != NULL ? NULL : "too much for the memory that is left";
    case FIELD_SMALL:
        *(unsigned *)member = (unsigned)integer;
        return integer <= UINT_MAX ? NULL : "too large";
    case FIELD_COUNT:
        *(uint64_t *)member = (uint64_t)integer;
        return NULL;
    case FIELD_TIME:
        *(int64_t *)member = integer;
        return integer <= INT64_C(253402300799) ? NULL : "too large";
    case FIELD_REAL:
        *(double *)member = real;
        return NULL;
    case FIELD_SECONDS:
        *(uint64_t *)member = real < 1e9 ? (uint64_t)llround(real * 1e9) : 0;
        return real < 1e9 ? NULL : "too large";
    default:
        *(bool *)member = json_is_true(value);
        return NULL;
    }
}

bool fields_read(struct loading *loading, const json_t *object, const char *place, const struct field *fields,
                 size_t count, void *members) {
    for (size_t i = 0; i < count; i++) {
        const struct field *field = &fields[i];
        const json_t *value = loading_member(loading, object, place, field->key, json_type_of(field->type));
        if (value == NULL)
            return false;
        const char *wrong = store(field, value, (char *)members + field->offset);
        if (wrong != NULL)
            return loading_fail(loading, "%s%s%s is %s", place, *place != '\0' ? "." : "", field->key, wrong);
    }
    return true;
}
