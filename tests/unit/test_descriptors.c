/* test_descriptors.c - which descriptor numbers are looked at.
 *
 * SPDX-License-Identifier: MIT
 */
#include <check.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "server/core/descriptors.h"
#include "tests/unit/suites.h"

enum { FIRST = 150, COUNT = 200, FAR = 70000 };

/* Every number from FIRST on, save those of `marked`, in portions of that size. */
static void check_looks(int portion, bool (*marked)(int fd)) {
    struct pollfd numbers[COUNT];
    int next = FIRST, expected = FIRST, found;
    while ((found = descriptors_poll_next(numbers, portion, &next, FIRST + COUNT, 0)) > 0)
        for (int i = 0; i < found; i++, expected++) {
            while (marked(expected))
                expected++;
            ck_assert_int_eq(numbers[i].fd, expected);
        }
    while (expected < FIRST + COUNT && marked(expected))
        expected++;
    ck_assert_int_eq(expected, FIRST + COUNT);
}

static bool none(int fd) {
    (void)fd;
    return false;
}

/* A whole word of marks, parts of two, and one alone. */
static bool some(int fd) {
    return (fd >= 190 && fd < 330) || fd == FIRST + COUNT - 1;
}

START_TEST(descriptor_scan_skips_marked_numbers) {
    for (int fd = FIRST; fd < FIRST + COUNT; fd++)
        if (some(fd))
            ck_assert(descriptors_mark_adopted(fd));
    for (int portion = 1; portion <= COUNT; portion += 33)
        check_looks(portion, some);
    for (int fd = FIRST; fd < FIRST + COUNT; fd++)
        descriptors_unmark_adopted(fd);
    check_looks(COUNT, none);
}
END_TEST

START_TEST(descriptor_scan_tells_open_from_free_numbers) {
    struct pollfd found[2];
    int opened = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, FIRST), next = opened;
    ck_assert_int_ge(opened, FIRST);
    ck_assert_int_eq(descriptors_poll_next(found, 1, &next, opened + 1, 0), 1);
    ck_assert(!(found[0].revents & POLLNVAL));
    ck_assert_int_gt(descriptors_end(), opened);
    close(opened);
    next = opened;
    descriptors_poll_next(found, 1, &next, opened + 1, 0);
    ck_assert(found[0].revents & POLLNVAL);
}
END_TEST

START_TEST(descriptor_scan_ends_above_the_highest_number) {
    struct rlimit limit;
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    int wanted = limit.rlim_cur > FAR ? FAR : (int)limit.rlim_cur - 1;
    int opened = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, wanted);
    ck_assert_int_ge(opened, wanted);
    ck_assert_int_gt(descriptors_end(), opened);
    close(opened);
}
END_TEST

Suite *descriptors_suite(void) {
    Suite *suite = suite_create("descriptors");
    TCase *test = tcase_create("descriptors");
    tcase_add_test(test, descriptor_scan_skips_marked_numbers);
    tcase_add_test(test, descriptor_scan_tells_open_from_free_numbers);
    tcase_add_test(test, descriptor_scan_ends_above_the_highest_number);
    suite_add_tcase(suite, test);
    return suite;
}
