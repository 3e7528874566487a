/* result_host.c - describes the machine that a result was measured on, as the system reports it.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "commands/bench/result.h"

/* Reads the value of a line "key : value" or "KEY=\"value\"" from a system file. Leaves `value` unchanged if
 * there is no such line. */
static void read_value(const char *path, const char *key, char *value, size_t size) {
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return;
    char line[512];
    while (fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, key, strlen(key)) == 0) {
            char *begin = line + strlen(key);
            begin += strspn(begin, " \t:=\"");
            begin[strcspn(begin, "\"\n")] = '\0';
            snprintf(value, size, "%s", begin);
            break;
        }
    fclose(file);
}

void result_describe_host(struct result *result) {
    struct utsname names;
    if (uname(&names) == 0) {
        char distribution[64] = "";
        read_value("/etc/os-release", "PRETTY_NAME", distribution, sizeof distribution);
        snprintf(result->host, sizeof result->host, "%s", names.nodename);
        snprintf(result->system, sizeof result->system, "%s%s%s %.40s %.20s", distribution,
                 distribution[0] != '\0' ? ", " : "", names.sysname, names.release, names.machine);
        snprintf(result->processor, sizeof result->processor, "%s", names.machine);
    }
    read_value("/proc/cpuinfo", "model name", result->processor, sizeof result->processor);
    long processors = sysconf(_SC_NPROCESSORS_ONLN), pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    result->processors = processors > 0 ? (unsigned)processors : 0;
    result->memory_bytes = pages > 0 && page > 0 ? (uint64_t)pages * (uint64_t)page : 0;
}
