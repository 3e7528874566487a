/* poller.h - one edge-triggered epoll set, and who stands behind each descriptor in it.
 *
 * epoll's data is a slot and a generation, never a pointer: an event for a descriptor that has been given up
 * meanwhile finds another generation in its slot and is dropped.
 *
 * The slots are guarded by the pool's mutex (functions ending in _locked); epoll itself needs no lock.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_POOL_POLLER_H
#define WEIR_POOL_POLLER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "pool/slots.h"
#include "pool/task.h"

/* What a descriptor's owner embeds. */
struct source {
    struct task input; /* queued when there is something to read, or an end to notice */
    struct task flush; /* queued when there is room to write again */
    uint64_t key;
    _Atomic bool blocked; /* a write found the socket full; until EPOLLOUT */
    _Atomic bool hangup;  /* RDHUP, HUP or ERR was seen: a short read is then not the last */
    _Atomic bool broken;  /* HUP or ERR was seen: nothing can be sent any more */
};

struct poller {
    int epoll_fd, wake_fd;
    struct slots slots; /* of sources; the pool's mutex */
};

enum { POLLER_BATCH = 256 };

/* Returns -1 with errno. */
int poller_open(struct poller *poller);
void poller_close(struct poller *poller);

/* Gives the source its key. Returns -1 if memory is out. */
int poller_take_key_locked(struct poller *poller, struct source *source);
void poller_drop_key_locked(struct poller *poller, const struct source *source);

/* Returns -1 with errno. What can be read already is an event at once. */
int poller_register(struct poller *poller, int fd, const struct source *source);

/* From now on room to write is an event too, at once if there is some. */
void poller_await_room(struct poller *poller, int fd, const struct source *source);
void poller_unregister(struct poller *poller, int fd);

/* Waits for events, at most `timeout_ms` milliseconds (-1: for ever). Returns how many there are; 0 also after a
 * signal. */
int poller_wait(struct poller *poller, struct epoll_event events[POLLER_BATCH], int timeout_ms);

/* Makes the current or the next poller_wait() return. */
void poller_wake(struct poller *poller);

/* Claims the tasks that the events call for and adds them to `ready`. */
void poller_collect_locked(struct poller *poller, const struct epoll_event *events, int count,
                           struct task_list *ready);

#endif
