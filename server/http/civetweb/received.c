/* received.c - see received.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/http/civetweb/received.h"

#include <errno.h>
#include <linux/tcp.h> /* the C library's own header ends before tcpi_bytes_received */
#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>

/* The kernel's names for these are only in <netinet/tcp.h>, which cannot be included together with
 * <linux/tcp.h>. */
enum { TIME_WAIT = 6, CLOSE_WAIT = 8, LAST_ACK = 9, CLOSING = 11 };

/* Whether the peer's stream has ended. Its end takes a sequence number, which the kernel counts as a byte. */
static bool received_has_ended(unsigned state) {
    return state == CLOSE_WAIT || state == LAST_ACK || state == CLOSING || state == TIME_WAIT;
}

int64_t received_bytes(int fd) {
    struct tcp_info info = {0};
    socklen_t size = sizeof info;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
        return -1;
    if (size < offsetof(struct tcp_info, tcpi_bytes_received) + sizeof info.tcpi_bytes_received) {
        errno = ENOSYS;
        return -1;
    }
    return (int64_t)info.tcpi_bytes_received - received_has_ended(info.tcpi_state);
}

bool received_nothing(int fd) {
    return received_bytes(fd) == 0;
}
