/* test_available_memory.c - the limits of control groups of both versions, read from folders that look like them.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "server/available_memory.h"
#include "tests/unit/config_text.h"
#include "tests/unit/suites.h"

enum { FILES_MAX = 6 };

/* Writes a file of the folder, with the folders above it. */
static void write_file(const char *name, const char *text) {
    char path[400];
    for (const char *slash = strchr(name, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        snprintf(path, sizeof path, "%s/%.*s", config_folder, (int)(slash - name), name);
        mkdir(path, 0700);
    }
    config_folder_write(name, text);
}

#define V2   "sys/fs/cgroup/"
#define V1   "sys/fs/cgroup/memory/"
#define MINE "proc/self/cgroup"
#define MEM  "proc/meminfo"

static const struct {
    struct {
        const char *name, *text;
    } files[FILES_MAX];
    uint64_t bytes;
    bool control_group;
} cases[] = {
    {{{NULL, NULL}}, UINT64_MAX, false},
    {{{MEM, "MemTotal:       1000 kB\nMemFree: 1 kB\n"}}, 1024000, false},
    {{{MINE, "0::/\n"}, {V2 "memory.max", "5000\n"}}, 5000, true},
    {{{MINE, "0::/\n"}, {V2 "memory.max", "max\n"}, {MEM, "MemTotal: 1 kB\n"}}, 1024, false},
    {{{MINE, "0::/a/b\n"}, {V2 "a/b/memory.max", "max\n"}, {V2 "a/memory.max", "7000\n"}}, 7000, true},
    {{{MINE, "0::/a/b\n"}, {V2 "a/b/memory.max", "6000\n"}, {V2 "a/memory.max", "7000\n"}}, 6000, true},
    {{{MINE, "0::/docker/0123\n"}, {V2 "memory.max", "8000\n"}}, 8000, true},
    {{{MINE, "9:name=systemd:/a\n4:memory:/a\n0::/\n"}, {V1 "a/memory.limit_in_bytes", "9000\n"}}, 9000, true},
    {{{MINE, "4:memory:/docker/0123\n"}, {V1 "memory.limit_in_bytes", "4000\n"}}, 4000, true},
    {{{MINE, "4:memory:/a\n"}, {V1 "a/memory.limit_in_bytes", "9223372036854771712\n"}, {MEM, "MemTotal: 2 kB\n"}},
     2048,
     false},
    {{{MINE, "4:cpu:/a\nno line\n\n0:\n"}, {V1 "a/memory.limit_in_bytes", "1\n"}}, UINT64_MAX, false},
    {{{MINE, "0::/../..\n"}, {V2 "memory.max", "3000\n"}}, 3000, true},
};

START_TEST(available_memory_is_the_smallest_control_group_limit) {
    for (int i = 0; i < FILES_MAX && cases[_i].files[i].name != NULL; i++)
        write_file(cases[_i].files[i].name, cases[_i].files[i].text);
    const struct available_memory available = available_memory(config_folder);
    ck_assert_uint_eq(available.bytes, cases[_i].bytes);
    ck_assert_int_eq(available.control_group, cases[_i].control_group);
}
END_TEST

Suite *available_memory_suite(void) {
    Suite *suite = suite_create("available_memory");
    TCase *limits = tcase_create("limits");
    tcase_add_checked_fixture(limits, config_folder_make, config_folder_remove);
    tcase_add_loop_test(limits, available_memory_is_the_smallest_control_group_limit, 0, COUNT(cases));
    suite_add_tcase(suite, limits);
    return suite;
}
