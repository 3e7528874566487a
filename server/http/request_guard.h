/* request_guard.h - a thread that sees to it that slow clients of a listener with keep-alive keep nobody out. Each
 * connection there holds a thread of the HTTP library from its first byte to its end, whatever it does, and the
 * library has no deadline for a client that says or takes a byte now and then.
 *
 * While there are connections the guard looks at all of them every 50 ms. What a client takes too long for (half a
 * request, half a body, an answer that it does not read) is cut off. When every thread is taken and others wait,
 * those who have kept the server waiting longest make room, after less time than they would have otherwise. The
 * server's own time counts for nobody. A request that is cut off before its answer has begun gets 408 if it has had
 * all of its time, else 503.
 *
 * Like the watcher of the handshakes (watcher.h) it finds the sockets by looking: the library does not tell them.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HTTP_REQUEST_GUARD_H
#define WEIR_HTTP_REQUEST_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "server/http/listeners.h"

struct request_guard;

/* What the server waits for. */
enum request_phase {
    PHASE_HEAD,    /* a request, be it the next one or the rest of one */
    PHASE_BODY,    /* its body */
    PHASE_WORK,    /* nothing: it works itself */
    PHASE_ANSWER,  /* that the answer is taken */
    PHASE_LINGER,  /* that the client has read it, before the connection is closed */
    PHASE_CLOSING, /* nothing: it closes the connection */
    REQUEST_PHASES
};

struct request_guard_options {
    const struct listeners *listeners;
    unsigned threads;
    unsigned queue; /* how many clients may wait for one */
};

/* NULL with errno. From here until the end the HTTP threads may call it. */
struct request_guard *request_guard_create(const struct request_guard_options *options);
void request_guard_destroy(struct request_guard *guard); /* NULL is allowed, here and to stop */

/* Once the listeners are known. -1 with errno. */
int request_guard_start(struct request_guard *guard);
void request_guard_stop(struct request_guard *guard);

/* Ends reading from every client, so that the threads end soon. NULL is allowed. */
void request_guard_end_all(struct request_guard *guard);

/* --- For the HTTP threads --- */

/* A thread begins with a connection; it ends with the last of them. */
void request_guard_begin(struct request_guard *guard);
void request_guard_end(struct request_guard *guard);

/* The thread's connection is known from here on until its end, and is in this phase. False, once, if it has been
 * cut off. */
bool request_guard_enter(struct request_guard *guard, const char *address, uint16_t port, uint16_t local_port,
                         enum request_phase phase);
void request_guard_phase(struct request_guard *guard, enum request_phase phase);

/* --- Who has to go: pure --- */

struct request_sight {
    int fd;
    uint64_t cookie;
    uint64_t state; /* phase and time as the connection's thread has noted them; 0: it has not yet */
    enum request_phase phase;
    uint64_t since_ms;
    bool cut;  /* the verdict */
    bool late; /* it has had all of its time */
};

/* Sets each verdict; `waiting` counts those for whom there is no thread. Changes the order. */
void request_guard_judge(struct request_sight *sights, unsigned count, unsigned waiting, uint64_t now_ms);

#endif
