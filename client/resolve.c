/* resolve.c - see resolve.h. The caller joins the thread that looks a name up, so no such thread outlives the
 * call. A thread that still waits for the name server at the deadline cannot be joined. It is abandoned: it frees
 * its data when getaddrinfo() returns, and is counted. A process has at most RESOLVE_ABANDONED_MAX of them.
 *
 * SPDX-License-Identifier: MIT
 */
#include "client/resolve.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static _Atomic unsigned abandoned_count;

struct lookup {
    pthread_mutex_t mutex; /* guards all members but host and port */
    pthread_cond_t finished;
    bool done;      /* the thread is about to end */
    bool abandoned; /* the thread frees the lookup */
    int failure;
    struct addrinfo *addresses;
    char *host, *port; /* constant */
};

static const struct addrinfo tcp = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};

static void resolve_destroy(struct lookup *lookup) {
    if (lookup->addresses != NULL)
        freeaddrinfo(lookup->addresses);
    pthread_cond_destroy(&lookup->finished);
    pthread_mutex_destroy(&lookup->mutex);
    free(lookup->host);
    free(lookup->port);
    free(lookup);
}

static struct lookup *resolve_create(const char *host, const char *port) {
    struct lookup *lookup = calloc(1, sizeof *lookup);
    if (lookup == NULL)
        return NULL;
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&lookup->finished, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&lookup->mutex, NULL);
    lookup->host = strdup(host);
    lookup->port = strdup(port);
    if (lookup->host != NULL && lookup->port != NULL)
        return lookup;
    resolve_destroy(lookup);
    return NULL;
}

static void *resolve_look_up(void *context) {
    struct lookup *lookup = context;
    struct addrinfo *addresses = NULL;
    int failure = getaddrinfo(lookup->host, lookup->port, &tcp, &addresses);
    pthread_mutex_lock(&lookup->mutex);
    lookup->failure = failure;
    lookup->addresses = failure == 0 ? addresses : NULL;
    lookup->done = true;
    bool abandoned = lookup->abandoned;
    pthread_cond_signal(&lookup->finished);
    pthread_mutex_unlock(&lookup->mutex);
    if (!abandoned)
        return NULL;
    resolve_destroy(lookup);
    abandoned_count--;
    return NULL;
}

/* Blocks all signals in the new thread, because the program's signals are for its own threads. */
static bool resolve_start(struct lookup *lookup, pthread_t *thread) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = pthread_create(thread, NULL, resolve_look_up, lookup) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

/* Returns whether the lookup is done. If not, the thread owns it from now on. */
static bool resolve_await(struct lookup *lookup, uint64_t deadline) {
    struct timespec until = {.tv_sec = (time_t)(deadline / 1000), .tv_nsec = (long)(deadline % 1000) * 1000000};
    pthread_mutex_lock(&lookup->mutex);
    while (!lookup->done && pthread_cond_timedwait(&lookup->finished, &lookup->mutex, &until) == 0)
        ;
    bool done = lookup->done;
    lookup->abandoned = !done;
    abandoned_count += !done;
    pthread_mutex_unlock(&lookup->mutex);
    return done;
}

/* Starts the thread and waits for it until the deadline. */
static struct addrinfo *resolve_in_thread(struct lookup *lookup, uint64_t deadline, int *failure) {
    pthread_t thread;
    if (!resolve_start(lookup, &thread)) {
        resolve_destroy(lookup);
        return NULL;
    }
    if (!resolve_await(lookup, deadline)) {
        *failure = RESOLVE_TIMED_OUT;
        pthread_detach(thread);
        return NULL;
    }
    pthread_join(thread, NULL);
    struct addrinfo *addresses = lookup->addresses;
    *failure = lookup->failure;
    lookup->addresses = NULL;
    resolve_destroy(lookup);
    return addresses;
}

struct addrinfo *resolve(const char *host, const char *port, uint64_t deadline, int *failure) {
    struct addrinfo numeric = tcp, *addresses = NULL;
    numeric.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
    *failure = getaddrinfo(host, port, &numeric, &addresses);
    if (*failure != EAI_NONAME)
        return *failure == 0 ? addresses : NULL;
    *failure = abandoned_count < RESOLVE_ABANDONED_MAX ? EAI_MEMORY : RESOLVE_BUSY;
    if (*failure == RESOLVE_BUSY)
        return NULL;
    struct lookup *lookup = resolve_create(host, port);
    return lookup == NULL ? NULL : resolve_in_thread(lookup, deadline, failure);
}
