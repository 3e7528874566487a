/* listeners.c - see listeners.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/http/listeners.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

static bool is_listening(int fd) {
    int listening = 0;
    socklen_t size = sizeof listening;
    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0 && listening;
}

static bool is_among(const struct listeners *listeners, int fd) {
    for (int i = 0; listeners != NULL && i < listeners->count; i++)
        if (listeners->fds[i] == fd)
            return true;
    return false;
}

void listeners_find(struct listeners *listeners, int limit, const struct listeners *others) {
    listeners->count = 0;
    for (int fd = 0; fd < limit && listeners->count < LISTENERS_MAX; fd++)
        if (is_listening(fd) && !is_among(others, fd))
            listeners->fds[listeners->count++] = fd;
}

void listeners_shut(const struct listeners *listeners) {
    for (int i = 0; i < listeners->count; i++)
        shutdown(listeners->fds[i], SHUT_RD);
}
