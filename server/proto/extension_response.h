/* extension_response.h - permessage-deflate as the client negotiates it (RFC 7692, 7.1): one fixed offer, and the
 * judgement of the answer to it. Pure functions.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_PROTO_EXTENSION_RESPONSE_H
#define WEIR_PROTO_EXTENSION_RESPONSE_H

#include "server/proto/extension.h"

/* The server may keep its stream and its window as it likes, and limit ours. */
#define EXTENSION_OFFER "permessage-deflate; client_max_window_bits"

/* Judges the Sec-WebSocket-Extensions that answers EXTENSION_OFFER. True: params are what was agreed. False: it
 * names another extension, or several, or has a parameter that is unknown, repeated or out of its range, and the
 * handshake fails (7.1); params are all zero. */
bool extension_judge(const char *response, struct deflate_params *params);

#endif
