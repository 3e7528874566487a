/* seconds.c - see seconds.h. A thread may be any number of seconds ahead of another; seconds that are not
 * complete wait in an ordered list.
 *
 * SPDX-License-Identifier: MIT
 */
#include "commands/bench/seconds.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A second to which at least one thread has delivered. */
struct pending {
    struct pending *next;
    unsigned index;
    struct second second;
};

struct seconds {
    pthread_mutex_t mutex; /* guards everything below */
    pthread_cond_t progress;
    struct pending *first, *spare; /* sorted by index; a spare one for the next second */
    unsigned taken;                /* index of the next second to take */
    unsigned threads;
    unsigned reached[]; /* the second that each thread has reached */
};

struct seconds *seconds_create(unsigned threads) {
    struct seconds *seconds = calloc(1, sizeof *seconds + threads * sizeof *seconds->reached);
    pthread_condattr_t attributes;
    if (seconds == NULL)
        return NULL;
    seconds->threads = threads;
    pthread_mutex_init(&seconds->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&seconds->progress, &attributes);
    pthread_condattr_destroy(&attributes);
    return seconds;
}

void seconds_destroy(struct seconds *seconds) {
    if (seconds == NULL)
        return;
    while (seconds->first != NULL) {
        struct pending *next = seconds->first->next;
        free(seconds->first);
        seconds->first = next;
    }
    free(seconds->spare);
    pthread_cond_destroy(&seconds->progress);
    pthread_mutex_destroy(&seconds->mutex);
    free(seconds);
}

static void add(struct second *to, const struct second *from) {
    to->counts.sent += from->counts.sent;
    to->counts.received += from->counts.received;
    to->counts.sent_bytes += from->counts.sent_bytes;
    to->counts.received_bytes += from->counts.received_bytes;
    to->counts.connected += from->counts.connected;
    to->counts.failed += from->counts.failed;
    to->counts.dropped += from->counts.dropped;
    to->open += from->open;
    histogram_add(&to->latency, &from->latency);
}

/* Returns the pending second with that index, creating it if necessary; NULL if memory runs out. */
static struct pending *find_locked(struct seconds *seconds, unsigned index) {
    struct pending **link = &seconds->first;
    while (*link != NULL && (*link)->index < index)
        link = &(*link)->next;
    if (*link != NULL && (*link)->index == index)
        return *link;
    struct pending *made = seconds->spare != NULL ? seconds->spare : malloc(sizeof *made);
    seconds->spare = NULL;
    if (made == NULL)
        return NULL;
    memset(made, 0, sizeof *made);
    made->index = index;
    made->next = *link;
    *link = made;
    return made;
}

void seconds_deliver(struct seconds *seconds, unsigned thread, unsigned index, const struct second *second,
                     unsigned next) {
    pthread_mutex_lock(&seconds->mutex);
    struct pending *pending = second != NULL ? find_locked(seconds, index) : NULL;
    if (pending != NULL)
        add(&pending->second, second);
    seconds->reached[thread] = next;
    pthread_cond_signal(&seconds->progress);
    pthread_mutex_unlock(&seconds->mutex);
}

/* Returns the second that the slowest thread has reached. */
static unsigned reached_locked(const struct seconds *seconds) {
    unsigned least = SECONDS_LAST;
    for (unsigned i = 0; i < seconds->threads; i++)
        if (seconds->reached[i] < least)
            least = seconds->reached[i];
    return least;
}

static enum seconds_result take_locked(struct seconds *seconds, struct second *second) {
    unsigned reached = reached_locked(seconds);
    struct pending *first = seconds->first;
    if (first == NULL && reached == SECONDS_LAST)
        return SECONDS_END;
    if (seconds->taken >= reached)
        return SECONDS_TIMEOUT;
    unsigned index = seconds->taken++;
    if (first == NULL || first->index != index) {
        memset(second, 0, sizeof *second); /* all threads have skipped it, or there was no memory for it */
        return SECONDS_TAKEN;
    }
    seconds->first = first->next;
    *second = first->second;
    free(seconds->spare);
    seconds->spare = first;
    return SECONDS_TAKEN;
}

enum seconds_result seconds_take(struct seconds *seconds, unsigned milliseconds, struct second *second) {
    struct timespec deadline;
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_nsec += (long)(milliseconds % 1000) * 1000000;
    deadline.tv_sec += (time_t)(milliseconds / 1000) + deadline.tv_nsec / 1000000000;
    deadline.tv_nsec %= 1000000000;
    pthread_mutex_lock(&seconds->mutex);
    enum seconds_result result = take_locked(seconds, second);
    int waited = 0;
    while (result == SECONDS_TIMEOUT && waited == 0) {
        waited = pthread_cond_timedwait(&seconds->progress, &seconds->mutex, &deadline);
        result = take_locked(seconds, second);
    }
    pthread_mutex_unlock(&seconds->mutex);
    return result;
}
