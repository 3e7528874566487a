/* extension_element.h - one element of a Sec-WebSocket-Extensions header, for both who offer and who answer.
 * Internal to the two of them.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_PROTO_EXTENSION_ELEMENT_H
#define WEIR_PROTO_EXTENSION_ELEMENT_H

#include <stdbool.h>
#include <stdint.h>

#define EXTENSION_BLANKS                                                                                           \
    " \t" /* RFC 6455 allows them around every token and mark: the implied LWS of RFC 2616, 2.1 */

struct extension_element {
    bool is_deflate; /* it is permessage-deflate; every parameter is known, comes once and has a value in its range
                      */
    bool server_no_takeover, client_no_takeover;
    uint8_t server_bits, client_bits; /* 0: it has no such parameter */
    bool client_bits_named;           /* client_max_window_bits has a value, which an offer need not name */
};

/* Reads the element at *at, up to the comma behind it or the end of the text. False if it breaks the grammar. */
bool extension_take(const char **at, struct extension_element *element);

#endif
