/* ini_file.c - see ini_file.h. Any thread; no state outlives a call.
 *
 * weir has a reader of its own because libini_config ignores the case of section names (/Room would be /room), does
 * not report their lines, cuts text at a zero byte, needs quadratic time, and stops at a section's first error.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/config/ini_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "server/config/value.h"

/* Bounds on what a wrong or hostile file can cost: bytes of a file, keys of a section, bytes of a key. */
enum { FILE_SIZE_MAX = 1 << 20, SECTION_KEYS_MAX = 1000, KEY_SIZE_MAX = 1000 };

/* One call of ini_file_read(). */
struct source {
    const char *path;
    const struct ini_reader *reader;
    void *context;
    char *error;
    size_t error_size;

    bool began;   /* a section header has been read */
    bool skipped; /* the section's header is wrong, or the section has too many keys */
    size_t key_count;
    const char *keys[SECTION_KEYS_MAX]; /* of the section so far */
};

/* Writes "path:line: why", or "path: why" if line is 0. Returns -1. */
static int fail(const struct source *source, unsigned line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int fail(const struct source *source, unsigned line, const char *format, ...) {
    char why[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, sizeof why, format, arguments);
    va_end(arguments);
    if (line == 0)
        snprintf(source->error, source->error_size, "%s: %s", source->path, why);
    else
        snprintf(source->error, source->error_size, "%s:%u: %s", source->path, line, why);
    return -1;
}

/* --- Lines: without their ends and the blanks around them ----------------------------------------------------- */

static int read_header(struct source *source, char *line, unsigned number) {
    char *end = strrchr(line, ']');
    source->began = source->skipped = true;
    source->key_count = 0;
    if (end == NULL)
        return fail(source, number, "the section header has no closing ]; write it like [server]");
    if (end[1] != '\0')
        return fail(source, number,
                    "there is text after the ] of the section header; put a comment on a line of its own");
    *end = '\0';
    const char *name = value_trim(line + 1);
    if (*name == '\0')
        return fail(source, number, "the section header is empty; write it like [server]");
    int result = source->reader->section(source->context, name, number);
    source->skipped = result != 0;
    return result;
}

/* Returns what is wrong with the key, or NULL. */
static const char *key_error(const struct source *source, const char *key) {
    if (strlen(key) > KEY_SIZE_MAX)
        return "is too long for a key";
    for (const char *at = key; *at != '\0'; at++)
        if (*at < ' ' || *at > '~' || *at == '!')
            return "contains a character that is not allowed in a key";
    for (size_t i = 0; i < source->key_count; i++)
        if (strcasecmp(source->keys[i], key) == 0)
            return "is set twice in this section; remove one of the two lines";
    return NULL;
}

static int read_value(struct source *source, char *line, unsigned number) {
    char quoted[VALUE_QUOTED_SIZE];
    char *equals = strchr(line, '=');
    if (equals == NULL)
        return fail(source, number, "%s is neither `[section]` nor `key = value`", value_quote(line, quoted));
    if (equals == line)
        return fail(source, number, "%s has no key before the =", value_quote(line, quoted));
    *equals = '\0';
    const char *key = value_trim(line), *value = value_trim(equals + 1);
    if (!source->began)
        return source->reader->head(source->context, key, value, number);
    const char *wrong = key_error(source, key);
    if (wrong != NULL)
        return fail(source, number, "%s %s", value_quote(key, quoted), wrong);
    if (source->key_count == SECTION_KEYS_MAX) {
        source->skipped = true;
        return fail(source, number, "the section has more than %d keys", SECTION_KEYS_MAX);
    }
    source->keys[source->key_count++] = key;
    return source->reader->value(source->context, key, value, number);
}

static int read_line(struct source *source, char *line, size_t size, unsigned number) {
    const char *wrong = value_text_error(line, size);
    line[size] = '\0';
    if (wrong != NULL)
        return fail(source, number, "the line %s", wrong);
    line = value_trim(line);
    if (*line == '\0' || *line == '#' || *line == ';')
        return 0;
    if (*line == '[')
        return read_header(source, line, number);
    return source->skipped ? 0 : read_value(source, line, number);
}

/* --- The file ------------------------------------------------------------------------------------------------- */

/* Reads the lines of text[0..end). The byte at `end` may be written to. */
static int read_text(struct source *source, char *text, char *end) {
    char *line = text;
    for (unsigned number = 1; line < end; number++) {
        char *newline = memchr(line, '\n', (size_t)(end - line));
        size_t size = (size_t)((newline != NULL ? newline : end) - line);
        char *next = line + size + 1;
        if (size > 0 && line[size - 1] == '\r')
            size--;
        if (read_line(source, line, size, number) != 0 && source->reader->failed(source->context) != 0)
            return -1;
        line = next;
    }
    return 0;
}

/* Reads at most `size` bytes of a file. Returns the number of bytes, or -1 with errno. */
static ssize_t read_bytes(const char *path, char *text, size_t size) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    size_t used = 0;
    ssize_t got;
    do {
        got = read(fd, text + used, size - used);
        if (got > 0)
            used += (size_t)got;
    } while ((got > 0 && used < size) || (got < 0 && errno == EINTR));
    int code = errno;
    close(fd);
    errno = code;
    return got < 0 ? -1 : (ssize_t)used;
}

static int read_file(struct source *source) {
    char *text = malloc(FILE_SIZE_MAX + 2);
    if (text == NULL)
        return fail(source, 0, "%s", strerror(ENOMEM));
    ssize_t size = read_bytes(source->path, text, FILE_SIZE_MAX + 1);
    int result;
    if (size < 0) {
        result = fail(source, 0, "%s", strerror(errno));
    } else if (size > FILE_SIZE_MAX) {
        result = fail(source, 0, "the file is larger than %d bytes, the limit for a configuration", FILE_SIZE_MAX);
    } else {
        bool marked = size >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0;
        result = read_text(source, marked ? text + 3 : text, text + size);
    }
    free(text);
    return result;
}

int ini_file_read(const char *path, const struct ini_reader *reader, void *context, char *error,
                  size_t error_size) {
    struct source source = {
        .path = path, .reader = reader, .context = context, .error = error, .error_size = error_size};
    return read_file(&source);
}
