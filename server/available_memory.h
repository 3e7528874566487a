/* available_memory.h - how much memory the process may use: the limit of its control group (cgroup v2 or v1), or
 * the machine's memory if that is less.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_SERVER_AVAILABLE_MEMORY_H
#define WEIR_SERVER_AVAILABLE_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

struct available_memory {
    uint64_t bytes;     /* UINT64_MAX: not known */
    bool control_group; /* true: the control group's limit; false: the machine's memory */
};

/* `root` is the folder that contains /proc and /sys: "" except in tests. */
struct available_memory available_memory(const char *root);

/* Logs a warning if `memory_limit` (bytes) is not less than the available memory: the kernel would then kill the
 * process before the limit is reached. */
void available_memory_check(uint64_t memory_limit);

#endif
