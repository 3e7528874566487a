/* transport.c - the TCP socket as a transport.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/core/transport.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "server/core/descriptors.h"

/* The C library's recv() and send() are cancellation points, which costs each call two atomic operations in a
 * process with threads. No thread is cancelled here. The sanitizers see what the library's calls access, so those
 * builds use them. */
#ifdef WEIR_CHECK_LOCKS
static ssize_t socket_receive(int fd, void *bytes, size_t size) {
    return recv(fd, bytes, size, 0);
}
static ssize_t socket_transmit(int fd, const void *bytes, size_t size) {
    return send(fd, bytes, size, MSG_NOSIGNAL);
}
#else
static ssize_t socket_receive(int fd, void *bytes, size_t size) {
    return syscall(SYS_recvfrom, fd, bytes, size, 0, NULL, NULL);
}
static ssize_t socket_transmit(int fd, const void *bytes, size_t size) {
    return syscall(SYS_sendto, fd, bytes, size, MSG_NOSIGNAL, NULL, 0);
}
#endif

static ssize_t socket_read(struct transport *transport, void *bytes, size_t size) {
    return socket_receive(transport->fd, bytes, size);
}

static ssize_t socket_write(struct transport *transport, struct iovec *vectors, int count) {
    if (count == 1)
        return socket_transmit(transport->fd, vectors->iov_base, vectors->iov_len);
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
    descriptors_unmark_adopted(transport->fd);
    close(transport->fd);
}

static const struct transport_kind socket_kind = {socket_read, socket_write, socket_unsent, socket_shut,
                                                  socket_close};

struct transport transport_socket(int fd) {
    int flags = fcntl(fd, F_GETFL);
    fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    return (struct transport){&socket_kind, fd};
}
