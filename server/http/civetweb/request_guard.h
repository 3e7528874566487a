/* request_guard.h - a thread that keeps slow clients of a listener with keep-alive from keeping others out. Each
 * connection there holds a thread of the HTTP library from its first byte to its end, whatever it does. The
 * library has no deadline for a client that sends or takes a byte now and then.
 *
 * While there are connections, the guard looks at all of them every 50 ms. It cuts off a client that takes too
 * long: for half a request, half a body, or an answer that it does not read. When every thread is taken and others
 * wait, the clients that have kept the server waiting longest are cut off, after less time than otherwise. The
 * server's own time counts against no client. A request that is cut off before its answer has begun gets 408 if it
 * has had all of its time, and 503 otherwise.
 *
 * Like the watcher of the handshakes (watcher.h), it finds the sockets by looking, since the library does not tell
 * them.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HTTP_CIVETWEB_REQUEST_GUARD_H
#define WEIR_HTTP_CIVETWEB_REQUEST_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "server/http/civetweb/listeners.h"

struct request_guard;

/* What the server waits for on a connection. */
enum request_phase {
    PHASE_HEAD,    /* the head of a request: the next one, or the rest of one */
    PHASE_BODY,    /* the body of a request */
    PHASE_WORK,    /* nothing: the server itself works */
    PHASE_ANSWER,  /* for the client to take the answer */
    PHASE_LINGER,  /* for the client to read the answer, before the connection is closed */
    PHASE_CLOSING, /* nothing: the server closes the connection */
    REQUEST_PHASES
};

struct request_guard_options {
    const struct listeners *listeners;
    unsigned threads;
    unsigned queue; /* how many clients may wait for a thread */
};

/* Returns NULL with errno. The HTTP threads may call the guard from here until request_guard_destroy(). */
struct request_guard *request_guard_create(const struct request_guard_options *options);
void request_guard_destroy(struct request_guard *guard); /* NULL is allowed, here and in request_guard_stop() */

/* Call it once the listeners are known. Returns -1 with errno. */
int request_guard_start(struct request_guard *guard);
void request_guard_stop(struct request_guard *guard);

/* Ends reading from every client, so that the threads end soon. NULL is allowed. */
void request_guard_end_all(struct request_guard *guard);

/* --- For the HTTP threads --- */

/* A thread begins and ends handling a connection. */
void request_guard_begin(struct request_guard *guard);
void request_guard_end(struct request_guard *guard);

/* From here until its end the guard knows the thread's connection, and that it is in this phase. Returns false,
 * once, if it has been cut off. */
bool request_guard_enter(struct request_guard *guard, const char *address, uint16_t port, uint16_t local_port,
                         enum request_phase phase);
void request_guard_phase(struct request_guard *guard, enum request_phase phase);

/* --- Which connections must go: pure --- */

struct request_sight {
    int fd;
    uint64_t cookie;
    uint64_t state; /* phase and time as the connection's thread has noted them; 0: it has not yet */
    enum request_phase phase;
    uint64_t since_ms;
    bool cut;  /* the verdict */
    bool late; /* it has had all of its time */
};

/* Sets each verdict, and changes the order of the sights. `waiting` counts the clients for which there is no
 * thread. */
void request_guard_judge(struct request_sight *sights, unsigned count, unsigned waiting, uint64_t now_ms);

#endif
