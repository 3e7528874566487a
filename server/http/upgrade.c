/* upgrade.c - see upgrade.h. What the callback may ask and set is in upgrade_calls.c.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/http/upgrade.h"

#include "server/core/turn.h"

bool upgrade_ask_handler(weir_upgrade *upgrade, const struct route *route) {
    const struct weir_handler *handler = route->handler;
    if (handler->upgrade == NULL)
        return true;
    turn.callback = (struct callback){.name = "upgrade", .pattern = route->pattern, .handler = route->handler_name};
    int refused = handler->upgrade(upgrade, route->context);
    turn.callback = (struct callback){0};
    if (refused == WEIR_ACCEPT)
        return true;
    if (upgrade->response->status == 0)
        http_respond(upgrade->response, 403, "The handler refused this client.\n");
    upgrade->response->more_headers = upgrade->headers;
    upgrade->headers = NULL;
    return false;
}
