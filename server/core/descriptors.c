/* descriptors.c - see descriptors.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/core/descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { WORD = 64, CHUNK = 65536, CHUNKS = INT_MAX / CHUNK + 1, STATUS_SIZE = 4096 };

/* One bit per number. A chunk is allocated with its first mark, and never freed. */
static _Atomic(_Atomic uint64_t *) chunks[CHUNKS];

/* --- Marks -------------------------------------------------------------------------------------------------- */

static _Atomic uint64_t *descriptors_chunk(int fd) {
    _Atomic uint64_t *chunk = chunks[fd / CHUNK], *none = NULL;
    if (chunk != NULL || (chunk = calloc(CHUNK / WORD, sizeof *chunk)) == NULL)
        return chunk;
    if (atomic_compare_exchange_strong(&chunks[fd / CHUNK], &none, chunk))
        return chunk;
    free(chunk); /* another thread was faster */
    return none;
}

static uint64_t descriptors_bit(int fd) {
    return UINT64_C(1) << fd % WORD;
}

bool descriptors_mark_adopted(int fd) {
    _Atomic uint64_t *chunk = descriptors_chunk(fd);
    if (chunk != NULL)
        chunk[fd % CHUNK / WORD] |= descriptors_bit(fd);
    return chunk != NULL;
}

void descriptors_unmark_adopted(int fd) {
    _Atomic uint64_t *chunk = chunks[fd / CHUNK];
    if (chunk != NULL)
        chunk[fd % CHUNK / WORD] &= ~descriptors_bit(fd);
}

/* Returns the first unmarked number from `fd` on. */
static int descriptors_skip_adopted(int fd, int end) {
    while (fd < end) {
        const _Atomic uint64_t *chunk = chunks[fd / CHUNK];
        uint64_t word = chunk == NULL ? 0 : chunk[fd % CHUNK / WORD];
        if (!(word & descriptors_bit(fd)))
            return fd;
        fd = word == UINT64_MAX ? fd - fd % WORD + WORD : fd + 1;
    }
    return end;
}

int descriptors_duplicate(int fd, int base) {
    int duplicate = fcntl(fd, F_DUPFD_CLOEXEC, base);
    return duplicate >= 0 ? duplicate : fcntl(fd, F_DUPFD_CLOEXEC, DESCRIPTORS_FIRST);
}

/* --- All others ---------------------------------------------------------------------------------------------- */

/* Stays open, because it is read when no other descriptor may be free. */
static int status_file = -1;

static void descriptors_open_status(void) {
    status_file = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
}

static int descriptors_limit(void) {
    struct rlimit limit;
    bool known = getrlimit(RLIMIT_NOFILE, &limit) == 0;
    return known && limit.rlim_cur < INT_MAX ? (int)limit.rlim_cur : INT_MAX;
}

/* The kernel reports the size of its table, which is at most about twice what is used. Without /proc, the limit is
 * used instead. */
int descriptors_end(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    char text[STATUS_SIZE];
    pthread_once(&once, descriptors_open_status);
    ssize_t size = pread(status_file, text, sizeof text - 1, 0);
    text[size < 0 ? 0 : size] = '\0';
    const char *field = strstr(text, "\nFDSize:");
    int end = field == NULL ? 0 : atoi(field + strlen("\nFDSize:"));
    return end > 0 ? end : descriptors_limit();
}

int descriptors_poll_next(struct pollfd *numbers, int count, int *next, int end, short events) {
    int found = 0;
    for (int fd = descriptors_skip_adopted(*next, end); fd < end && found < count;
         fd = descriptors_skip_adopted(fd + 1, end)) {
        numbers[found++] = (struct pollfd){.fd = fd, .events = events};
        *next = fd + 1;
    }
    while (poll(numbers, (nfds_t)found, 0) < 0 && errno == EINTR)
        continue;
    return found;
}
