/* bench_handshake.h - the opening handshake of a load tester's client, and the state changes that it shares with
 * bench_client.c.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BENCH_LOAD_BENCH_HANDSHAKE_H
#define WEIR_BENCH_LOAD_BENCH_HANDSHAKE_H

#include <sys/epoll.h>

#include "commands/bench/load/bench_client.h"

#define BENCH_CLIENT_EVENTS (EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET)

/* Sends the request of a client whose TCP connection is established. */
void bench_handshake_begin(struct bench_group *group, struct bench_client *client);

/* Takes bytes of the answer, and the frames after it. False if the handshake failed; group->error says why. */
bool bench_handshake_take(struct bench_group *group, struct bench_client *client, uint8_t *bytes, size_t size);

/* Moves the client to a state, and to the list of that state. */
void bench_client_enter(struct bench_group *group, struct bench_client *client, enum bench_client_state state);

/* Ends a connection that failed. The reason is in group->error, or for bench_client_fail_errno() in errno. */
void bench_client_fail(struct bench_group *group, struct bench_client *client);
void bench_client_fail_errno(struct bench_group *group, struct bench_client *client);

#endif
