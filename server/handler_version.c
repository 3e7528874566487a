/* handler_version.c - see handler_version.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/handler_version.h"

#include <stdbool.h>
#include <string.h>

/* The first version of the struct had these fields, whose absence means that no size was set. */
enum { SIZE_MIN = offsetof(struct weir_handler, upgrade) };

/* What a later version has added is unset, so this server does what the handler expects. */
static bool handler_is_unset_beyond(const struct weir_handler *handler, size_t size) {
    const unsigned char *bytes = (const unsigned char *)handler;
    while (size < handler->size && bytes[size] == 0)
        size++;
    return size >= handler->size;
}

const char *handler_copy(struct weir_handler *copy, const struct weir_handler *handler) {
    if (handler->size < SIZE_MIN)
        return "the handler has no size; begin it with WEIR_HANDLER_INIT";
    if (!handler_is_unset_beyond(handler, sizeof *handler))
        return "the handler was compiled for a later weir, and has a callback that this one does not know";
    if (copy == NULL)
        return NULL;
    *copy = (struct weir_handler){.size = 0};
    memcpy(copy, handler, handler->size < sizeof *copy ? handler->size : sizeof *copy);
    copy->size = sizeof *copy;
    return NULL;
}
