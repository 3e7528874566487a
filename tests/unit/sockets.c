/* sockets.c - see sockets.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/unit/sockets.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include "tests/unit/assertions.h"

struct sockaddr_in socket_address(const char *host, uint16_t port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    ck_assert_int_eq(inet_pton(AF_INET, host, &address.sin_addr), 1);
    return address;
}

uint16_t socket_port(int fd) {
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    return ntohs(address.sin_port);
}
