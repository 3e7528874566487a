/* extension_response.h - how the client negotiates permessage-deflate (RFC 7692, 7.1): one fixed offer, and the
 * check of the server's response to it. Pure functions, any thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_WS_EXTENSION_RESPONSE_H
#define WEIR_WS_EXTENSION_RESPONSE_H

#include "ws/extension.h"

/* The server may choose context takeover and its window freely, and may limit ours. */
#define EXTENSION_OFFER "permessage-deflate; client_max_window_bits"

/* Checks the Sec-WebSocket-Extensions that answers EXTENSION_OFFER. True: params are what was agreed. False: it
 * names another extension, or several, or has a parameter that is unknown, repeated or out of range. Then the
 * handshake fails (7.1), and params are all zero. */
bool extension_check(const char *response, struct deflate_params *params);

#endif
