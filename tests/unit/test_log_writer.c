/* test_log_writer.c - the thread of the log: with a file that is renamed, a pipe without a reader, and at the end.
 *
 * SPDX-License-Identifier: MIT
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/log/log.h"
#include "server/log/log_queue.h"
#include "tests/unit/suites.h"

static char directory[] = "/tmp/weir-log-XXXXXX", path[64], renamed[64], error[256];

static void make_directory(void) {
    strcpy(directory + sizeof directory - 7, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/log", directory);
    snprintf(renamed, sizeof renamed, "%s/log.1", directory);
}

static void remove_directory(void) {
    unlink(path);
    unlink(renamed);
    ck_assert_int_eq(rmdir(directory), 0);
}

static void start(const char *file, size_t buffer) {
    const struct log_options options = {.format = LOG_JSON, .file = file, .buffer = buffer};
    ck_assert_msg(log_start(&options, error, sizeof error) == 0, "%s", error);
}

static void log_number(int number) {
    log_event(LOG_SERVER, LOG_INFO, "line", LOG_FIELDS(LOG_NUMBER("number", (uint64_t)number)));
}

/* The whole file, terminated; in the heap. */
static char *contents(const char *file) {
    FILE *in = fopen(file, "r");
    char *text = NULL;
    size_t size = 0;
    ck_assert_ptr_nonnull(in);
    if (getdelim(&text, &size, '\0', in) < 0)
        text = strdup("");
    fclose(in);
    return text;
}

/* Checks that the numbers continue from *next, and that other lines contain `event`. */
static void check_numbers(char *text, const char *event, int *next) {
    char *rest = text, *line;
    while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
        const char *number = strstr(line, "\"event\":\"line\",\"number\":");
        if (number != NULL)
            ck_assert_int_eq(atoi(strrchr(number, ':') + 1), (*next)++);
        else
            ck_assert_msg(event != NULL && strstr(line, event) != NULL, "%s", line);
    }
}

START_TEST(log_writer_writes_all_lines_to_the_file) {
    struct stat status;
    make_directory();
    mode_t mask = umask(0);
    start(path, 1 << 20);
    umask(mask);
    for (int i = 0; i < 5000; i++)
        log_number(i);
    log_flush(60000);
    char *text = contents(path);
    int next = 0;
    check_numbers(text, NULL, &next);
    ck_assert_int_eq(next, 5000);
    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert_uint_eq(status.st_mode & 07777, 0640);
    free(text);
    log_number(next); /* the stop writes it */
    log_stop();
    text = contents(path);
    next = 0;
    check_numbers(text, NULL, &next);
    ck_assert_int_eq(next, 5001);
    free(text);
    remove_directory();
}
END_TEST

START_TEST(log_writer_appends_after_a_restart) {
    int next = 0;
    make_directory();
    for (int run = 0; run < 3; run++) {
        start(path, 1 << 16);
        start("/nowhere/at/all", 1); /* a second server: the log is as the first wants it */
        log_number(run);
        log_stop();
        log_stop();
    }
    char *text = contents(path);
    check_numbers(text, NULL, &next);
    ck_assert_int_eq(next, 3);
    free(text);
    remove_directory();
}
END_TEST

START_TEST(log_last_event_is_written_last) {
    int next = 0;
    make_directory();
    start(path, 1 << 20);
    for (int i = 0; i < 2000; i++)
        log_number(i);
    log_last_event("crash", LOG_FIELDS(LOG_TEXT("signal", "SIGSEGV")));
    char *text = contents(path), *last = strstr(text, "\"event\":\"crash\",\"signal\":\"SIGSEGV\"}\n");
    ck_assert_ptr_nonnull(last);
    ck_assert_ptr_eq(strchr(last, '\n'), text + strlen(text) - 1);
    check_numbers(text, "\"event\":\"crash\"", &next);
    ck_assert_int_eq(next, 2000);
    free(text);
    log_stop();
    remove_directory();
}
END_TEST

static void await(const char *file) {
    for (int i = 0; access(file, F_OK) != 0 && i < 60000; i++)
        poll(NULL, 0, 1);
}

START_TEST(log_reopen_opens_a_renamed_file_again) {
    int next = 0;
    make_directory();
    start(path, 1 << 20);
    for (int i = 0; i < 1000; i++)
        log_number(i);
    log_flush(60000); /* else some of them may go to the new file */
    ck_assert_int_eq(rename(path, renamed), 0);
    for (int i = 1000; i < 2000; i++)
        log_number(i);
    errno = ENOENT;
    log_reopen();
    ck_assert_int_eq(errno, ENOENT);
    for (int i = 2000; i < 3000; i++)
        log_number(i);
    await(path);
    for (int i = 3000; i < 4000; i++)
        log_number(i);
    log_stop();
    char *first = contents(renamed), *second = contents(path);
    check_numbers(first, NULL, &next);
    ck_assert_int_ge(next, 1000);
    ck_assert_int_le(next, 3000);
    check_numbers(second, "\"level\":\"info\",\"event\":\"log_reopen\",\"file\":", &next);
    ck_assert_int_eq(next, 4000);
    free(first);
    free(second);
    remove_directory();
}
END_TEST

