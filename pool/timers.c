/* timers.c - see timers.h. A heap, not a timer wheel: each connection sets its deadline rarely and checks it
 * lazily. So the steps of cost log n are rare, and the next deadline is exact.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool/timers.h"

#include <stdlib.h>

enum { FIRST_CAPACITY = 16384 }; /* large enough for pages of its own, like that of handle_table.c */

static void put(struct timers *timers, uint32_t place, struct timer *timer) {
    timers->heap[place - 1] = timer;
    timer->place = place;
}

static struct timer *at(const struct timers *timers, uint32_t place) {
    return timers->heap[place - 1];
}

static void sift_up(struct timers *timers, struct timer *timer, uint32_t place) {
    while (place > 1 && at(timers, place / 2)->deadline > timer->deadline) {
        put(timers, place, at(timers, place / 2));
        place /= 2;
    }
    put(timers, place, timer);
}

static void sift_down(struct timers *timers, struct timer *timer, uint32_t place) {
    for (;;) {
        uint32_t child = place * 2;
        if (child > timers->count)
            break;
        if (child < timers->count && at(timers, child + 1)->deadline < at(timers, child)->deadline)
            child++;
        if (at(timers, child)->deadline >= timer->deadline)
            break;
        put(timers, place, at(timers, child));
        place = child;
    }
    put(timers, place, timer);
}

static int make_room(struct timers *timers) {
    if (timers->count < timers->capacity)
        return 0;
    if (timers->capacity > UINT32_MAX / 2)
        return -1;
    uint32_t capacity = timers->capacity == 0 ? FIRST_CAPACITY : timers->capacity * 2;
    struct timer **heap = realloc(timers->heap, capacity * sizeof *heap);
    if (heap == NULL)
        return -1;
    timers->heap = heap;
    timers->capacity = capacity;
    return 0;
}

int timers_set(struct timers *timers, struct timer *timer, uint64_t deadline) {
    if (timer->place == TIMERS_NONE) {
        if (make_room(timers) != 0)
            return -1;
        timer->deadline = deadline;
        timers->count++;
        sift_up(timers, timer, timers->count);
        return 0;
    }
    bool earlier = deadline < timer->deadline;
    timer->deadline = deadline;
    if (earlier)
        sift_up(timers, timer, timer->place);
    else
        sift_down(timers, timer, timer->place);
    return 0;
}

bool timers_cancel(struct timers *timers, struct timer *timer) {
    if (timer->place == TIMERS_NONE)
        return false;
    uint32_t place = timer->place;
    struct timer *last = at(timers, timers->count--);
    timer->place = TIMERS_NONE;
    if (last == timer)
        return true;
    sift_up(timers, last, place);
    sift_down(timers, last, last->place);
    return true;
}

uint64_t timers_next(const struct timers *timers) {
    return timers->count == 0 ? UINT64_MAX : timers->heap[0]->deadline;
}

struct timer *timers_expire(struct timers *timers, uint64_t now) {
    if (timers->count == 0 || timers->heap[0]->deadline > now)
        return NULL;
    struct timer *timer = timers->heap[0];
    timers_cancel(timers, timer);
    return timer;
}

void timers_release(struct timers *timers) {
    free(timers->heap);
    *timers = (struct timers){0};
}
