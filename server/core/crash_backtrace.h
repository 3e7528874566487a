/* crash_backtrace.h - code addresses as text, each with its module, for use in a signal handler:
 *
 *     x.so+0x1139 weir+0x1f0c4 libc.so.6+0x89134
 *
 * The number is what `addr2line -f -e MODULE NUMBER` takes. Takes no lock and allocates no memory: the modules
 * come from /proc/self/maps.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CORE_CRASH_BACKTRACE_H
#define WEIR_CORE_CRASH_BACKTRACE_H

#include <stddef.h>

enum { CRASH_FRAMES_MAX = 32 };

/* Writes as many frames as fit, terminated. Must not be called by two threads at once. */
void crash_backtrace(void *const *frames, int count, char *text, size_t size);

#endif
