/* available_memory.h - how much memory the process may have: what its control group allows (cgroup v2 or v1), or
 * what the machine has if that is less.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_SERVER_AVAILABLE_MEMORY_H
#define WEIR_SERVER_AVAILABLE_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

struct available_memory {
    uint64_t bytes;     /* UINT64_MAX: not known */
    bool control_group; /* it is the limit of the control group; else the machine's memory */
};

/* `root` is the folder that has /proc and /sys: "" except in tests. */
struct available_memory available_memory(const char *root);

/* Logs a warning if `memory_limit` is so large that the kernel would end the process before it is reached. */
void available_memory_check(uint64_t memory_limit);

#endif
