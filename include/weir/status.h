/* status.h - the result of a call: one enum for the server and the client library.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_STATUS_H
#define WEIR_STATUS_H

#include <weir/api.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Each function says which of these it returns, and what they mean there. Errors are negative. Later versions may
 * add some. */
enum weir_status {
    WEIR_OK = 0,         /* done or accepted */
    WEIR_CLOSED = -1,    /* the connection is closing or closed, or the server is not running */
    WEIR_OVERFLOW = -2,  /* beyond send_buffer_hard: the client does not read, or the message alone is larger */
    WEIR_NO_MEMORY = -3, /* out of memory */
    WEIR_INVALID = -4,   /* an argument, or a call at this moment, is not valid; nothing was done */
    WEIR_LIMIT = -5,     /* a configured limit is reached */
    WEIR_DENIED = -6,    /* the configuration does not allow it */
    WEIR_TIMEOUT = -7,   /* nothing happened in time, and the connection continues */
    WEIR_FAILED = -8     /* the connection has failed */
};

/* Returns a short English text, such as "out of memory". Never NULL, also for a number that is no status. The
 * string is constant. Any thread. */
WEIR_API const char *weir_status_text(enum weir_status status);

#ifdef __cplusplus
}
#endif

#endif
