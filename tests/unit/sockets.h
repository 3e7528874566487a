/* sockets.h - IPv4 addresses and ports for tests with real sockets on loopback.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_TESTS_UNIT_SOCKETS_H
#define WEIR_TESTS_UNIT_SOCKETS_H

#include <netinet/in.h>
#include <stdint.h>

struct sockaddr_in socket_address(const char *host, uint16_t port);

/* The port that a socket is bound to. */
uint16_t socket_port(int fd);

#endif
