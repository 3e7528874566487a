/* resolve.h - resolves names to addresses, with a deadline.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CLIENT_RESOLVE_H
#define WEIR_CLIENT_RESOLVE_H

#include <netdb.h>
#include <stdint.h>

enum { RESOLVE_TIMED_OUT = 1, RESOLVE_BUSY }; /* the EAI_ codes are negative */

enum { RESOLVE_ABANDONED_MAX = 32 };

/* Returns the TCP addresses of a host, for freeaddrinfo(); or NULL with the reason in *failure: an EAI_ code,
 * RESOLVE_TIMED_OUT or RESOLVE_BUSY. getaddrinfo() has no deadline, so a separate thread looks up a name that is
 * not an address, and has ended when this returns. Only RESOLVE_TIMED_OUT leaves a thread waiting for the name
 * server; while there are RESOLVE_ABANDONED_MAX of these, the result is RESOLVE_BUSY. `deadline` is in
 * milliseconds of socket_now(). Any thread. */
struct addrinfo *resolve(const char *host, const char *port, uint64_t deadline, int *failure);

#endif
