/* listeners.h - the listening sockets of the HTTP library, which does not tell them, found by looking.
 *
 * Only for the end: the library's accepting thread sleeps in poll() for up to two seconds and looks for a stop only
 * between two sleeps. A listening socket that is shut for reading ends the sleep.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HTTP_LISTENERS_H
#define WEIR_HTTP_LISTENERS_H

enum { LISTENERS_MAX = 256 };

struct listeners {
    int count;
    int fds[LISTENERS_MAX];
};

/* The listening sockets among the descriptors below `limit`, save those in `others`, which may be NULL. */
void listeners_find(struct listeners *listeners, int limit, const struct listeners *others);

/* Nothing is accepted any more, and who polls them wakes. */
void listeners_shut(const struct listeners *listeners);

/* Whoever is connected to them through a descriptor below `limit` has said its last. */
void listeners_shut_clients(const struct listeners *listeners, int limit);

#endif
