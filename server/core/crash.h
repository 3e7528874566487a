/* crash.h - when a handler crashes, the process dies; before it does, one line of the log says where:
 *
 *     level=error event=crash signal=SIGSEGV address=0x0 callback=message route=/x handler=plugin:x.so conn=7
 *     backtrace="x.so+0x1139 weir+0x1f0c4 ..."
 *
 * The lines before it are written first, for a second at most. Then the signal does what it would have done: the
 * exit status and the core dump are the signal's. crash_backtrace.h says what the frames mean.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CORE_CRASH_H
#define WEIR_CORE_CRASH_H

/* Catches SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT, except those that something else has caught already, such as
 * a sanitizer. Once, before threads start. */
void crash_report(void);

/* Each thread that calls handlers, when it begins: gives it a stack for the report on a stack that has overflowed.
 * Does nothing without a crash_report(). */
void crash_thread_begins(void);

#endif
