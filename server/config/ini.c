/* ini.c - the `key = value` lines of one section, by libini_config: the one file that includes its headers.
 * No threads, no state that outlives a call.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/config/ini.h"

#include <ini_configobj.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/config/value.h"

static const char blanks[] = " \t\r";

int ini_fail(const struct ini_source *source, unsigned line, const char *format, ...) {
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

/* The number that comes first in *text, which then stands behind it. */
static unsigned next_number(const char **text) {
    char *end;
    *text += strcspn(*text, "0123456789");
    unsigned long number = strtoul(*text, &end, 10);
    *text = end;
    return (unsigned)number;
}

/* The library tells what is wrong only as text: "Error (5) on line 2: Equal sign is missing." Of it we trust the
 * numbers, which no translation changes. Returns false if it told nothing. */
static bool first_report(struct ini_cfgobj *ini, unsigned *kind, unsigned *line) {
    char **reports = NULL;
    if (ini_config_error_count(ini) == 0 || ini_config_get_errors(ini, &reports) != 0 || reports == NULL)
        return false;
    const char *report = reports[0] == NULL ? "" : reports[0];
    *kind = next_number(&report);
    *line = next_number(&report);
    ini_config_free_errors(reports);
    return *line > 0;
}

/* Whether the line has a key with a character that the library does not take. */
static bool has_bad_key(const char *line, const char *end) {
    const char *equals = memchr(line, '=', (size_t)(end - line));
    if (equals == NULL || *line == '#' || *line == ';')
        return false;
    line += strspn(line, blanks);
    while (equals > line && strchr(blanks, equals[-1]) != NULL)
        equals--;
    for (; line < equals; line++)
        if (*line < ' ' || *line > '~' || *line == '!')
            return true;
    return false;
}

/* Of such a line it tells nothing. Returns the first one's number in the section, or 0. */
static unsigned find_bad_key(const char *text, const char *end) {
    for (unsigned line = 1; text < end; line++) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *line_end = newline != NULL ? newline : end;
        if (has_bad_key(text, line_end))
            return line;
        text = line_end + 1;
    }
    return 0;
}

/* Terminates the text's line of this number and returns it without the blanks around it. */
static char *cut_line(char *text, char *end, unsigned line) {
    char *line_end;
    while ((line_end = memchr(text, '\n', (size_t)(end - text))) != NULL && line-- > 1)
        text = line_end + 1;
    text += strspn(text, blanks);
    for (end = line_end != NULL ? line_end : end; end > text && strchr(blanks, end[-1]) != NULL;)
        end--;
    *end = '\0';
    return text;
}

static const char *phrase(unsigned kind) {
    switch (kind) {
    case ERR_NOEQUAL:
        return "is neither `[section]` nor `key = value`";
    case ERR_NOKEY:
        return "has no key before the =";
    case ERR_LONGKEY:
        return "is a key that is too long";
    case ERR_DUPKEY:
        return "is set for the second time in this section";
    default:
        return "cannot be read as `key = value`";
    }
}

static int explain(const struct ini_source *source, const struct ini_section *section, char *end,
                   struct ini_cfgobj *ini, int code) {
    unsigned kind, line;
    char quoted[VALUE_QUOTED_SIZE];
    const char *why;
    if (first_report(ini, &kind, &line))
        why = phrase(kind);
    else if ((line = find_bad_key(section->start, end)) > 0)
        why = "has a character that no key has";
    else
        return ini_fail(source, section->line, "the section cannot be read: %s", strerror(code));
    char *text = cut_line(section->start, end, line), *equals = strchr(text, '=');
    if (equals != NULL && equals > text)
        *equals = '\0'; /* the value may be a secret */
    value_quote(value_trim(text), quoted);
    return ini_fail(source, section->line + line - 1, "%s %s", quoted, why);
}

static int report_value(const struct ini_source *source, const struct ini_section *section, struct ini_cfgobj *ini,
                        const char *key) {
    struct value_obj *object = NULL;
    uint32_t line;
    int code = ini_get_config_valueobj("s", key, ini, INI_GET_FIRST_VALUE, &object);
    if (code == 0 && object != NULL)
        code = value_get_line(object, &line);
    const char *value = code == 0 && object != NULL ? ini_get_const_string_config_value(object, &code) : NULL;
    if (value == NULL)
        return ini_fail(source, section->line, "the section cannot be read: %s", strerror(code));
    return source->reader->value(source->context, key, value, section->line + line - 1);
}

static int report_values(const struct ini_source *source, const struct ini_section *section,
                         struct ini_cfgobj *ini) {
    int count, code;
    char **keys = ini_get_attribute_list(ini, "s", &count, &code);
    if (keys == NULL)
        return ini_fail(source, section->line, "the section cannot be read: %s", strerror(code));
    int result = 0;
    for (int i = 0; result == 0 && i < count; i++)
        result = report_value(source, section, ini, keys[i]);
    ini_free_attribute_list(keys);
    return result;
}

int ini_read_section(const struct ini_source *source, const struct ini_section *section, char *end) {
    struct ini_cfgfile *file = NULL;
    struct ini_cfgobj *ini = NULL;
    int result;
    int code = ini_config_create(&ini);
    if (code == 0)
        code = ini_config_file_from_mem(section->start, (uint32_t)(end - section->start), &file);
    if (code == 0)
        code = ini_config_parse(file, INI_STOP_ON_ANY, INI_MV1S_ERROR, INI_PARSE_NOWRAP | INI_PARSE_NO_C_COMMENTS,
                                ini);
    if (code == 0)
        result = report_values(source, section, ini);
    else if (file != NULL)
        result = explain(source, section, end, ini, code);
    else
        result = ini_fail(source, section->line, "the section cannot be read: %s", strerror(code));
    ini_config_file_destroy(file);
    ini_config_destroy(ini);
    return result;
}
