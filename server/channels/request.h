/* request.h - one request of weir.v1 (docs/protocol.md): bytes in; out comes what it asks for, or what is wrong
 * with it.
 *
 * No sockets, threads or locks; allocates nothing. It does not decide whether a request is permitted.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CHANNELS_REQUEST_H
#define WEIR_CHANNELS_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "server/channels/channel_name.h"

enum { REQUEST_ID_MAX = 64, REQUEST_EPOCH_MAX = 64, REQUEST_LAST_MAX = 10000, REQUEST_ERROR_SIZE = 160 };

enum request_type {
    REQUEST_SUBSCRIBE,
    REQUEST_UNSUBSCRIBE,
    REQUEST_PUBLISH,
    REQUEST_PRESENCE,
    REQUEST_PING,
    REQUEST_TYPES
};

struct request {
    enum request_type type;
    struct json_value id;               /* echoed as it came; size 0: there is none */
    char channel[CHANNEL_NAME_MAX + 1]; /* a valid name; "": there is none */
    struct json_value data;             /* of a publish */
    bool recover;                       /* of a subscribe: `since` and `epoch` count */
    uint64_t since;                     /* offset of the last message that the client has */
    char epoch[REQUEST_EPOCH_MAX + 1];  /* "": not given */
    uint32_t last;                      /* messages asked for; 0: not given */
    bool presence;
};

/* What is wrong: an error's code and message. */
struct request_error {
    const char *code;
    char message[REQUEST_ERROR_SIZE]; /* UTF-8 */
};

/* Returns 0; or -1 with *error set, and with `id` and `channel` as far as they could be read. Values point into
 * `text`. */
int request_parse(const void *text, size_t size, struct request *request, struct request_error *error);

#endif
