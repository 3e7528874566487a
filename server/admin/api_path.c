/* api_path.c - see api_path.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/admin/api_path.h"

#include <string.h>

bool api_path_is(const char *raw) {
    return strncmp(raw, "/api", 4) == 0 && (raw[4] == '\0' || raw[4] == '/');
}

static int digit(char c) {
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *found = c == '\0' ? NULL : strchr(digits, c);
    return found == NULL ? -1 : (int)(found - digits) % 16;
}

/* Decodes `size` bytes to *end, adds a terminator, and moves *end past it. Returns false for what a terminated
 * text cannot hold, or a malformed '%'. */
static bool decode(const char *raw, size_t size, bool plus_is_blank, char **end) {
    for (size_t i = 0; i < size; i++) {
        char c = raw[i];
        if (c == '+' && plus_is_blank) {
            c = ' ';
        } else if (c == '%') {
            int high = i + 2 < size ? digit(raw[i + 1]) : -1, low = i + 2 < size ? digit(raw[i + 2]) : -1;
            if (high < 0 || low < 0 || high + low == 0)
                return false;
            c = (char)(high << 4 | low);
            i += 2;
        }
        *(*end)++ = c;
    }
    *(*end)++ = '\0';
    return true;
}

enum api_path_result api_path_parse(const char *raw, struct api_path *path) {
    path->count = 0;
    char *end = path->text;
    raw += strlen("/api");
    if (strlen(raw) >= sizeof path->text - API_SEGMENTS_MAX)
        return API_PATH_LONG;
    while (*raw == '/') {
        size_t size = strcspn(++raw, "/");
        if (path->count == API_SEGMENTS_MAX)
            return API_PATH_LONG;
        path->segments[path->count++] = end;
        if (!decode(raw, size, false, &end))
            return API_PATH_MALFORMED;
        raw += size;
    }
    return API_PATH_DONE;
}

static size_t index_of(const struct api_query *query, const char *name) {
    size_t i = 0;
    while (query->names[i] != NULL && strcmp(query->names[i], name) != 0)
        i++;
    return i;
}

/* Parses one parameter, "name=value". */
static const char *parse_one(const char *raw, size_t size, struct api_query *query, char **end) {
    const char *equals = memchr(raw, '=', size), *name = *end;
    size_t name_size = equals == NULL ? size : (size_t)(equals - raw);
    if (!decode(raw, name_size, true, end))
        return "is malformed";
    size_t i = index_of(query, name);
    if (query->names[i] == NULL)
        return "is unknown here";
    if (query->values[i] != NULL)
        return "is given twice";
    if (equals == NULL)
        return "has no value";
    query->values[i] = *end;
    return decode(equals + 1, size - name_size - 1, true, end) ? NULL : "is malformed";
}

const char *api_query_parse(const char *raw, const char *const *names, struct api_query *query, const char **name,
                            size_t *name_size) {
    char *end = query->text;
    query->names = names;
    memset(query->values, 0, sizeof query->values);
    *name = raw;
    *name_size = strcspn(raw, "=&");
    if (2 * strlen(raw) + 2 > sizeof query->text) /* each part may need a terminator */
        return "makes the query too long";
    while (*raw != '\0') {
        size_t size = strcspn(raw, "&");
        *name = raw;
        *name_size = strcspn(raw, "=&");
        const char *wrong = size == 0 ? NULL : parse_one(raw, size, query, &end);
        if (wrong != NULL)
            return wrong;
        raw += size;
        raw += *raw == '&';
    }
    return NULL;
}

const char *api_query_text(const struct api_query *query, const char *name) {
    return query->values[index_of(query, name)];
}

bool api_number(const char *text, uint64_t most, uint64_t *number) {
    uint64_t value = 0;
    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9')
            return false;
        uint64_t next = (uint64_t)(*text - '0');
        if (value > (UINT64_MAX - next) / 10)
            return false;
        value = value * 10 + next;
    }
    *number = value;
    return value <= most;
}

bool api_query_number(const struct api_query *query, const char *name, uint64_t least, uint64_t most,
                      uint64_t otherwise, uint64_t *number) {
    const char *text = api_query_text(query, name);
    *number = otherwise;
    return text == NULL || (api_number(text, most, number) && *number >= least);
}
