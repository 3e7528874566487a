/* test_runner.c - a test that hangs, crashes, or fails on any thread is reported. The suite `faults` has such
 * tests; the suite `runner` runs this program with it and checks its output.
 *
 * SPDX-License-Identifier: MIT
 */
#include <check.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/suites.h"

static char output[1 << 14]; /* of the run with faults */
static int status;

/* --- Tests that fail ----------------------------------------------------------------------------------------- */

START_TEST(hangs) {
    for (;;)
        pause();
}
END_TEST

static void *fail_here(void *argument) {
    ck_assert_msg(argument != NULL, "failed on another thread");
    return NULL;
}

START_TEST(fails_on_another_thread) {
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, fail_here, NULL), 0);
    pthread_join(thread, NULL);
}
END_TEST

START_TEST(crashes) {
    signal(SIGABRT, SIG_DFL);
    abort();
}
END_TEST

START_TEST(passes) {
    ck_assert_int_eq(status, 0);
}
END_TEST

Suite *faults_suite(void) {
    Suite *suite = suite_create("faults");
    TCase *tcase = tcase_create("faults");
    tcase_set_timeout(tcase, 3); /* ThreadSanitizer sleeps for one second at the end */
    tcase_add_test(tcase, hangs);
    tcase_add_test(tcase, fails_on_another_thread);
    tcase_add_test(tcase, crashes);
    suite_add_tcase(suite, tcase);
    TCase *after = tcase_create("after");
    tcase_add_test(after, passes);
    suite_add_tcase(suite, after);
    return suite;
}

/* --- What comes of them -------------------------------------------------------------------------------------- */

/* The user may have set CK_FORK=no. */
static void run_faults(void) {
    char program[PATH_MAX] = "", command[PATH_MAX + 64];
    ck_assert_int_gt((int)readlink("/proc/self/exe", program, sizeof program - 1), 0);
    snprintf(command, sizeof command, "CK_FORK=no CK_VERBOSITY=normal '%s' faults 2>&1", program);
    FILE *pipe = popen(command, "r");
    ck_assert_ptr_nonnull(pipe);
    output[fread(output, 1, sizeof output - 1, pipe)] = '\0';
    status = pclose(pipe);
}

static void expect(const char *part) {
    ck_assert_msg(strstr(output, part) != NULL, "no \"%s\" in:\n%s", part, output);
}

START_TEST(runner_reports_each_fault) {
    run_faults();
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), EXIT_FAILURE);
    expect("Checks: 4, Failures: 1, Errors: 2");
    expect(":hangs:0: (after this point) Test timeout expired");
    expect(":F:faults:fails_on_another_thread:0: failed on another thread");
    expect(":crashes:0: (after this point) Received signal 6");
}
END_TEST

Suite *runner_suite(void) {
    Suite *suite = suite_create("runner");
    TCase *tcase = tcase_create("runner");
    tcase_add_test(tcase, runner_reports_each_fault);
    suite_add_tcase(suite, tcase);
    return suite;
}
