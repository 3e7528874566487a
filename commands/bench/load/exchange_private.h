/* exchange_private.h - functions that exchange.c and exchange_send.c share.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BENCH_LOAD_EXCHANGE_PRIVATE_H
#define WEIR_BENCH_LOAD_EXCHANGE_PRIVATE_H

#include "commands/bench/load/exchange.h"

/* Identifies a client's message that has not come back yet, or in a broadcast has not been sent yet. */
struct identity exchange_identity(const struct bench_group *group, const struct bench_client *client,
                                  uint64_t number);

/* Stores a Pong for the next flush. A later Pong replaces one that has not been sent (RFC 6455, 5.5.3). False if
 * memory runs out. */
bool exchange_pong(struct bench_client *client, const uint8_t *data, size_t size);

#endif
