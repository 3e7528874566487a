/* extension.h - negotiating permessage-deflate (RFC 6455, 9.1; RFC 7692, 5 and 7.1): header text to parameters and
 * back. Pure functions.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_PROTO_EXTENSION_H
#define WEIR_PROTO_EXTENSION_H

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
    bool server_takeover, client_takeover; /* that side's stream goes on from message to message (7.1.1) */
    uint8_t server_bits, client_bits;      /* the window that side keeps to: 8 to 15 (7.1.2) */
};

/* What a server wants of it. */
struct deflate_policy {
    bool enabled;
    bool takeover;       /* allow it, to either side that does not renounce it */
    uint8_t window_bits; /* the largest window that we use, and ask of clients that can be asked; 9 to 15 */
};

enum extension_result {
    EXTENSION_ACCEPTED, /* params->enabled, and `response` is the value of the answer's Sec-WebSocket-Extensions */
    EXTENSION_NONE, /* nothing that was offered is taken, or nothing was offered: the answer has no such header */
    EXTENSION_MALFORMED /* the header breaks the grammar: the handshake fails (RFC 6455, 9.1) */
};

/* Takes the first offer of permessage-deflate in `offered` (NULL: none) that can be met. An offer with a parameter
 * that is unknown, repeated or has a wrong value is passed over, like any other extension (7.1). All of `offered`
 * is read before: what breaks the grammar does so wherever it stands, and under a policy that is not enabled too.
 * Names are compared exactly.
 *
 * server_bits becomes the smaller of what the client asks and the policy's; client_bits what the client has
 * promised (15 if nothing), but no more than the policy's if takeover makes us hold its window and the client can
 * be told.
 *
 * Unless it returns EXTENSION_ACCEPTED, params are all zero and the response is empty. */
enum extension_result extension_negotiate(const char *offered, const struct deflate_policy *policy,
                                          struct deflate_params *params, char response[EXTENSION_RESPONSE_SIZE]);

#endif
