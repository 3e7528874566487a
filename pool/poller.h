/* poller.h - one edge-triggered epoll set, and the owner of each descriptor in it.
 *
 * epoll's data is a handle, an index and a generation, never a pointer. An event for a descriptor that has been
 * dropped in the meantime finds another generation there, and is ignored.
 *
 * The pool's mutex guards the handles (functions ending in _locked). epoll itself needs no lock.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_POOL_POLLER_H
#define WEIR_POOL_POLLER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "base/handle_table.h"
#include "pool/task.h"

/* Embedded in the owner of a descriptor. The key is set once, before the descriptor is watched. */
struct source {
    struct task input; /* queued when there is data to read, or when the stream has ended or failed */
    struct task flush; /* queued when there is room to write again */
    uint64_t key;
    _Atomic bool blocked; /* a write found the socket full; cleared by EPOLLOUT */
    _Atomic bool hangup;  /* RDHUP, HUP or ERR was seen: a short read does not mean that nothing more follows */
    _Atomic bool broken;  /* HUP or ERR was seen: nothing can be sent any more */
};

struct poller {
    int epoll_fd, wake_fd;
    struct handle_table handles; /* of the sources; guarded by the pool's mutex */
};

enum { POLLER_BATCH = 256 };

/* Returns 0, or -1 with errno. */
int poller_open(struct poller *poller);
void poller_close(struct poller *poller);

/* Gives the source its key. Returns -1 if memory is exhausted. */
int poller_take_key_locked(struct poller *poller, struct source *source);
void poller_drop_key_locked(struct poller *poller, const struct source *source);

/* Returns 0, or -1 with errno. Data that can be read already is an event at once. */
int poller_register(struct poller *poller, int fd, const struct source *source);

/* From now on room to write is also an event, at once if there is room already. */
void poller_await_room(struct poller *poller, int fd, const struct source *source);
void poller_unregister(struct poller *poller, int fd);

/* Waits for events, for at most `timeout_ms` milliseconds (-1: no limit). Returns the number of events, which is 0
 * also after a signal. */
int poller_wait(struct poller *poller, struct epoll_event events[POLLER_BATCH], int timeout_ms);

/* Makes the current or the next poller_wait() return. */
void poller_wake(struct poller *poller);

/* Claims the tasks that the events call for, and adds them to `ready`. */
void poller_collect_locked(struct poller *poller, const struct epoll_event *events, int count,
                           struct task_list *ready);

#endif
