/* metrics_process.c - the process as the kernel sees it, under the names that Prometheus's own clients use.
 *
 * SPDX-License-Identifier: MIT
 */
#include <dirent.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "server/admin/metrics.h"

/* Field `number` of /proc/self/stat. Field 3 is the one after the name, which may hold blanks. */
static double stat_field(const char *text, int number) {
    const char *at = strrchr(text, ')');
    for (int i = 2; at != NULL && i < number; i++)
        at = strchr(at + 1, ' ');
    return at == NULL ? 0 : strtod(at + 1, NULL);
}

static double boot_time;

static void find_boot_time(void) {
    struct timespec real, boot;
    clock_gettime(CLOCK_REALTIME, &real);
    clock_gettime(CLOCK_BOOTTIME, &boot);
    boot_time = (double)(real.tv_sec - boot.tv_sec) + (double)(real.tv_nsec - boot.tv_nsec) / 1e9;
}

/* The boot time is found once: if it differed a little at each scrape, each would look like a restart. */
static double since_1970(double since_boot) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, find_boot_time);
    return boot_time + since_boot;
}

static unsigned open_descriptors(void) {
    unsigned count = 0;
    DIR *directory = opendir("/proc/self/fd");
    if (directory == NULL)
        return 0;
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(directory);
    return count == 0 ? 0 : count - 1; /* without the directory itself */
}

static void from_stat(FILE *out) {
    char text[1024] = "";
    FILE *stat = fopen("/proc/self/stat", "re");
    if (stat == NULL)
        return;
    size_t size = fread(text, 1, sizeof text - 1, stat);
    fclose(stat);
    text[size] = '\0';
    double ticks = (double)sysconf(_SC_CLK_TCK);
    metrics_counter(out, "process_cpu_seconds_total", "User and system time.",
                    (stat_field(text, 14) + stat_field(text, 15)) / ticks);
    metrics_gauge(out, "process_resident_memory_bytes", "Memory that is in RAM.",
                  stat_field(text, 24) * (double)sysconf(_SC_PAGESIZE));
    metrics_gauge(out, "process_virtual_memory_bytes", "Address space.", stat_field(text, 23));
    metrics_gauge(out, "process_threads", "Threads.", stat_field(text, 20));
    metrics_gauge(out, "process_start_time_seconds", "When it began, in seconds since 1970.",
                  since_1970(stat_field(text, 22) / ticks));
}

void metrics_process(FILE *out) {
    struct rlimit limit = {0};
    getrlimit(RLIMIT_NOFILE, &limit);
    from_stat(out);
    metrics_gauge(out, "process_open_fds", "Descriptors in use.", open_descriptors());
    metrics_gauge(out, "process_max_fds", "Descriptors that there may be.", (double)limit.rlim_cur);
}
