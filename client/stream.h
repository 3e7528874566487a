/* stream.h - a TCP stream that does not block, and waiting for it with a deadline. No protocol.
 *
 * Deadlines are milliseconds of stream_now(), STREAM_NEVER for none. A stream is a descriptor; any thread may use
 * it, who writes has to see to it that nobody else does. Signals interrupt nothing here.
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

/* Milliseconds of the monotonic clock. */
uint64_t stream_now(void);

/* `timeout_ms` from now. */
uint64_t stream_deadline(uint64_t timeout_ms);

/* Connects to the first of `addresses` that answers; none of them gets more than its share of the time. `source`, a
 * local address, may be NULL. Returns the descriptor; or -1 with the errno of the first address that failed (of
 * those of the source's family), ETIMEDOUT if it did not answer. */
int stream_connect(const struct addrinfo *addresses, const struct addrinfo *source, uint64_t deadline);

/* As recv() and send(), at once: -1 with EAGAIN if there is nothing, or no room. */
ssize_t stream_read(int stream, void *bytes, size_t size);
ssize_t stream_write(int stream, const void *bytes, size_t size);

/* Writes it all; false with errno, ETIMEDOUT at the deadline. */
bool stream_write_all(int stream, const void *bytes, size_t size, uint64_t deadline);

/* Waits for POLLIN or POLLOUT. False at the deadline. */
bool stream_wait(int stream, short events, uint64_t deadline);

/* As poll() wants it: milliseconds from now, -1 for STREAM_NEVER. */
int stream_poll_timeout(uint64_t deadline);

/* "127.0.0.1:9000", "[::1]:9000": who is at the other end; "" if that is not known. */
void stream_peer(int stream, char text[STREAM_PEER_SIZE]);

#endif
