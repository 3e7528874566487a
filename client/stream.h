/* stream.h - non-blocking TCP streams, and waits for them with a deadline. No protocol.
 *
 * Deadlines are milliseconds of stream_now(); STREAM_NEVER means none. A stream is a descriptor that any thread
 * may use; callers ensure that only one thread writes at a time. Signals do not interrupt these functions.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CLIENT_STREAM_H
#define WEIR_CLIENT_STREAM_H

#include <netdb.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define STREAM_NEVER UINT64_MAX

enum { STREAM_PEER_SIZE = 80 };

/* Returns the milliseconds of the monotonic clock. */
uint64_t stream_now(void);

/* Returns the deadline `timeout_ms` from now. */
uint64_t stream_deadline(uint64_t timeout_ms);

/* Connects to the first of `addresses` that answers; each gets an equal share of the time left. `source`, a local
 * address, may be NULL. Returns the descriptor; or -1 with the errno of the first address of the source's family
 * that failed, ETIMEDOUT if it did not answer, EAFNOSUPPORT if there is none of that family. */
int stream_connect(const struct addrinfo *addresses, const struct addrinfo *source, uint64_t deadline);

/* Work as recv() and send() without waiting: -1 with EAGAIN if there are no bytes, or no room. */
ssize_t stream_read(int stream, void *bytes, size_t size);
ssize_t stream_write(int stream, const void *bytes, size_t size);

/* Writes all bytes. False with errno set, ETIMEDOUT at the deadline. */
bool stream_write_all(int stream, const void *bytes, size_t size, uint64_t deadline);

/* Waits for `events`, POLLIN or POLLOUT. False at the deadline. */
bool stream_wait(int stream, short events, uint64_t deadline);

/* Returns the timeout for poll(): milliseconds from now, -1 for STREAM_NEVER. */
int stream_poll_timeout(uint64_t deadline);

/* Writes the address of the other end, as "127.0.0.1:9000" or "[::1]:9000"; "" if it is unknown. */
void stream_peer(int stream, char text[STREAM_PEER_SIZE]);

#endif