START_TEST(log_reopen_that_fails_keeps_the_file) {
    char moved[80];
    int next = 0;
    make_directory();
    start(path, 1 << 20);
    log_number(0);
    snprintf(moved, sizeof moved, "%s.moved", directory);
    ck_assert_int_eq(rename(directory, moved), 0);
    log_reopen();
    log_number(1);
    log_flush(60000);
    log_stop();
    ck_assert_int_eq(rename(moved, directory), 0);
    char *text = contents(path);
    ck_assert_ptr_nonnull(strstr(text, "\"level\":\"error\",\"event\":\"log_reopen\""));
    ck_assert_ptr_nonnull(strstr(text, "No such file or directory"));
    check_numbers(text, "log_reopen", &next);
    ck_assert_int_eq(next, 2);
    free(text);
    remove_directory();
}
END_TEST

START_TEST(log_start_reports_a_file_that_cannot_be_opened) {
    const struct log_options options = {.file = "/nowhere/at/all", .buffer = 1 << 16};
    ck_assert_int_eq(log_start(&options, error, sizeof error), -1);
    ck_assert_str_eq(error, "log: /nowhere/at/all: No such file or directory");
    log_stop(); /* does nothing */
}
END_TEST

/* /dev/full: every write fails. Nothing waits for it, and each line is counted as lost. */
START_TEST(log_writer_counts_lost_lines_on_a_full_disk) {
    uint64_t before = log_lost();
    start("/dev/full", 1 << 16);
    for (int i = 0; i < 10000; i++)
        log_number(i);
    log_flush(60000);
    log_stop();
    ck_assert_uint_eq(log_lost() - before, 10000);
}
END_TEST

enum { THREADS = 4, EACH = 1000 };

static void *log_many(void *argument) {
    (void)argument;
    for (int i = 0; i < EACH; i++)
        log_number(i);
    return NULL;
}

/* stderr is a pipe without a reader, and the buffer is small: threads go on logging, and the stop does not wait for
 * ever. Then the test reads the pipe. */
START_TEST(log_stop_does_not_wait_for_a_pipe_without_reader) {
    pthread_t threads[THREADS];
    int pipes[2], real_stderr = dup(STDERR_FILENO);
    ck_assert_int_eq(pipe2(pipes, O_CLOEXEC), 0);
    fcntl(pipes[1], F_SETPIPE_SZ, 4096);
    ck_assert_int_eq(dup2(pipes[1], STDERR_FILENO), STDERR_FILENO);
    start(NULL, 1 << 14);
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, log_many, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    log_stop();
    ck_assert_int_eq(fcntl(STDERR_FILENO, F_GETFL) & O_NONBLOCK, 0);
    dup2(real_stderr, STDERR_FILENO);
    close(real_stderr);
    close(pipes[1]);
    char text[1 << 16];
    size_t size = 0;
    for (ssize_t got; (got = read(pipes[0], text + size, sizeof text - size)) > 0;)
        size += (size_t)got;
    close(pipes[0]);
    ck_assert_uint_gt(size, 0);
    ck_assert_int_eq(text[size - 1], '\n');
}
END_TEST

struct reading {
    int fd;
    long lines, reported;
};

static void *read_all(void *argument) {
    struct reading *reading = argument;
    FILE *in = fdopen(reading->fd, "r");
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, in) > 0) {
        const char *report = strstr(line, "\"event\":\"log_dropped\",\"count\":");
        if (report != NULL)
            reading->reported += atol(strrchr(report, ':') + 1);
        else
            reading->lines++;
    }
    free(line);
    fclose(in);
    return NULL;
}

/* A late reader gets every line or the number of those dropped. */
START_TEST(log_writer_reports_lines_dropped_for_a_late_reader) {
    pthread_t thread;
    int pipes[2], real_stderr = dup(STDERR_FILENO);
    ck_assert_int_eq(pipe2(pipes, O_CLOEXEC), 0);
    ck_assert_int_eq(dup2(pipes[1], STDERR_FILENO), STDERR_FILENO);
    close(pipes[1]);
    start(NULL, 1 << 14);
    for (int i = 0; i < 5000; i++)
        log_number(i);
    struct reading reading = {.fd = pipes[0]};
    ck_assert_int_eq(pthread_create(&thread, NULL, read_all, &reading), 0);
    log_flush(60000);
    log_stop();
    dup2(real_stderr, STDERR_FILENO);
    close(real_stderr);
    pthread_join(thread, NULL);
    ck_assert_int_gt(reading.reported, 0);
    ck_assert_int_eq(reading.lines + reading.reported, 5000);
}
END_TEST

Suite *log_writer_suite(void) {
    Suite *suite = suite_create("log_writer");
    TCase *files = tcase_create("files");
    tcase_add_test(files, log_writer_writes_all_lines_to_the_file);
    tcase_add_test(files, log_writer_appends_after_a_restart);
    tcase_add_test(files, log_last_event_is_written_last);
    tcase_add_test(files, log_reopen_opens_a_renamed_file_again);
    tcase_add_test(files, log_reopen_that_fails_keeps_the_file);
    tcase_add_test(files, log_start_reports_a_file_that_cannot_be_opened);
    tcase_add_test(files, log_writer_counts_lost_lines_on_a_full_disk);
    suite_add_tcase(suite, files);
    TCase *readers = tcase_create("readers");
    tcase_add_test(readers, log_stop_does_not_wait_for_a_pipe_without_reader);
    tcase_add_test(readers, log_writer_reports_lines_dropped_for_a_late_reader);
    suite_add_tcase(suite, readers);
    return suite;
}
