/* wanderer.h - what the programs recover.c and ghosts.c share: clients that come, and leave in every way there is.
 *
 * Each wanderer belongs to one thread. What goes wrong ends the program with a line on stderr and status 1.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_TESTS_WANDERER_H
#define WEIR_TESTS_WANDERER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/client.h>

enum { WANDERER_PATIENCE_MS = 60000 };

enum wanderer_way {
    LEAVE_BY_CLOSE,   /* what is under way is dropped, the server's Close is waited for */
    LEAVE_AND_LISTEN, /* likewise, and what comes before the server's Close is taken */
    LEAVE_BY_RESET,   /* a TCP reset, with whatever is under way in both directions */
    LEAVE_SILENTLY,   /* the stream ends, without a Close */
    LEAVE_WAYS
};

struct wanderer {
    unsigned number;
    uint64_t random;     /* never 0 */
    weir_client *client; /* NULL: it is away */
    uint64_t refused;    /* times that the server had no room for its handshake */
    uint64_t left[LEAVE_WAYS];
    void (*take)(struct wanderer *wanderer, const struct weir_client_message *message);
};

__attribute__((format(printf, 1, 2), noreturn)) void fail(const char *format, ...);

uint64_t now_ms(void);
void pause_ms(uint64_t milliseconds);

/* A thread with a small stack: there are many. */
void start(pthread_t *thread, void *(*run)(void *), void *context);

/* Different numbers for each seed and wanderer. */
void wanderer_init(struct wanderer *wanderer, unsigned number, uint64_t seed);

/* From 0 to below - 1. */
uint64_t wanderer_choose(struct wanderer *wanderer, uint64_t below);

/* Tries until the server has room. */
void wanderer_come(struct wanderer *wanderer, const char *url, const char *subprotocol);

/* False if the connection has ended. */
__attribute__((format(printf, 2, 3))) bool wanderer_say(struct wanderer *wanderer, const char *format, ...);

/* Waits for one message and has it taken. WEIR_TIMEOUT, or WEIR_CLOSED with the server's code 1013:
 * it was too slow. Any other end is a failure. */
enum weir_status wanderer_hear(struct wanderer *wanderer, long timeout_ms);

void wanderer_leave(struct wanderer *wanderer, enum wanderer_way way);

/* What stands behind "name": in a message, up to its end, and how many bytes these are; NULL: there is no such
 * member. Names that occur more than once are for the caller to avoid. */
const char *member(const struct weir_client_message *message, const char *name, size_t *size);

/* Likewise, a whole number; fails without one. */
uint64_t member_number(const struct weir_client_message *message, const char *name);

/* Whether the member is there and begins with this. */
bool member_is(const struct weir_client_message *message, const char *name, const char *value);

#endif
