/* opening_head.c - see opening_head.h. Pure functions, any thread.
 *
 * SPDX-License-Identifier: MIT
 */
#include "client/opening_head.h"

#include <string.h>
#include <strings.h>

#include "client/opening.h"

size_t opening_head_size(const char *bytes, size_t size) {
    static const char end[] = "\r\n\r\n";
    const char *found = memmem(bytes, size, end, sizeof end - 1);
    return found == NULL ? 0 : (size_t)(found - bytes) + sizeof end - 1;
}

/* --- Lines -------------------------------------------------------------------------------------------------- */

static bool ends_line(char character) {
    return character == '\r' || character == '\n' || character == '\0';
}

bool head_next_line(const char **at, const char *end, struct line *line) {
    while (*at < end && ends_line(**at))
        (*at)++;
    line->text = *at;
    while (*at < end && !ends_line(**at))
        (*at)++;
    line->size = (size_t)(*at - line->text);
    return line->size > 0;
}

bool head_is_blank(char character) {
    return character == ' ' || character == '\t';
}

struct line head_trim(struct line line) {
    while (line.size > 0 && head_is_blank(line.text[0])) {
        line.text++;
        line.size--;
    }
    while (line.size > 0 && head_is_blank(line.text[line.size - 1]))
        line.size--;
    return line;
}

bool head_has_name(struct line line, const char *name, struct line *value) {
    size_t size = strlen(name);
    if (line.size <= size || line.text[size] != ':' || strncasecmp(line.text, name, size) != 0)
        return false;
    *value = head_trim((struct line){line.text + size + 1, line.size - size - 1});
    return true;
}

size_t head_find(const char *head, size_t head_size, const char *name, struct line *value) {
    size_t count = 0;
    struct line line, found;
    for (const char *at = head; head_next_line(&at, head + head_size, &line);)
        if (head_has_name(line, name, &found) && count++ == 0)
            *value = found;
    return count;
}

/* Every value ends where its line ends. */
const char *opening_header(const char *head, size_t head_size, const char *name) {
    struct line value;
    return head_find(head, head_size, name, &value) > 0 ? value.text : NULL;
}

/* --- The status line ---------------------------------------------------------------------------------------- */

/* Parses a line such as "HTTP/1.1 403 Forbidden". Returns the status, or 0 if it is not a status line; *reason is
 * the text after the status. */
static int status_of(struct line line, struct line *reason) {
    enum { VERSION_SIZE = 9 /* with the blank */, STATUS_END = 12 };
    if (line.size < STATUS_END || strncmp(line.text, "HTTP/1.", 7) != 0 || line.text[VERSION_SIZE - 1] != ' ')
        return 0;
    int status = 0;
    for (size_t i = VERSION_SIZE; i < STATUS_END; i++) {
        if (line.text[i] < '0' || line.text[i] > '9')
            return 0;
        status = status * 10 + line.text[i] - '0';
    }
    if (line.size > STATUS_END && line.text[STATUS_END] != ' ')
        return 0;
    *reason = head_trim((struct line){line.text + STATUS_END, line.size - STATUS_END});
    return status >= 100 ? status : 0;
}

int head_status(const char *head, size_t head_size, struct line *reason) {
    struct line line;
    return head_next_line(&head, head + head_size, &line) ? status_of(line, reason) : 0;
}
