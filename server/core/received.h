/* received.h - how many bytes a peer has sent on a connection so far.
 *
 * The kernel counts them when they arrive, so it does not matter who has read them, or whether anybody has: this
 * tells what a library holds in its own buffer from what it has handed out.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CORE_RECEIVED_H
#define WEIR_CORE_RECEIVED_H

#include <stdint.h>

/* Returns -1 with errno if `fd` is not a TCP connection. */
int64_t received_bytes(int fd);

#endif
