/* adoption.h - how an upgraded socket leaves the HTTP library that accepted it.
 *
 * The library's descriptor is found by the addresses of its connection, duplicated, and its own number is given a
 * dead socket instead: the library reads end-of-file from that, closes it, and takes its thread back. dup3() does
 * the exchange in one step, so that the number is never free for another thread.
 *
 * The library gets the lowest numbers that are free, so adopted connections get numbers from a base on while there
 * are any, and are skipped by their marks (numbers.h). That keeps the search short; it is right without it,
 * wherever the library's number is. With both addresses and both ports the kernel has no other connection, so the
 * search ends with the first that has them, and begins with the numbers on which there is nothing to read: the rest
 * waits for its thread. Where one of the four is not known, or may mean two things, all numbers are looked at.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CORE_ADOPTION_H
#define WEIR_CORE_ADOPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct adoption {
    int dead_socket;    /* its other end is closed; it serves all */
    int base;           /* adopted connections have numbers from here on, if any of those is free */
    bool many_networks; /* interfaces may belong to networks that use the same addresses (VRF) */
};

/* Both ends of a connection, as text with numeric addresses. */
struct adoption_ends {
    const char *peer_address, *local_address; /* the latter may be NULL: not known */
    uint16_t peer_port, local_port;
    size_t head_size; /* bytes of the request's head; anything beyond has come too early */
};

/* Returns -1 with errno. */
int adoption_open(struct adoption *adoption, int base);
void adoption_close(struct adoption *adoption);

enum adoption_result {
    ADOPTION_DONE,
    ADOPTION_NONE,      /* no descriptor has this peer */
    ADOPTION_GONE,      /* the client has reset its connection meanwhile */
    ADOPTION_AMBIGUOUS, /* more than one has: to another address of ours, for instance, and ours is not known */
    ADOPTION_EARLY,     /* the client has sent on before it had the 101 (RFC 6455, 4.1) */
    ADOPTION_FAILED     /* no descriptor, or no memory, is left */
};

/* Takes the connection between these ends, whose request has been read. Only with ADOPTION_DONE has anything
 * changed; *fd is then the caller's, and its number is marked. */
enum adoption_result adoption_take(const struct adoption *adoption, const struct adoption_ends *ends, int *fd);

/* For the log and the answer: a constant. */
const char *adoption_describe(enum adoption_result result);

#endif
