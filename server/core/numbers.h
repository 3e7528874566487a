/* numbers.h - the descriptor numbers of this process: which of them are adopted connections, and which of all the
 * others are open.
 *
 * The sockets of the HTTP library are found by looking at numbers (adoption.h). An adopted connection is never what
 * is searched for, so its number is marked here and skipped, however many there are. Nothing is assumed of the
 * others: a handler may open, and close, as many files and sockets as the process may have.
 *
 * Any thread may call these. A number may be closed and taken again at any moment, so what is found has to be
 * looked at.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CORE_NUMBERS_H
#define WEIR_CORE_NUMBERS_H

#include <poll.h>
#include <stdbool.h>

enum { NUMBERS_FIRST = 3, NUMBERS_AT_ONCE = 256 };

/* Duplicates a descriptor to a free number at or above `base`, or to any if there is none. The base keeps low
 * numbers free for the HTTP library, which makes the search short. -1 with errno. */
int numbers_duplicate(int fd, int base);

/* Marks the number of an adopted connection. False if memory is out. */
bool numbers_mark(int fd);
/* To be called before it is closed: a moment later the number may be another thread's. */
void numbers_unmark(int fd);

/* No open descriptor has this number or a higher one. */
int numbers_end(void);

/* Asks poll() for `events` on the next numbers that are not marked, `count` of them at most, from *next on and
 * below `end`. Moves *next on, and returns how many numbers there are; POLLNVAL says that one is not open. */
int numbers_look(struct pollfd *numbers, int count, int *next, int end, short events);

#endif
