/* relay.c - sends every message to all subscribers of the channel that the path names.
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include <weir/weir.h>

#include "server/channels/channel_name.h"
#include "server/handlers/builtin.h"

struct name {
    char text[CHANNEL_NAME_MAX + 1];
    size_t size;
};

/* Appends text to a name. Returns false if it does not fit. */
static bool append(struct name *name, const char *text, size_t size) {
    if (size > CHANNEL_NAME_MAX - name->size)
        return false;
    memcpy(name->text + name->size, text, size);
    name->size += size;
    name->text[name->size] = '\0';
    return true;
}

/* Appends the path's value of a parameter. Returns false if there is none or it does not fit. */
static bool append_value(struct name *name, const weir_conn *conn, const struct channel_template_part *part) {
    struct name parameter = {.size = 0};
    if (!append(&parameter, part->text, part->size))
        return false;
    const char *value = weir_conn_param(conn, parameter.text);
    return value != NULL && append(name, value, strlen(value));
}

/* Fills in the path's parameters of a template like "room:{name}". Returns false if the result is empty or too long
 * for a name. */
static bool expand(struct name *name, const weir_conn *conn, const char *template) {
    struct channel_template_part part;
    name->size = 0;
    while (channel_template_next(&template, &part))
        if (!(part.parameter ? append_value(name, conn, &part) : append(name, part.text, part.size)))
            return false;
    return name->size > 0;
}

/* Closes the connection if `status` is an error, except WEIR_CLOSED. */
static void close_unless(weir_conn *conn, enum weir_status status) {
    switch (status) {
    case WEIR_INVALID:
        weir_conn_close(conn, 1008, "this path names no channel");
        break;
    case WEIR_DENIED:
        weir_conn_close(conn, 1008, "this channel is receive-only");
        break;
    case WEIR_LIMIT:
        weir_conn_close(conn, 1013, "the channel takes no more subscribers");
        break;
    case WEIR_NO_MEMORY:
        weir_conn_close(conn, 1011, "out of memory");
        break;
    default:
        break;
    }
}

static void join(weir_conn *conn, void *context) {
    const struct builtin_route *route = context;
    struct name name;
    close_unless(conn, expand(&name, conn, route->channel) ? weir_conn_subscribe(conn, name.text, NULL, NULL)
                                                           : WEIR_INVALID);
}

static void publish(weir_conn *conn, enum weir_opcode opcode, const void *data, size_t size, void *context) {
    const struct builtin_route *route = context;
    struct name name;
    if (!route->may_publish)
        close_unless(conn, WEIR_DENIED);
    else if (expand(&name, conn, route->channel))
        close_unless(conn, weir_conn_publish(conn, name.text, opcode, data, size, route->echo_self, NULL, NULL));
}

const struct weir_handler handler_relay = {WEIR_HANDLER_INIT, .open = join, .message = publish,
                                           .flags = WEIR_NEVER_BLOCKS};
