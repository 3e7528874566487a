/* close_code.c - which close codes may be sent, and the payload that carries one. Pure functions.
 *
 * SPDX-License-Identifier: MIT
 */
#include "ws/close_code.h"

#include <string.h>

/* 1004 has no meaning yet. 1005, 1006 and 1015 are for reporting only. All other codes below 3000 are reserved for
 * RFCs to assign (7.4.2). */
bool close_code_sendable(unsigned code) {
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

size_t close_payload(uint8_t *payload, unsigned code, const char *reason, size_t reason_size) {
    if (code == CLOSE_NONE)
        return 0;
    if (reason_size > CLOSE_REASON_MAX) {
        reason_size = CLOSE_REASON_MAX;
        while (reason_size > 0 && ((uint8_t)reason[reason_size] & 0xC0) == 0x80) /* a continuation byte */
            reason_size--;
    }
    payload[0] = (uint8_t)(code >> 8);
    payload[1] = (uint8_t)code;
    if (reason_size > 0) /* the reason may be NULL */
        memcpy(payload + 2, reason, reason_size);
    return 2 + reason_size;
}
