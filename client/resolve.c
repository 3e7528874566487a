/* resolve.c - see resolve.h. The looking-up thread and its caller share a counted lookup; whoever lets go last
 * frees it, so neither has to wait for the other.
 *
 * SPDX-License-Identifier: MIT
 */
#include "client/resolve.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct lookup {
    pthread_mutex_t mutex; /* guards all that follows */
    pthread_cond_t finished;
    unsigned references;
    bool done;
    int failure;
    struct addrinfo *addresses;
    char *host, *port; /* not changed */
};

static const struct addrinfo tcp = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};

static void destroy(struct lookup *lookup) {
    if (lookup->addresses != NULL)
        freeaddrinfo(lookup->addresses);
    pthread_cond_destroy(&lookup->finished);
    pthread_mutex_destroy(&lookup->mutex);
    free(lookup->host);
    free(lookup->port);
    free(lookup);
}

static void release(struct lookup *lookup) {
    pthread_mutex_lock(&lookup->mutex);
    bool last = --lookup->references == 0;
    pthread_mutex_unlock(&lookup->mutex);
    if (last)
        destroy(lookup);
}

static struct lookup *create(const char *host, const char *port) {
    struct lookup *lookup = calloc(1, sizeof *lookup);
    if (lookup == NULL)
        return NULL;
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&lookup->finished, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&lookup->mutex, NULL);
    lookup->references = 1;
    lookup->host = strdup(host);
    lookup->port = strdup(port);
    if (lookup->host != NULL && lookup->port != NULL)
        return lookup;
    destroy(lookup);
    return NULL;
}

static void *look_up(void *context) {
    struct lookup *lookup = context;
    struct addrinfo *addresses = NULL;
    int failure = getaddrinfo(lookup->host, lookup->port, &tcp, &addresses);
    pthread_mutex_lock(&lookup->mutex);
    lookup->failure = failure;
    lookup->addresses = failure == 0 ? addresses : NULL;
    lookup->done = true;
    pthread_cond_signal(&lookup->finished);
    pthread_mutex_unlock(&lookup->mutex);
    release(lookup);
    return NULL;
}

/* The program's signals are for its own threads. */
static bool start(struct lookup *lookup) {
    sigset_t all, before;
    pthread_t thread;
    pthread_attr_t detached;
    if (pthread_attr_init(&detached) != 0)
        return false;
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    lookup->references++;
    bool started = pthread_create(&thread, &detached, look_up, lookup) == 0;
    if (!started)
        lookup->references--;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&detached);
    return started;
}

/* Takes the addresses over. */
static struct addrinfo *await(struct lookup *lookup, uint64_t deadline, int *failure) {
    struct timespec until = {.tv_sec = (time_t)(deadline / 1000), .tv_nsec = (long)(deadline % 1000) * 1000000};
    pthread_mutex_lock(&lookup->mutex);
    while (!lookup->done && pthread_cond_timedwait(&lookup->finished, &lookup->mutex, &until) == 0)
        ;
    struct addrinfo *addresses = lookup->addresses;
    lookup->addresses = NULL;
    *failure = lookup->done ? lookup->failure : RESOLVE_TIMED_OUT;
    pthread_mutex_unlock(&lookup->mutex);
    return addresses;
}

struct addrinfo *resolve(const char *host, const char *port, uint64_t deadline, int *failure) {
    struct addrinfo numeric = tcp, *addresses = NULL;
    numeric.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
    *failure = getaddrinfo(host, port, &numeric, &addresses);
    if (*failure != EAI_NONAME)
        return *failure == 0 ? addresses : NULL;
    *failure = EAI_MEMORY;
    struct lookup *lookup = create(host, port);
    if (lookup == NULL)
        return NULL;
    addresses = start(lookup) ? await(lookup, deadline, failure) : NULL;
    release(lookup);
    return addresses;
}
