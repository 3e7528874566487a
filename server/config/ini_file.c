/* ini_file.c - an ini file's sections, and what no line may have. No threads, no state that outlives a call.
 *
 * The lines of a section are libini_config's to read (ini.c), but it compares section names without their
 * case (/Room would be /room), tells no line for them, cuts text at a zero byte, refuses indented comments, takes
 * keys before the first section, and needs quadratic time. So a scan finds the headers and whatever it would
 * stumble over, and hands it one section at a time. Line numbers stay right: no line is added or lost.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/config/ini_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/config/value.h"

/* Bounds on what a wrong file, or a hostile one, can cost. */
enum { FILE_SIZE_MAX = 1 << 20, SECTION_KEYS_MAX = 1000 };

static const char blanks[] = " \t\r";

/* Reports the header in line[0..size) and overwrites it. */
static int begin_section(const struct ini_source *source, struct ini_section *section, char *line, size_t size,
                         unsigned number) {
    char *name = line + strspn(line, blanks) + 1;
    char *end = memrchr(line, ']', size);
    if (end == NULL)
        return ini_fail(source, number, "the section's name has no ] behind it");
    if (strspn(end + 1, blanks) < (size_t)(line + size - end - 1))
        return ini_fail(source, number, "text behind the section's ]; a comment needs a line of its own");
    name += strspn(name, blanks);
    while (end > name && strchr(blanks, end[-1]) != NULL)
        end--;
    if (end <= name)
        return ini_fail(source, number, "the section has no name");
    *end = '\0';
    if (source->reader->section(source->context, name, number) != 0)
        return -1;
    memset(line, ' ', size);
    memcpy(line, "[s]", 3);
    *section = (struct ini_section){.start = line, .line = number};
    return 0;
}

/* A key before the first section, of which the library is not told. */
static int read_head(const struct ini_source *source, char *line, size_t size, unsigned number) {
    char quoted[VALUE_QUOTED_SIZE];
    line[size] = '\0';
    char *equals = strchr(line, '=');
    if (equals == NULL)
        return ini_fail(source, number, "%s is neither `[section]` nor `key = value`",
                        value_quote(value_trim(line), quoted));
    *equals = '\0';
    return source->reader->head(source->context, value_trim(line), value_trim(equals + 1), number);
}

/* One line without its end. `section` is the one that it belongs to, or becomes the one that it begins. */
static int scan_line(const struct ini_source *source, struct ini_section *section, char *line, size_t size,
                     unsigned number) {
    const char *flaw = value_flaw(line, size);
    if (flaw != NULL)
        return ini_fail(source, number, "the line %s", flaw);
    size_t indent = strspn(line, blanks);
    if (indent >= size)
        return 0;
    if (line[indent] == '#' || line[indent] == ';') {
        line[0] = '#';
        return 0;
    }
    if (line[indent] == '[') {
        if (section->start != NULL && ini_read_section(source, section, line) != 0)
            return -1;
        return begin_section(source, section, line, size, number);
    }
    if (section->start == NULL)
        return read_head(source, line, size, number);
    if (++section->keys > SECTION_KEYS_MAX)
        return ini_fail(source, number, "more than %d keys in one section", SECTION_KEYS_MAX);
    return 0;
}

/* Text is followed by a zero byte, so that the str functions stop there; and no line holds another one. */
static int scan_text(const struct ini_source *source, char *text, char *end) {
    struct ini_section section = {.start = NULL};
    char *line = text;
    for (unsigned number = 1; line < end; number++) {
        char *newline = memchr(line, '\n', (size_t)(end - line));
        char *next = newline != NULL ? newline + 1 : end;
        size_t size = (size_t)((newline != NULL ? newline : end) - line);
        if (size > 0 && line[size - 1] == '\r')
            size--;
        if (scan_line(source, &section, line, size, number) != 0)
            return -1;
        line = next;
    }
    return section.start == NULL ? 0 : ini_read_section(source, &section, end);
}

/* Reads at most `size` bytes. Returns how many there were, or -1 with errno. */
static ssize_t read_file(const char *path, char *text, size_t size) {
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

int ini_file_read(const char *path, const struct ini_reader *reader, void *context, char *error,
                  size_t error_size) {
    struct ini_source source = {path, reader, context, error, error_size};
    char *text = malloc(FILE_SIZE_MAX + 2);
    if (text == NULL)
        return ini_fail(&source, 0, "%s", strerror(ENOMEM));
    ssize_t size = read_file(path, text, FILE_SIZE_MAX + 1);
    int result;
    if (size < 0) {
        result = ini_fail(&source, 0, "%s", strerror(errno));
    } else if (size > FILE_SIZE_MAX) {
        result = ini_fail(&source, 0, "larger than %d bytes, which no configuration is", FILE_SIZE_MAX);
    } else {
        text[size] = '\0';
        bool marked = size >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0;
        result = scan_text(&source, marked ? text + 3 : text, text + size);
    }
    free(text);
    return result;
}
