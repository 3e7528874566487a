/* resolve.h - names to addresses, with a deadline.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CLIENT_RESOLVE_H
#define WEIR_CLIENT_RESOLVE_H

#include <netdb.h>
#include <stdint.h>

enum { RESOLVE_TIMED_OUT = 1 /* beside the EAI_ codes, which are negative */ };

/* The TCP addresses of a host, for freeaddrinfo(); or NULL with an EAI_ code or RESOLVE_TIMED_OUT in *failure.
 * getaddrinfo() knows no deadline, so a name that is not an address is looked up by a thread of its own; a name
 * server that never answers holds that thread, not the caller. `deadline` is in milliseconds of stream_now(). Any
 * thread. */
struct addrinfo *resolve(const char *host, const char *port, uint64_t deadline, int *failure);

#endif
