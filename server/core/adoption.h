/* adoption.h - how an upgraded socket leaves the HTTP library that accepted it.
 *
 * The library's descriptor is found among the low numbers by the addresses of its connection, duplicated to a
 * number at or above a base, and its own number is given a dead socket instead: the library reads end-of-file from
 * that, closes it, and takes its thread back. dup3() does the exchange in one step, so that the number is never
 * free for another thread.
 *
 * The base is above all numbers that the HTTP side can have, so the search stays short and never meets an adopted
 * one.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CORE_ADOPTION_H
#define WEIR_CORE_ADOPTION_H

#include <stdint.h>
#include <sys/socket.h>

struct adoption {
    int dead_socket; /* its other end is closed; it serves all */
    int base;
};

/* Returns -1 with errno. */
int adoption_open(struct adoption *adoption, int base);
void adoption_close(struct adoption *adoption);

enum adoption_result {
    ADOPTION_DONE,
    ADOPTION_NONE,      /* no descriptor has this peer */
    ADOPTION_AMBIGUOUS, /* more than one has: a wildcard listener may have two with the same peer and port */
    ADOPTION_EARLY,     /* the client has sent on before it had the 101 (RFC 6455, 4.1) */
    ADOPTION_FAILED     /* no descriptor is left; see errno */
};

/* Takes the connection from this numeric peer address and port to our port. Only with ADOPTION_DONE has anything
 * changed; *fd is then the caller's. */
enum adoption_result adoption_take(const struct adoption *adoption, const char *peer_address, uint16_t peer_port,
                                   uint16_t local_port, int *fd);

/* For the log and the answer: a constant. */
const char *adoption_describe(enum adoption_result result);

#endif
