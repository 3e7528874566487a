/* received.h - how many bytes a peer has sent on a connection so far.
 *
 * The kernel counts them when they arrive, whether or not any of them has been read. So this shows what a library
 * holds in its own buffer in addition to what it has handed out.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HTTP_CIVETWEB_RECEIVED_H
#define WEIR_HTTP_CIVETWEB_RECEIVED_H

#include <stdbool.h>
#include <stdint.h>

/* Returns -1 with errno if `fd` is not a TCP connection. */
int64_t received_bytes(int fd);

/* Whether `fd` is a TCP connection whose peer has not sent a byte. */
bool received_nothing(int fd);

#endif
