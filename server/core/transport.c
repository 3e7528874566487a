/* transport.c - the TCP socket as a transport.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/core/transport.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static ssize_t socket_read(struct transport *transport, void *bytes, size_t size) {
    return recv(transport->fd, bytes, size, 0);
}

static ssize_t socket_write(struct transport *transport, struct iovec *vectors, int count) {
    if (count == 1)
        return send(transport->fd, vectors->iov_base, vectors->iov_len, MSG_NOSIGNAL);
    struct msghdr message = {.msg_iov = vectors, .msg_iovlen = (size_t)count};
    return sendmsg(transport->fd, &message, MSG_NOSIGNAL);
}

static int socket_unsent(struct transport *transport) {
    int bytes;
    return ioctl(transport->fd, SIOCOUTQ, &bytes) == 0 ? bytes : -1;
}

static void socket_shut(struct transport *transport, int how) {
    shutdown(transport->fd, how);
}

static void socket_close(struct transport *transport) {
    close(transport->fd);
}

static const struct transport_kind socket_kind = {socket_read, socket_write, socket_unsent, socket_shut,
                                                  socket_close};

struct transport transport_socket(int fd) {
    int flags = fcntl(fd, F_GETFL);
    fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    return (struct transport){&socket_kind, fd};
}
