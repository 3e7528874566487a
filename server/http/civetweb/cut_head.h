/* cut_head.h - what a request's head looked like before the HTTP library cut it into strings. Pure.
 *
 * The library accepts what RFC 9112 forbids: a blank before a colon; a folded line, where it stops reading, so
 * that what follows is lost or becomes a request of its own; lines that end with LF alone; more fields than it has
 * room for. It puts a NUL where it cuts and changes nothing else. So the places where strings begin and end show
 * what was between them.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HTTP_CIVETWEB_CUT_HEAD_H
#define WEIR_HTTP_CIVETWEB_CUT_HEAD_H

#include <stddef.h>

struct cut_field {
    const char *name;
    char *value;
};

struct cut_head {
    const char *buffer; /* where the library's buffer begins */
    size_t buffer_size;
    const char *method, *target, *version; /* "GET", "/", "1.1" */
    const struct cut_field *fields;
    size_t field_count;
    size_t fields_max; /* as many as the library has room for */
};

/* Checks the head, and removes the blanks after a field's value (RFC 9110, 5.5). Call it once for each head: what
 * it removes cannot be seen again. Returns 0, and in *size the head's size on the wire with what came before it;
 * or the status of the refusal (400, 431), with the reason, a constant, in *why. */
int cut_head_check(const struct cut_head *head, size_t *size, const char **why);

#endif
