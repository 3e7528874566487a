/* extension.h - negotiates permessage-deflate (RFC 6455, 9.1; RFC 7692, 5 and 7.1): header text to parameters and
 * back. Pure functions, any thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_WS_EXTENSION_H
#define WEIR_WS_EXTENSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    WINDOW_BITS_MIN = 8,
    WINDOW_BITS_MAX = 15,
    EXTENSION_RESPONSE_SIZE = 160 /* with the terminator */
};

/* What both ends have agreed on. All zero: no compression. */
struct deflate_params {
    bool enabled;
    bool server_takeover, client_takeover; /* whether that side's stream continues from message to message
                                              (7.1.1) */
    uint8_t server_bits, client_bits;      /* the window that side stays within: 8 to 15 (7.1.2) */
};

/* What the server wants to negotiate. */
struct deflate_policy {
    bool enabled;
    bool takeover;       /* allow context takeover to each side that does not decline it */
    uint8_t window_bits; /* the largest window that we use, and request of clients that accept a limit; 9 to 15 */
};

enum extension_result {
    EXTENSION_ACCEPTED, /* params->enabled is set, and `response` is the value of the response's
                           Sec-WebSocket-Extensions */
    EXTENSION_NONE,     /* no offer was made or none is accepted: the response has no such header */
    EXTENSION_MALFORMED /* the header violates the grammar: the handshake fails (RFC 6455, 9.1) */
};

/* Takes the first offer of permessage-deflate in `offered` (NULL: none) that can be met. An offer with a parameter
 * that is unknown, repeated or has a wrong value is skipped, like any other extension (7.1). All of `offered` is
 * read first: a grammar error counts wherever it stands, even under a policy that is not enabled. Names are
 * compared exactly.
 *
 * server_bits becomes the smaller of what the client asks for and the policy's. client_bits becomes what the
 * client has promised, or 15 if nothing. It is limited to the policy's if takeover makes us hold the client's
 * window and the client may be told a limit.
 *
 * Unless it returns EXTENSION_ACCEPTED, params are all zero and the response is empty.
 */
enum extension_result extension_negotiate(const char *offered, const struct deflate_policy *policy,
                                          struct deflate_params *params, char response[EXTENSION_RESPONSE_SIZE]);

#endif
