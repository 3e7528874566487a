/* json.c - checks a JSON text, without recursion: it stores one bit for each open array or object.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/json.h"

#include <string.h>

#include "base/json_token.h"

struct scan {
    struct json_cursor cursor;
    unsigned depth;   /* arrays and objects that are open */
    uint64_t objects; /* which of them are objects: bit 0 stands for the innermost, bit 1 for the one around it */
};
_Static_assert(JSON_DEPTH_MAX == 64, "struct scan has a bit for each, and an error names the number");

static bool inner_is_object(const struct scan *scan) {
    return (scan->objects & 1) != 0;
}

static bool open_inner(struct scan *scan, bool object) {
    if (scan->depth == JSON_DEPTH_MAX)
        return json_wrong(&scan->cursor, "expected at most 64 arrays and objects within each other");
    scan->depth++;
    scan->objects = scan->objects << 1 | object;
    scan->cursor.at++;
    return true;
}

static void close_inner(struct scan *scan) {
    scan->depth--;
    scan->objects >>= 1;
}

/* Takes the name of a member and the colon. */
static bool name(struct json_cursor *cursor) {
    json_skip_blanks(cursor);
    if (json_peek(cursor) != '"')
        return json_wrong(cursor, "expected the name of a member, in double quotes");
    if (!json_scan_string(cursor))
        return false;
    json_skip_blanks(cursor);
    return json_take(cursor, ':') || json_wrong(cursor, "expected ':' after a member name");
}

/* Enters a value, and goes past the first scalar, or empty array or object, within it. */
static bool descend(struct scan *scan) {
    struct json_cursor *cursor = &scan->cursor;
    for (;;) {
        json_skip_blanks(cursor);
        uint8_t first = json_peek(cursor);
        if (first != '{' && first != '[')
            return json_scan_scalar(cursor);
        if (!open_inner(scan, first == '{'))
            return false;
        json_skip_blanks(cursor);
        if (json_take(cursor, first == '{' ? '}' : ']')) {
            close_inner(scan);
            return true;
        }
        if (first == '{' && !name(cursor))
            return false;
    }
}

/* To be called after a value. Leaves every array and object that ends here, and goes on to where the next value is
 * expected, if one is. */
static bool ascend(struct scan *scan) {
    struct json_cursor *cursor = &scan->cursor;
    while (scan->depth > 0) {
        bool object = inner_is_object(scan);
        json_skip_blanks(cursor);
        if (json_take(cursor, ','))
            return !object || name(cursor);
        if (!json_take(cursor, object ? '}' : ']'))
            return json_wrong(cursor, object ? "expected ',' or '}' after a member"
                                             : "expected ',' or ']' after an element");
        close_inner(scan);
    }
    return true;
}

static bool check_beginning(struct json_cursor *cursor) {
    if (cursor->end - cursor->at >= 3 && memcmp(cursor->at, "\xef\xbb\xbf", 3) == 0)
        return json_wrong(cursor, "expected a value, not a byte order mark");
    json_skip_blanks(cursor);
    return cursor->at < cursor->end || json_wrong(cursor, "expected a value, but there is none");
}

static bool check(struct scan *scan, struct json_value *value) {
    struct json_cursor *cursor = &scan->cursor;
    if (!check_beginning(cursor))
        return false;
    const uint8_t *first = cursor->at;
    do {
        if (!descend(scan) || !ascend(scan))
            return false;
    } while (scan->depth > 0);
    *value = (struct json_value){json_type_of(*first), first, (size_t)(cursor->at - first)};
    json_skip_blanks(cursor);
    return cursor->at == cursor->end || json_wrong(cursor, "expected only spaces after the value");
}

int json_check(const void *text, size_t size, struct json_value *value, struct json_error *error) {
    const uint8_t *bytes = size == 0 ? (const uint8_t *)"" : text; /* a value's bytes are never NULL */
    struct scan scan = {.cursor = {bytes, bytes + size, NULL}};
    struct json_value checked;
    if (check(&scan, &checked)) {
        *value = checked;
        return 0;
    }
    *error = (struct json_error){scan.cursor.wrong, (size_t)(scan.cursor.at - bytes)};
    return -1;
}
