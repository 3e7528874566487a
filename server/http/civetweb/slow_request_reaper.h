/* slow_request_reaper.h - a thread that keeps slow clients of a listener with keep-alive from keeping others out.
 * Each connection there holds a thread of the HTTP library from its first byte to its end, whatever it does. The
 * library has no deadline for a client that sends or takes a byte now and then.
 *
 * While there are connections, the reaper looks at all of them every 50 ms. It cuts off a client that takes too
 * long: for half a request, half a body, or an answer that it does not read. When every thread is taken and others
 * wait, the clients that have kept the server waiting longest are cut off, after less time than otherwise. The
 * server's own time counts against no client. A request that is cut off before its answer has begun gets 408 if it
 * has had all of its time, and 503 otherwise.
 *
 * Like the half-open reaper (half_open_reaper.h), it finds the sockets by looking, since the library does not tell
 * them.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HTTP_CIVETWEB_SLOW_REQUEST_REAPER_H
#define WEIR_HTTP_CIVETWEB_SLOW_REQUEST_REAPER_H

#include <stdbool.h>
#include <stdint.h>

#include "server/http/civetweb/listeners.h"

struct slow_request_reaper;

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

struct slow_request_reaper_options {
    const struct listeners *listeners;
    unsigned threads;
    unsigned queue; /* how many clients may wait for a thread */
};

/* Returns NULL with errno. The HTTP threads may call the reaper from here until slow_request_reaper_destroy(). */
struct slow_request_reaper *slow_request_reaper_create(const struct slow_request_reaper_options *options);
void slow_request_reaper_destroy(
    struct slow_request_reaper *reaper); /* NULL is allowed, here and in slow_request_reaper_stop() */

/* Call it once the listeners are known. Returns -1 with errno. */
int slow_request_reaper_start(struct slow_request_reaper *reaper);
void slow_request_reaper_stop(struct slow_request_reaper *reaper);

/* Ends reading from every client, so that the threads end soon. NULL is allowed. */
void slow_request_reaper_end_all(struct slow_request_reaper *reaper);

/* --- For the HTTP threads --- */

/* A thread begins and ends handling a connection. */
void slow_request_reaper_begin(struct slow_request_reaper *reaper);
void slow_request_reaper_end(struct slow_request_reaper *reaper);

/* From here until its end the reaper knows the thread's connection, and that it is in this phase. Returns false,
 * once, if it has been cut off. */
bool slow_request_reaper_enter(struct slow_request_reaper *reaper, const char *address, uint16_t port,
                               uint16_t local_port, enum request_phase phase);
void slow_request_reaper_phase(struct slow_request_reaper *reaper, enum request_phase phase);

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
void slow_request_reaper_decide(struct request_sight *sights, unsigned count, unsigned waiting, uint64_t now_ms);

#endif
