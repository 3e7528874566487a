/* cut_head.c - see cut_head.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/http/civetweb/cut_head.h"

#include <stdbool.h>
#include <string.h>

#define TOKEN                                                                                                      \
    "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" /* RFC 9110, 5.6.2             \
                                                                                     */

static const char line_end[] = "a line of the head does not end with CR LF, or a blank stands where none may";

static int cut_head_refuse(int status, const char *reason, const char **why) {
    *why = reason;
    return status;
}

static const char *cut_head_end_of(const char *text) {
    return text + strlen(text);
}

/* One empty line may come before a request (RFC 9112, 2.2). If there are more, the library takes them for a head,
 * and reads on in what it has kept of other clients. */
static bool cut_head_begins_well(const struct cut_head *head) {
    size_t before = (size_t)(head->method - head->buffer);
    return before == 0 || (before == 2 && memcmp(head->buffer, "\r\n", 2) == 0);
}

/* Whether one blank is between the words. "HTTP/" comes before the version. */
static bool cut_head_has_request_line(const struct cut_head *head) {
    return head->target == cut_head_end_of(head->method) + 1 &&
           head->version == cut_head_end_of(head->target) + 1 + strlen("HTTP/");
}

/* Whether only blanks are between the colon, which is a NUL now, and the value. A second NUL was a blank before
 * the colon. */
static bool cut_head_has_colon_at_name(const struct cut_field *field) {
    const char *after = cut_head_end_of(field->name) + 1;
    return after + strspn(after, " \t") == field->value;
}

static void cut_head_remove_blanks(char *value) {
    size_t size = strlen(value);
    while (size > 0 && (value[size - 1] == ' ' || value[size - 1] == '\t'))
        value[--size] = '\0';
}

/* Sets *line to where the next line begins. The CR and the LF before it are NULs now. */
static int cut_head_check_field(const struct cut_field *field, const char **line, const char **why) {
    const char *end = cut_head_end_of(field->value);
    size_t name_size = strlen(field->name);
    if (field->name != *line)
        return cut_head_refuse(400, line_end, why);
    if (name_size == 0 || strspn(field->name, TOKEN) != name_size)
        return cut_head_refuse(400, "the name of a header field has a character that it may not have", why);
    if (!cut_head_has_colon_at_name(field))
        return cut_head_refuse(400, "a blank stands before the colon of a header field", why);
    if (end[1] != '\0')
        return cut_head_refuse(400, line_end, why);
    *line = end + 2;
    return 0;
}

/* Where the library has stopped there must be an empty line. Its LF, the head's last byte, is a NUL now; so is its
 * CR if there are no fields. */
static int cut_head_check_end(const struct cut_head *head, const char *line, const char **why) {
    if (line + 2 > head->buffer + head->buffer_size) /* it has ended with two LFs, where the buffer ends */
        return cut_head_refuse(400, line_end, why);
    if ((line[0] == '\r' || (head->field_count == 0 && line[0] == '\0')) && line[1] == '\0')
        return 0;
    if (head->field_count >= head->fields_max)
        return cut_head_refuse(431, "the request has more than 64 header fields", why);
    if (line[0] == ' ')
        return cut_head_refuse(400, "a header field goes on in a second line, which HTTP no longer allows", why);
    return cut_head_refuse(400, line_end, why);
}

int cut_head_check(const struct cut_head *head, size_t *size, const char **why) {
    if (!cut_head_begins_well(head))
        return cut_head_refuse(400, "more than one empty line stands before the request", why);
    if (!cut_head_has_request_line(head))
        return cut_head_refuse(400, "the request line has more than one blank between its parts", why);
    const char *line = cut_head_end_of(head->version) + 2;
    for (size_t i = 0; i < head->field_count; i++) {
        int status = cut_head_check_field(&head->fields[i], &line, why);
        if (status != 0)
            return status;
    }
    int status = cut_head_check_end(head, line, why);
    for (size_t i = 0; status == 0 && i < head->field_count; i++)
        cut_head_remove_blanks(head->fields[i].value);
    *size = (size_t)(line + 2 - head->buffer);
    return status;
}
