/* crash.c - see crash.h. The code that runs after the signal takes no lock and allocates no memory.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/core/crash.h"

#include <execinfo.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include <weir/server.h>

#include "server/core/conn.h"
#include "server/core/crash_backtrace.h"
#include "server/core/turn.h"
#include "server/log/log.h"

enum {
    STACK_SIZE = 64 << 10,
    OWN_FRAMES = 2,        /* the signal handler's frame, and the one that returns from it */
    OTHERS_WAIT_MS = 3000, /* how long a thread that crashes meanwhile waits for the one that reports */
    ADDRESS_SIZE = 24
};

static const struct {
    int number;
    const char *name;
} signals[] = {
    {SIGSEGV, "SIGSEGV"}, {SIGBUS, "SIGBUS"}, {SIGFPE, "SIGFPE"}, {SIGILL, "SIGILL"}, {SIGABRT, "SIGABRT"}};

enum { SIGNAL_COUNT = sizeof signals / sizeof *signals };

static _Atomic pid_t reporter; /* the thread that reports; 0: none has crashed */
static bool enabled;           /* set before threads start */
static pthread_key_t stack_key;

/* --- The report -------------------------------------------------------------------------------------------- */

static const char *name_of(int number) {
    for (int i = 0; i < SIGNAL_COUNT; i++)
        if (signals[i].number == number)
            return signals[i].name;
    return "unknown";
}

static void log_crash(const siginfo_t *info, const char *backtrace) {
    const struct weir_conn *conn = turn.callback.conn;
    const struct route *route = conn == NULL ? NULL : conn->route;
    bool by_hardware = info->si_code > 0; /* otherwise a program has sent it */
    char address[ADDRESS_SIZE];
    snprintf(address, sizeof address, "0x%" PRIxPTR, (uintptr_t)info->si_addr);
    log_last_event("crash",
                   LOG_FIELDS(LOG_TEXT("signal", name_of(info->si_signo)),
                              LOG_TEXT("address", by_hardware ? address : NULL),
                              LOG_TEXT("callback", turn.callback.name),
                              LOG_TEXT("route", route == NULL ? turn.callback.pattern : route->pattern),
                              LOG_TEXT("handler", route == NULL ? turn.callback.handler : route->handler_name),
                              LOG_COUNT("conn", conn == NULL ? 0 : conn->id), LOG_TEXT("backtrace", backtrace)));
}

/* Restores the default action, which follows when the signal handler returns: a fault happens again, any other
 * signal is sent again. */
static void die(const siginfo_t *info) {
    signal(info->si_signo, SIG_DFL);
    if (info->si_code <= 0)
        raise(info->si_signo);
}

static void on_crash(int number, siginfo_t *info, void *context) {
    static void *frames[OWN_FRAMES + CRASH_FRAMES_MAX];
    static char backtrace_text[LOG_TEXT_MAX + 1];
    pid_t none = 0;
    (void)number, (void)context;
    if (atomic_compare_exchange_strong(&reporter, &none, gettid())) {
        int count = backtrace(frames, OWN_FRAMES + CRASH_FRAMES_MAX) - OWN_FRAMES;
        crash_backtrace(frames + OWN_FRAMES, count, backtrace_text, sizeof backtrace_text);
        log_crash(info, backtrace_text);
    } else if (none != gettid()) {
        poll(NULL, 0, OTHERS_WAIT_MS);
    }
    die(info);
}

/* --- Getting ready ------------------------------------------------------------------------------------------- */

static void free_stack(void *stack) {
    const stack_t none = {.ss_flags = SS_DISABLE};
    sigaltstack(&none, NULL);
    munmap(stack, STACK_SIZE);
}

void crash_thread_begins(void) {
    stack_t stack;
    if (!enabled || sigaltstack(NULL, &stack) != 0 || !(stack.ss_flags & SS_DISABLE))
        return; /* a sanitizer gives its threads such stacks itself */
    void *memory = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return;
    stack = (stack_t){.ss_sp = memory, .ss_size = STACK_SIZE};
    if (pthread_setspecific(stack_key, memory) != 0 || sigaltstack(&stack, NULL) != 0)
        munmap(memory, STACK_SIZE);
}

void crash_report(void) {
    struct sigaction report = {.sa_sigaction = on_crash, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    void *frame;
    if (enabled || pthread_key_create(&stack_key, free_stack) != 0)
        return;
    enabled = true;
    backtrace(&frame, 1); /* loads now what it needs later */
    sigfillset(&report.sa_mask);
    for (int i = 0; i < SIGNAL_COUNT; i++) {
        struct sigaction before;
        if (sigaction(signals[i].number, NULL, &before) == 0 && before.sa_handler == SIG_DFL)
            sigaction(signals[i].number, &report, NULL);
    }
    crash_thread_begins();
}

void weir_report_crashes(void) {
    crash_report();
}
