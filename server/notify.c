/* notify.c - see notify.h. Each message is one datagram, with one line for each variable.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/notify.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"

/* The address is a path in the file system, or a name in the abstract namespace, where '@' stands for a zero byte
 * (unix(7)). */
static bool manager_address(struct sockaddr_un *address, socklen_t *size) {
    const char *name = getenv("NOTIFY_SOCKET");
    if (name == NULL || (*name != '/' && *name != '@'))
        return false;
    size_t length = strlen(name);
    if (length < 2 || length >= sizeof address->sun_path)
        return false;
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(address->sun_path, name, length);
    if (*name == '@')
        address->sun_path[0] = '\0';
    /* An abstract name has no terminator: all bytes up to the size belong to it. */
    *size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + (*name == '/'));
    return true;
}

static void notify(const char *message) {
    struct sockaddr_un address;
    socklen_t size;
    if (!manager_address(&address, &size))
        return;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    sendto(fd, message, strlen(message), MSG_NOSIGNAL, (const struct sockaddr *)&address, size);
    close(fd);
}

void notify_ready(void) {
    notify("READY=1");
}

void notify_reloading(void) {
    char message[64];
    snprintf(message, sizeof message, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, clock_us());
    notify(message);
}

void notify_stopping(uint64_t timeout_ms) {
    char message[64];
    snprintf(message, sizeof message, "STOPPING=1\nEXTEND_TIMEOUT_USEC=%" PRIu64, timeout_ms * 1000);
    notify(message);
}
