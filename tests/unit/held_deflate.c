/* held_deflate.c - see held_deflate.h. It stands before zlib's own when names are looked up.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/unit/held_deflate.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <zlib.h>

#include "tests/unit/suites.h"

enum { LARGE = 16384 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool holds;
static int held;

static void wait_while_held(void) {
    pthread_mutex_lock(&mutex);
    held++;
    while (holds)
        pthread_cond_wait(&changed, &mutex);
    held--;
    pthread_mutex_unlock(&mutex);
}

__attribute__((visibility("default"))) int deflate(z_streamp stream, int flush) {
    union {
        void *symbol;
        int (*function)(z_streamp, int);
    } real = {dlsym(RTLD_NEXT, "deflate")};
    if (stream->avail_in >= LARGE)
        wait_while_held();
    return real.function(stream, flush);
}

static void set(bool value) {
    pthread_mutex_lock(&mutex);
    holds = value;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
}

void hold_deflate(void) {
    set(true);
}

void let_go_deflate(void) {
    set(false);
}

int held_deflates(void) {
    pthread_mutex_lock(&mutex);
    int count = held;
    pthread_mutex_unlock(&mutex);
    return count;
}
