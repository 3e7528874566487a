/* socket.h - non-blocking TCP sockets, and waits for them with a deadline. No protocol.
 *
 * Deadlines are milliseconds of socket_now(); SOCKET_NEVER means none. A socket is a descriptor that any thread
 * may use; callers ensure that only one thread writes at a time. Signals do not interrupt these functions.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CLIENT_SOCKET_H
#define WEIR_CLIENT_SOCKET_H

#include <netdb.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SOCKET_NEVER UINT64_MAX

enum { SOCKET_PEER_SIZE = 80 };

/* Returns the milliseconds of the monotonic clock. */
uint64_t socket_now(void);

/* Returns the deadline `timeout_ms` from now. */
uint64_t socket_deadline(uint64_t timeout_ms);

/* Connects to the first of `addresses` that answers; each gets an equal share of the time left. `source`, a local
 * address, may be NULL. Returns the descriptor; or -1 with the errno of the first address of the source's family
 * that failed, ETIMEDOUT if it did not answer, EAFNOSUPPORT if there is none of that family. */
int socket_connect(const struct addrinfo *addresses, const struct addrinfo *source, uint64_t deadline);

/* Work as recv() and send() without waiting: -1 with EAGAIN if there are no bytes, or no room. */
ssize_t socket_read(int descriptor, void *bytes, size_t size);
ssize_t socket_write(int descriptor, const void *bytes, size_t size);

/* Writes all bytes. False with errno set, ETIMEDOUT at the deadline. */
bool socket_write_all(int descriptor, const void *bytes, size_t size, uint64_t deadline);

/* Waits for `events`, POLLIN or POLLOUT. False at the deadline. */
bool socket_wait(int descriptor, short events, uint64_t deadline);

/* Returns the timeout for poll(): milliseconds from now, -1 for SOCKET_NEVER. */
int socket_poll_timeout(uint64_t deadline);

/* Writes the address of the other end, as "127.0.0.1:9000" or "[::1]:9000"; "" if it is unknown. */
void socket_peer(int descriptor, char text[SOCKET_PEER_SIZE]);

#endif
