/* status.c - weir_status_text() and weir_version().
 *
 * SPDX-License-Identifier: MIT
 */
#include <weir/status.h>
#include <weir/version.h>

const char *weir_status_text(enum weir_status status) {
    switch (status) {
    case WEIR_OK:
        return "accepted";
    case WEIR_CLOSED:
        return "closing or closed";
    case WEIR_OVERFLOW:
        return "the send buffer is full";
    case WEIR_NO_MEMORY:
        return "out of memory";
    case WEIR_INVALID:
        return "an argument is not valid";
    case WEIR_LIMIT:
        return "a limit is reached";
    case WEIR_DENIED:
        return "not allowed";
    case WEIR_TIMEOUT:
        return "timed out";
    case WEIR_FAILED:
        return "the connection has failed";
    }
    return "unknown status";
}

const char *weir_version(void) {
    return WEIR_VERSION;
}
