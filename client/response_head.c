/* response_head.c - see response_head.h. Pure functions, any thread.
 *
 * SPDX-License-Identifier: MIT
 */
#include "client/response_head.h"

#include <string.h>
#include <strings.h>

#include "client/client_handshake.h"

size_t client_handshake_head_size(const char *bytes, size_t size) {
    static const char end[] = "\r\n\r\n";
    const char *found = memmem(bytes, size, end, sizeof end - 1);
    return found == NULL ? 0 : (size_t)(found - bytes) + sizeof end - 1;
}

/* --- Lines -------------------------------------------------------------------------------------------------- */

static bool response_head_ends_line(char character) {
    return character == '\r' || character == '\n' || character == '\0';
}

bool response_head_next_line(const char **at, const char *end, struct head_line *line) {
    while (*at < end && response_head_ends_line(**at))
        (*at)++;
    line->text = *at;
    while (*at < end && !response_head_ends_line(**at))
        (*at)++;
    line->size = (size_t)(*at - line->text);
    return line->size > 0;
}

bool response_head_is_blank(char character) {
    return character == ' ' || character == '\t';
}

struct head_line response_head_trim(struct head_line line) {
    while (line.size > 0 && response_head_is_blank(line.text[0])) {
        line.text++;
        line.size--;
    }
    while (line.size > 0 && response_head_is_blank(line.text[line.size - 1]))
        line.size--;
    return line;
}

bool response_head_has_name(struct head_line line, const char *name, struct head_line *value) {
    size_t size = strlen(name);
    if (line.size <= size || line.text[size] != ':' || strncasecmp(line.text, name, size) != 0)
        return false;
    *value = response_head_trim((struct head_line){line.text + size + 1, line.size - size - 1});
    return true;
}

size_t response_head_find(const char *head, size_t head_size, const char *name, struct head_line *value) {
    size_t count = 0;
    struct head_line line, found;
    for (const char *at = head; response_head_next_line(&at, head + head_size, &line);)
        if (response_head_has_name(line, name, &found) && count++ == 0)
            *value = found;
    return count;
}

/* Every value ends where its line ends. */
const char *client_handshake_header(const char *head, size_t head_size, const char *name) {
    struct head_line value;
    return response_head_find(head, head_size, name, &value) > 0 ? value.text : NULL;
}

/* --- The status line ---------------------------------------------------------------------------------------- */

/* Parses a line such as "HTTP/1.1 403 Forbidden". Returns the status, or 0 if it is not a status line; *reason is
 * the text after the status. */
static int response_head_parse_status(struct head_line line, struct head_line *reason) {
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
    *reason = response_head_trim((struct head_line){line.text + STATUS_END, line.size - STATUS_END});
    return status >= 100 ? status : 0;
}

int response_head_status(const char *head, size_t head_size, struct head_line *reason) {
    struct head_line line;
    return response_head_next_line(&head, head + head_size, &line) ? response_head_parse_status(line, reason) : 0;
}
