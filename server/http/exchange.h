/* exchange.h - a descriptor put in the place of another in one step, though other threads may be using that number.
 *
 * As a bare system call: ThreadSanitizer takes a number for memory and would call this a race, as it would a peek
 * at a number that another thread may close meanwhile. Both know what they do: what they find is looked at twice.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HTTP_EXCHANGE_H
#define WEIR_HTTP_EXCHANGE_H

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What `number` was is closed; it is `fd` now. -1 with errno if `fd` is not open. */
static inline int exchange_put(int fd, int number) {
    long result;
    while ((result = syscall(SYS_dup3, fd, number, O_CLOEXEC)) < 0 && (errno == EINTR || errno == EBUSY))
        continue;
    return result < 0 ? -1 : 0;
}

/* Sends what there is room for, without waiting. */
static inline void exchange_send(int fd, const void *data, size_t size) {
    syscall(SYS_sendto, fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL, NULL, 0);
}

/* What recv() would return next, without waiting; nothing is taken. */
static inline ssize_t exchange_peek(int fd, void *data, size_t size) {
    return (ssize_t)syscall(SYS_recvfrom, fd, data, size, MSG_PEEK | MSG_DONTWAIT, NULL, NULL);
}

#endif
