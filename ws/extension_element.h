/* extension_element.h - one element of a Sec-WebSocket-Extensions header, in an offer or in a response. Internal
 * to the files extension*.c.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_WS_EXTENSION_ELEMENT_H
#define WEIR_WS_EXTENSION_ELEMENT_H

#include <stdbool.h>
#include <stdint.h>

#define EXTENSION_BLANKS                                                                                           \
    " \t" /* RFC 6455 allows them around every token and separator: the implied LWS of RFC 2616, 2.1 */

struct extension_element {
    bool is_deflate; /* it is permessage-deflate, and every parameter is known, occurs once and has a valid
                        value */
    bool server_no_takeover, client_no_takeover;
    uint8_t server_bits, client_bits; /* 0: there is no such parameter */
    bool client_bits_named;           /* client_max_window_bits has a value, which is optional in an offer */
};

/* Reads the element at *at, up to the comma after it or the end of the text. Returns false on a grammar error. */
bool extension_take(const char **at, struct extension_element *element);

#endif
