/* close_code.h - close codes (RFC 6455, 7.4) and the payload of a Close frame (5.5.1). Pure functions, any thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_WS_CLOSE_CODE_H
#define WEIR_WS_CLOSE_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum close_code {
    CLOSE_NORMAL = 1000,
    CLOSE_GOING_AWAY = 1001,
    CLOSE_PROTOCOL_ERROR = 1002,
    CLOSE_UNSUPPORTED = 1003,
    CLOSE_NONE = 1005,     /* never sent: the Close had no code */
    CLOSE_ABNORMAL = 1006, /* never sent: there was no Close */
    CLOSE_INVALID_DATA = 1007,
    CLOSE_POLICY = 1008,
    CLOSE_TOO_BIG = 1009,
    CLOSE_INTERNAL_ERROR = 1011,
    CLOSE_TRY_AGAIN_LATER = 1013,
    CLOSE_NO_ROUTE = 4040
};

enum { CLOSE_REASON_MAX = 123 };

/* Whether a Close frame may contain the code: 1000-1003, 1007-1014, 3000-4999. */
bool close_code_sendable(unsigned code);

/* Writes the payload: two bytes of code, then the reason, cut to CLOSE_REASON_MAX bytes but never within a
 * character. Writes nothing for CLOSE_NONE. `payload` has CONTROL_PAYLOAD_MAX bytes. Returns the payload's
 * size. */
size_t close_payload(uint8_t *payload, unsigned code, const char *reason, size_t reason_size);

#endif
