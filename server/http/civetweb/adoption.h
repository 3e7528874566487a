/* adoption.h - takes an upgraded socket out of the HTTP library that accepted it.
 *
 * The library's descriptor is found by the addresses of its connection and duplicated. Its own number is then
 * given a dead socket: the library reads end-of-file from that, closes it, and takes its thread back. dup3() makes
 * the exchange in one step, so the number is never free for another thread.
 *
 * The library gets the lowest free numbers. So adopted connections get numbers from a base on, while there are
 * any, and are skipped by their marks (descriptors.h). That keeps the search short; the search is correct without
 * it, wherever the library's number is. The kernel has no two connections with the same addresses and ports at both
 * ends, so the search ends with the first match. It begins with the numbers on which there is nothing to read: on
 * the others a request still waits for its thread. Where one of the four values is not known, or may mean two
 * things, all numbers are checked.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HTTP_CIVETWEB_ADOPTION_H
#define WEIR_HTTP_CIVETWEB_ADOPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct adoption {
    int dead_socket;    /* the other end is closed; used for every exchange */
    int base;           /* adopted connections have numbers from here on, as long as one of those is free */
    bool many_networks; /* interfaces may belong to networks that use the same addresses (VRF) */
};

/* Both ends of a connection: numeric addresses as text, and ports. */
struct adoption_ends {
    const char *peer_address, *local_address; /* local_address may be NULL: not known */
    uint16_t peer_port, local_port;
    size_t head_size; /* bytes of the request's head; anything beyond it has come too early */
};

/* Returns 0, or -1 with errno. */
int adoption_open(struct adoption *adoption, int base);
void adoption_close(struct adoption *adoption);

enum adoption_result {
    ADOPTION_DONE,
    ADOPTION_NONE,      /* no descriptor has this peer */
    ADOPTION_GONE,      /* the client has reset its connection in the meantime */
    ADOPTION_AMBIGUOUS, /* more than one descriptor has this peer: for instance with two addresses of ours, and
                           ours is not known */
    ADOPTION_EARLY,     /* the client sent data before it had the 101 (RFC 6455, 4.1) */
    ADOPTION_FAILED     /* descriptors or memory are exhausted */
};

/* Takes the connection between these ends, whose request has been read. Nothing changes unless it returns
 * ADOPTION_DONE. Then *fd belongs to the caller, and its number is marked. */
enum adoption_result adoption_take(const struct adoption *adoption, const struct adoption_ends *ends, int *fd);

/* A constant text for the log and the HTTP response. */
const char *adoption_describe(enum adoption_result result);

#endif
