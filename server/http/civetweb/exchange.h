/* exchange.h - puts one descriptor in the place of another in one step, though other threads may be using that
 * number.
 *
 * These are bare system calls, because ThreadSanitizer treats a descriptor number like memory. It would report
 * this as a race, and also a peek at a number that another thread may close meanwhile. Both are safe: callers
 * check again what they find.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HTTP_CIVETWEB_EXCHANGE_H
#define WEIR_HTTP_CIVETWEB_EXCHANGE_H

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Closes what `number` was, and makes it refer to `fd`. Returns -1 with errno if `fd` is not open. */
static inline int exchange_put(int fd, int number) {
    long result;
    while ((result = syscall(SYS_dup3, fd, number, O_CLOEXEC)) < 0 && (errno == EINTR || errno == EBUSY))
        continue;
    return result < 0 ? -1 : 0;
}

/* Sends as much as there is room for, without waiting. */
static inline void exchange_send(int fd, const void *data, size_t size) {
    syscall(SYS_sendto, fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL, NULL, 0);
}

/* Reads what recv() would return next, without waiting or taking it. */
static inline ssize_t exchange_peek(int fd, void *data, size_t size) {
    return (ssize_t)syscall(SYS_recvfrom, fd, data, size, MSG_PEEK | MSG_DONTWAIT, NULL, NULL);
}

#endif
