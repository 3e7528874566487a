/* signals.c - see signals.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/signals.h"

#include <pthread.h>

void signals_block(sigset_t *before) {
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS, SIGPROF};
    sigset_t blocked;
    sigfillset(&blocked);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        sigdelset(&blocked, faults[i]);
    pthread_sigmask(SIG_BLOCK, &blocked, before);
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* guards both below */
static unsigned guards;
static struct sigaction program; /* the program's action for SIGPIPE, while guards > 0 */

void signals_guard_pipe(void) {
    pthread_mutex_lock(&mutex);
    if (guards++ == 0)
        sigaction(SIGPIPE, NULL, &program);
    pthread_mutex_unlock(&mutex);
}

void signals_restore_pipe(void) {
    pthread_mutex_lock(&mutex);
    if (--guards == 0)
        sigaction(SIGPIPE, &program, NULL);
    pthread_mutex_unlock(&mutex);
}
