/* available_memory.c - see available_memory.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/available_memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/log/log.h"

enum { PATH_SIZE = 4096 };

/* Returns the number after `word` at the start of a file, or UINT64_MAX if there is none. */
static uint64_t read_number(const char *path, const char *word) {
    char line[64] = "", *end;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return UINT64_MAX;
    bool begins = fgets(line, sizeof line, file) != NULL && strncmp(line, word, strlen(word)) == 0;
    fclose(file);
    char *digits = line + (begins ? strlen(word) : 0);
    uint64_t number = strtoull(digits, &end, 10);
    return begins && end != digits ? number : UINT64_MAX;
}

/* Returns the least limit of a group and of the groups that contain it. In a container the path may be the host's,
 * and the container may have only its last folder: folders that do not exist are skipped. Shortens `group`. */
static uint64_t least_limit(const char *root, const char *folder, char *group, const char *name) {
    uint64_t least = UINT64_MAX;
    char path[PATH_SIZE], *slash;
    do {
        if (snprintf(path, sizeof path, "%s%s%s/%s", root, folder, group, name) < PATH_SIZE) {
            uint64_t limit = read_number(path, ""); /* "max" has no number */
            least = limit < least ? limit : least;
        }
        slash = strrchr(group, '/');
        if (slash != NULL)
            *slash = '\0';
    } while (slash != NULL);
    return least;
}

/* Returns the limit that one line of /proc/self/cgroup leads to: "0::/a/b" in v2, "4:memory:/a/b" in v1. */
static uint64_t limit_of_line(const char *root, char *line) {
    char *controllers = strchr(line, ':');
    char *group = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
    if (group == NULL)
        return UINT64_MAX;
    group[strcspn(group, "\n")] = '\0';
    if (strncmp(line, "0::", 3) == 0)
        return least_limit(root, "/sys/fs/cgroup", group + 1, "memory.max");
    if (strncmp(controllers, ":memory:", 8) == 0)
        return least_limit(root, "/sys/fs/cgroup/memory", group + 1, "memory.limit_in_bytes");
    return UINT64_MAX;
}

static uint64_t control_group_limit(const char *root) {
    uint64_t least = UINT64_MAX;
    char path[PATH_SIZE], *line = NULL;
    size_t size = 0;
    snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    FILE *file = fopen(path, "re");
    while (file != NULL && getline(&line, &size, file) > 0) {
        uint64_t limit = limit_of_line(root, line);
        least = limit < least ? limit : least;
    }
    free(line);
    if (file != NULL)
        fclose(file);
    return least;
}

struct available_memory available_memory(const char *root) {
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s/proc/meminfo", root);
    uint64_t group = control_group_limit(root), kib = read_number(path, "MemTotal:");
    uint64_t machine = kib > UINT64_MAX / 1024 ? UINT64_MAX : kib * 1024;
    return (struct available_memory){group < machine ? group : machine, group < machine};
}

void available_memory_check(uint64_t memory_limit) {
    const struct available_memory available = available_memory("");
    if (memory_limit < available.bytes)
        return;
    log_event(LOG_SERVER, LOG_WARNING, "memory",
              LOG_FIELDS(LOG_NUMBER("memory_limit", memory_limit), LOG_NUMBER("available", available.bytes),
                         LOG_TEXT("of", available.control_group ? "control group" : "machine"),
                         LOG_TEXT("note", "the kernel ends the process before memory_limit is reached; lower it")));
}
