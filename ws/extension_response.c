/* extension_response.c - how a client reads the response to its offer. Pure functions, any thread.
 *
 * SPDX-License-Identifier: MIT
 */
#include "ws/extension_response.h"

#include <string.h>

#include "ws/extension_element.h"

/* Takes the only element. With a second one, two extensions would be in force, or one twice. */
static bool take_alone(const char *at, struct extension_element *element) {
    at += strspn(at, EXTENSION_BLANKS ",");
    if (!extension_take(&at, element))
        return false;
    at += strspn(at, EXTENSION_BLANKS ",");
    return *at == '\0';
}

/* In a response, client_max_window_bits must have a value (7.1.2.2). */
bool extension_check(const char *response, struct deflate_params *params) {
    *params = (struct deflate_params){0};
    struct extension_element element;
    if (!take_alone(response, &element) || !element.is_deflate)
        return false;
    if (element.client_bits != 0 && !element.client_bits_named)
        return false;
    *params = (struct deflate_params){
        .enabled = true,
        .server_takeover = !element.server_no_takeover,
        .client_takeover = !element.client_no_takeover,
        .server_bits = element.server_bits != 0 ? element.server_bits : WINDOW_BITS_MAX,
        .client_bits = element.client_bits != 0 ? element.client_bits : WINDOW_BITS_MAX,
    };
    return true;
}
