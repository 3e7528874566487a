/* descriptors.h - the descriptor numbers of this process: which are adopted connections, and which of the others
 * are open.
 *
 * The sockets of the HTTP library are found by checking numbers (adoption.h). The search is never for an adopted
 * connection, so the numbers of those are marked here and skipped, however many there are. Nothing is assumed
 * about the others: a handler may open and close as many files and sockets as the process may have.
 *
 * Any thread may call these. A number may be closed and reused at any moment, so what is found must be checked.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CORE_DESCRIPTORS_H
#define WEIR_CORE_DESCRIPTORS_H

#include <poll.h>
#include <stdbool.h>

enum { DESCRIPTORS_FIRST = 3, DESCRIPTORS_AT_ONCE = 256 };

/* Duplicates a descriptor to a free number at or above `base`, or to any number if none is free there. The base
 * keeps low numbers free for the HTTP library, which makes the search short. Returns -1 with errno. */
int descriptors_duplicate(int fd, int base);

/* Marks the number of an adopted connection. Returns false if memory is exhausted. */
bool descriptors_mark_adopted(int fd);
/* To be called before the number is closed: a moment later it may belong to another thread. */
void descriptors_unmark_adopted(int fd);

/* No open descriptor has this number or a higher one. */
int descriptors_end(void);

/* Asks poll() for `events` on the next unmarked numbers, from *next on and below `end`, `count` at most. Moves
 * *next on, and returns how many numbers it checked. POLLNVAL in revents means that a number is not open. */
int descriptors_poll_next(struct pollfd *numbers, int count, int *next, int end, short events);

#endif
