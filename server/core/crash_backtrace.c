/* crash_backtrace.c - see crash_backtrace.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/core/crash_backtrace.h"

#include <elf.h>
#include <fcntl.h>
#include <inttypes.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LINE_SIZE = 4096, NAME_SIZE = 32 };

/* A frame and what is known about it. */
struct frame {
    uintptr_t address; /* in the process; once the module has a name, in the module */
    char module[NAME_SIZE];
};

/* One line of /proc/self/maps. */
struct mapping {
    uintptr_t start, end, offset;
    const char *path; /* "" if there is none */
};

static struct frame found[CRASH_FRAMES_MAX];

/* --- /proc/self/maps ----------------------------------------------------------------------------------------- */

static uintptr_t take_number(const char **text) {
    uintptr_t number = 0;
    for (;; (*text)++) {
        if (**text >= '0' && **text <= '9')
            number = number * 16 + (uintptr_t)(**text - '0');
        else if (**text >= 'a' && **text <= 'f')
            number = number * 16 + (uintptr_t)(**text - 'a') + 10;
        else
            return number;
    }
}

static void skip(const char **text, char until) {
    while (**text != '\0' && **text != until)
        (*text)++;
    while (**text == until)
        (*text)++;
}

/* "START-END PERMISSIONS OFFSET DEVICE INODE    PATH" */
static struct mapping parse(const char *line) {
    struct mapping mapping;
    mapping.start = take_number(&line);
    skip(&line, '-');
    mapping.end = take_number(&line);
    skip(&line, ' ');
    skip(&line, ' ');
    mapping.offset = take_number(&line);
    for (int fields = 0; fields < 3; fields++)
        skip(&line, ' ');
    mapping.path = line;
    return mapping;
}

/* Whether the module is a program that is not position-independent: then its addresses are those in the
 * process. */
static bool is_fixed(uintptr_t start) {
    const ElfW(Ehdr) *header = (const ElfW(Ehdr) *)start; /* NOLINT(performance-no-int-to-ptr) */
    return memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 && header->e_type == ET_EXEC;
}

/* Names the frames that lie in this mapping. `base` is where the module begins. */
static void name_frames(const struct mapping *mapping, uintptr_t base, int count) {
    const char *slash = strrchr(mapping->path, '/');
    for (int i = 0; i < count; i++) {
        struct frame *frame = &found[i];
        if (frame->module[0] != '\0' || frame->address < mapping->start || frame->address >= mapping->end)
            continue;
        snprintf(frame->module, sizeof frame->module, "%.*s", NAME_SIZE - 1,
                 slash == NULL ? mapping->path : slash + 1);
        frame->address -= is_fixed(base) ? 0 : base;
    }
}

static void name_all(int maps, int count) {
    static char bytes[LINE_SIZE];
    size_t size = 0;
    uintptr_t base = 0;
    for (ssize_t got; (got = read(maps, bytes + size, sizeof bytes - 1 - size)) > 0;) {
        char *line = bytes, *end;
        size += (size_t)got;
        bytes[size] = '\0';
        for (; (end = strchr(line, '\n')) != NULL; line = end + 1) {
            *end = '\0';
            const struct mapping mapping = parse(line);
            if (mapping.offset == 0 && *mapping.path != '\0')
                base = mapping.start;
            if (*mapping.path != '\0')
                name_frames(&mapping, base, count);
        }
        size -= (size_t)(line - bytes);
        memmove(bytes, line, size);
    }
}

/* --- The text ------------------------------------------------------------------------------------------------ */

void crash_backtrace(void *const *frames, int count, char *text, size_t size) {
    count = count < 0 ? 0 : count < CRASH_FRAMES_MAX ? count : CRASH_FRAMES_MAX;
    for (int i = 0; i < count; i++)
        found[i] = (struct frame){.address = (uintptr_t)frames[i]};
    int maps = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    if (maps >= 0) {
        name_all(maps, count);
        close(maps);
    }
    text[0] = '\0';
    for (int i = 0, used = 0; i < count; i++) {
        int more = snprintf(text + used, size - (size_t)used, "%s%s+0x%" PRIxPTR, i == 0 ? "" : " ",
                            found[i].module, found[i].address);
        if (more < 0 || (size_t)more >= size - (size_t)used) {
            text[used] = '\0'; /* whole frames only */
            return;
        }
        used += more;
    }
}
