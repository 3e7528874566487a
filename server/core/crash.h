/* crash.h - when a handler crashes, the process dies; before that, one line of the log says where:
 *
 *     level=error event=crash signal=SIGSEGV address=0x0 callback=message route=/x handler=plugin:x.so conn=7
 *     backtrace="x.so+0x1139 weir+0x1f0c4 ..."
 *
 * Lines that were queued earlier are written first, for at most one second. Then the signal takes its default
 * action: the exit status and the core dump are those of the signal. crash_backtrace.h says what the frames mean.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CORE_CRASH_H
#define WEIR_CORE_CRASH_H

/* Catches SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT, except those that something else already catches, such as a
 * sanitizer. Called once, before threads start. */
void crash_report(void);

/* Called by each thread that calls handlers, when it begins. Gives it a second stack, so that a stack overflow can
 * be reported. Does nothing unless crash_report() was called. */
void crash_thread_begins(void);

#endif
