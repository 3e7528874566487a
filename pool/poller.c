/* poller.c - see poller.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool/poller.h"

#include <sys/eventfd.h>
#include <unistd.h>

static const uint64_t WAKE_KEY = UINT64_MAX;

int poller_open(struct poller *poller) {
    *poller = (struct poller){0};
    poller->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (poller->epoll_fd < 0)
        return -1;
    poller->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (poller->wake_fd < 0)
        goto no_wake;
    /* Edge-triggered, so it never has to be read: each write is an event of its own. */
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u64 = WAKE_KEY};
    if (epoll_ctl(poller->epoll_fd, EPOLL_CTL_ADD, poller->wake_fd, &event) != 0)
        goto no_watch;
    return 0;

no_watch:
    close(poller->wake_fd);
no_wake:
    close(poller->epoll_fd);
    return -1;
}

void poller_close(struct poller *poller) {
    close(poller->wake_fd);
    close(poller->epoll_fd);
    handle_table_release(&poller->handles);
}

int poller_take_key_locked(struct poller *poller, struct source *source) {
    source->key = handle_table_add(&poller->handles, source);
    return source->key == HANDLE_TABLE_NO_KEY ? -1 : 0;
}

void poller_drop_key_locked(struct poller *poller, const struct source *source) {
    handle_table_remove(&poller->handles, source->key);
}

static const uint32_t INPUT_EVENTS = EPOLLIN | EPOLLRDHUP | EPOLLET;

int poller_register(struct poller *poller, int fd, const struct source *source) {
    struct epoll_event event = {.events = INPUT_EVENTS, .data.u64 = source->key};
    return epoll_ctl(poller->epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

void poller_await_room(struct poller *poller, int fd, const struct source *source) {
    struct epoll_event event = {.events = INPUT_EVENTS | EPOLLOUT, .data.u64 = source->key};
    epoll_ctl(poller->epoll_fd, EPOLL_CTL_MOD, fd, &event);
}

void poller_unregister(struct poller *poller, int fd) {
    epoll_ctl(poller->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}

int poller_wait(struct poller *poller, struct epoll_event events[POLLER_BATCH], int timeout_ms) {
    int count = epoll_wait(poller->epoll_fd, events, POLLER_BATCH, timeout_ms);
    return count < 0 ? 0 : count;
}

void poller_wake(struct poller *poller) {
    eventfd_write(poller->wake_fd, 1);
}

static void collect(struct source *source, uint32_t events, struct task_list *ready) {
    if (events & (EPOLLHUP | EPOLLERR))
        atomic_store(&source->broken, true);
    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        atomic_store(&source->hangup, true);
    if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        task_claim_into(&source->input, ready);
    if (events & EPOLLOUT && atomic_exchange(&source->blocked, false))
        task_claim_into(&source->flush, ready);
}

void poller_collect_locked(struct poller *poller, const struct epoll_event *events, int count,
                           struct task_list *ready) {
    for (int i = 0; i < count; i++) {
        uint64_t key = events[i].data.u64;
        struct source *source = key == WAKE_KEY ? NULL : handle_table_find(&poller->handles, key);
        if (source != NULL)
            collect(source, events[i].events, ready);
    }
}
