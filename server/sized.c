/* sized.c - see sized.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/sized.h"

#include <stdbool.h>
#include <string.h>

enum sized { SIZED_GOOD, SIZED_MISSING, SIZED_LATER };

/* What a later version has added is unset, so this server does what the struct asks for. */
static bool is_unset_beyond(const unsigned char *bytes, size_t known, size_t size) {
    while (known < size && bytes[known] == 0)
        known++;
    return known >= size;
}

/* `size_min` is what the first version of the struct had at least; less means that no size was set. */
static enum sized sized_copy(void *copy, size_t known, size_t size_min, const void *from) {
    size_t size;
    memcpy(&size, from, sizeof size);
    if (size < size_min)
        return SIZED_MISSING;
    if (!is_unset_beyond(from, known, size))
        return SIZED_LATER;
    if (copy != NULL) {
        memset(copy, 0, known);
        memcpy(copy, from, size < known ? size : known);
        memcpy(copy, &known, sizeof known);
    }
    return SIZED_GOOD;
}

const char *handler_copy(struct weir_handler *copy, const struct weir_handler *handler) {
    static const char *const errors[] = {
        [SIZED_MISSING] = "the handler has no size; begin it with WEIR_HANDLER_INIT",
        [SIZED_LATER] = "the handler was compiled for a later weir, and has a callback that this one does not know",
    };
    return errors[sized_copy(copy, sizeof *copy, offsetof(struct weir_handler, upgrade), handler)];
}

const char *route_options_copy(struct weir_route_options *copy, const struct weir_route_options *options) {
    static const char *const errors[] = {
        [SIZED_MISSING] = "the route's options have no size; begin them with WEIR_ROUTE_OPTIONS_INIT",
        [SIZED_LATER] =
            "the route's options were compiled for a later weir, and set one that this one does not know",
    };
    return errors[sized_copy(copy, sizeof *copy, offsetof(struct weir_route_options, subprotocols), options)];
}
