/* payload_file.c - see payload_file.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "commands/bench/load/payload_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ws/frame.h"

/* Reads a stream to its end, into the heap. Returns NULL with errno set. */
static uint8_t *read_all(FILE *in, size_t *size) {
    size_t capacity = 65536;
    uint8_t *bytes = malloc(capacity);
    *size = 0;
    while (bytes != NULL) {
        *size += fread(bytes + *size, 1, capacity - *size, in);
        if (*size < capacity)
            break;
        uint8_t *more = realloc(bytes, capacity *= 2);
        if (more == NULL)
            free(bytes);
        bytes = more;
    }
    if (bytes == NULL || !ferror(in))
        return bytes;
    free(bytes);
    return NULL;
}

static uint8_t *read_file(const char *path, size_t *size) {
    FILE *in = fopen(path, "rb");
    if (in == NULL)
        return NULL;
    uint8_t *bytes = read_all(in, size);
    int error = errno;
    fclose(in);
    errno = error;
    return bytes;
}

/* Finds the lines; the last one needs no newline. */
static bool split(struct payload *payload, size_t size) {
    size_t count = size > 0 && payload->plain[size - 1] != '\n';
    for (size_t i = 0; i < size; i++)
        count += payload->plain[i] == '\n';
    payload->lines = calloc(count + 1, sizeof *payload->lines);
    if (payload->lines == NULL)
        return false;
    for (size_t at = 0; at < size; payload->line_count++) {
        const uint8_t *end = memchr(payload->plain + at, '\n', size - at);
        size_t line_size = end != NULL ? (size_t)(end - payload->plain) - at : size - at;
        payload->lines[payload->line_count] = (struct payload_line){at, line_size};
        at += line_size + 1;
    }
    return true;
}

static bool check(struct payload *payload, const struct settings *settings, char *error, size_t error_size) {
    const char *path = settings->message_file;
    payload->size_min = SIZE_MAX;
    payload->size_max = 0;
    for (size_t i = 0; i < payload->line_count; i++) {
        const struct payload_line *line = &payload->lines[i];
        if (line->size > settings->max_size) {
            snprintf(error, error_size, "%s:%zu: the line has %zu bytes, --max-size is %zu", path, i + 1,
                     line->size, settings->max_size);
            return false;
        }
        if (settings->text && !utf8_valid(payload->plain + line->at, line->size)) {
            snprintf(error, error_size, "%s:%zu: the line is not UTF-8; --binary sends it all the same", path,
                     i + 1);
            return false;
        }
        payload->size_min = line->size < payload->size_min ? line->size : payload->size_min;
        payload->size_max = line->size > payload->size_max ? line->size : payload->size_max;
    }
    if (payload->line_count == 0)
        snprintf(error, error_size, "%s is empty; it must contain at least one message", path);
    return payload->line_count > 0;
}

bool payload_file_read(struct payload *payload, const struct settings *settings, char *error, size_t error_size) {
    size_t size;
    payload->plain = read_file(settings->message_file, &size);
    if (payload->plain == NULL) {
        snprintf(error, error_size, "%s: %s", settings->message_file, strerror(errno));
        return false;
    }
    payload->masked = malloc(size + 1);
    if (payload->masked == NULL || !split(payload, size)) {
        snprintf(error, error_size, "%s: does not fit into the memory that is left", settings->message_file);
        return false;
    }
    memcpy(payload->masked, payload->plain, size);
    for (size_t i = 0; i < payload->line_count; i++)
        frame_mask(payload->masked + payload->lines[i].at, payload->lines[i].size, payload_mask);
    return check(payload, settings, error, error_size);
}
