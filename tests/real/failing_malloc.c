/* failing_malloc.c - for test_memory_failures.py, as LD_PRELOAD: malloc, calloc, realloc and strdup that return
 * NULL now and then, for calls that come straight from the program itself or from zlib. What civetweb, libc and the
 * loader allocate never fails.
 *
 * FAILING_MALLOC names a file of four 64-bit numbers that the test maps too. The test writes the first two at any
 * time; all zeros is off. Any thread; the numbers are atomic, and nothing else changes after the start.
 *
 * SPDX-License-Identifier: MIT
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct control {
    _Atomic uint64_t countdown; /* n: the n-th call from now on fails, and it alone; 0: none */
    _Atomic uint64_t one_in;    /* n: about every n-th call fails; 0: none */
    _Atomic uint64_t calls, failures;
};

enum { RANGES_MAX = 8 };

/* The code whose calls count. Filled before there are threads. */
static struct { uintptr_t start, end; } ranges[RANGES_MAX];
static unsigned range_count;
static struct control *control; /* NULL until all is ready */

static int add_ranges(struct dl_phdr_info *info, size_t size, void *arg) {
    (void)size, (void)arg;
    bool is_program = info->dlpi_name[0] == '\0', is_zlib = strstr(info->dlpi_name, "/libz.so") != NULL;
    for (unsigned i = 0; (is_program || is_zlib) && i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        if (part->p_type != PT_LOAD || !(part->p_flags & PF_X) || range_count == RANGES_MAX)
            continue;
        ranges[range_count].start = info->dlpi_addr + part->p_vaddr;
        ranges[range_count++].end = info->dlpi_addr + part->p_vaddr + part->p_memsz;
    }
    return 0;
}

__attribute__((constructor)) static void start(void) {
    const char *path = getenv("FAILING_MALLOC");
    int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return;
    void *map = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    dl_iterate_phdr(add_ranges, NULL);
    if (map != MAP_FAILED)
        control = map;
}

static bool counts(const void *caller) {
    uintptr_t address = (uintptr_t)caller;
    for (unsigned i = 0; i < range_count; i++)
        if (address >= ranges[i].start && address < ranges[i].end)
            return true;
    return false;
}

/* SplitMix64: which calls fail has no rhythm, so that it cannot keep step with what a message allocates. */
static uint64_t mix(uint64_t number) {
    number += UINT64_C(0x9e3779b97f4a7c15);
    number = (number ^ number >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    number = (number ^ number >> 27) * UINT64_C(0x94d049bb133111eb);
    return number ^ number >> 31;
}

static bool is_due(void) {
    uint64_t call = atomic_fetch_add(&control->calls, 1), left = atomic_load(&control->countdown);
    while (left > 0 && !atomic_compare_exchange_weak(&control->countdown, &left, left - 1))
        ;
    uint64_t one_in = atomic_load(&control->one_in);
    return left == 1 || (one_in > 0 && mix(call) % one_in == 0);
}

static bool fails(const void *caller) {
    if (control == NULL || !counts(caller) || !is_due())
        return false;
    atomic_fetch_add(&control->failures, 1);
    errno = ENOMEM;
    return true;
}

#define NEXT(name) (__typeof__(&name))dlsym(RTLD_NEXT, #name)

void *malloc(size_t size) {
    static __typeof__(&malloc) next;
    if (next == NULL)
        next = NEXT(malloc);
    return fails(__builtin_return_address(0)) ? NULL : next(size);
}

void *calloc(size_t count, size_t size) {
    static __typeof__(&calloc) next;
    if (next == NULL)
        next = NEXT(calloc);
    return fails(__builtin_return_address(0)) ? NULL : next(count, size);
}

void *realloc(void *memory, size_t size) {
    static __typeof__(&realloc) next;
    if (next == NULL)
        next = NEXT(realloc);
    return fails(__builtin_return_address(0)) ? NULL : next(memory, size);
}

char *strdup(const char *text) {
    static __typeof__(&strdup) next;
    if (next == NULL)
        next = NEXT(strdup);
    return fails(__builtin_return_address(0)) ? NULL : next(text);
}
